//! A small HTTP server of our own: threads, fixed answers, and exact stamps.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::target::Target;

/// Answers one request on its connection; says whether the connection stays.
pub(crate) type Answer = Arc<dyn Fn(&str, &mut TcpStream) -> bool + Send + Sync>;

/// A server that lives as long as the program.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    first: Arc<Mutex<Option<Instant>>>,
}

impl Server {
    /// Serves every path of a request with `answer`.
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let first = Arc::new(Mutex::new(None));
        let stamp = Arc::clone(&first);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (answer, stamp) = (Arc::clone(&answer), Arc::clone(&stamp));
                std::thread::spawn(move || converse(socket, &answer, &stamp));
            }
        });
        Self { url, first }
    }

    /// A server that gives everyone the same deployment.
    pub(crate) fn of_deployment() -> Self {
        let body = deployment("web", 3, 3);
        Self::start(Arc::new(move |_, socket| whole(socket, &body)))
    }

    pub(crate) fn target(&self) -> Target {
        Target::control_hub(&self.url, "h.p.s")
    }

    /// When the first byte came since this was last asked.
    pub(crate) fn first_byte(&self) -> Option<Instant> {
        self.first.lock().expect("a stamp").take()
    }
}

fn converse(mut socket: TcpStream, answer: &Answer, stamp: &Mutex<Option<Instant>>) {
    socket.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        stamp.lock().expect("a stamp").get_or_insert_with(Instant::now);
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            line.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or_default();
        if !answer(path, &mut socket) {
            return;
        }
    }
}

/// Sends a whole answer.
pub(crate) fn whole(socket: &mut TcpStream, body: &str) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all((head + body).as_bytes()).is_ok()
}

/// A deployment of three replicas at a version, with so many of them updated and available.
pub(crate) fn deployment(name: &str, version: usize, ready: usize) -> String {
    let pad = "a".repeat(800);
    serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 1,
            "resourceVersion": version.to_string(), "annotations": {"note": pad},
        },
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": name}}},
        "status": {
            "observedGeneration": 1, "replicas": 3, "updatedReplicas": ready, "readyReplicas": ready,
            "availableReplicas": ready,
        },
    })
    .to_string()
}
