//! How soon a step ends after the server wrote the state that it waits for.
//!
//! A server of our own rolls each deployment out in three writes, at random
//! moments, and stamps the last one. The line that runhub prints for the step
//! is the end: what a person at the terminal sees.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::book::Desk;
use crate::child;
use crate::server::{Server, deployment, whole};
use crate::table::{Table, ms, percentile};

const ROLLOUTS: usize = 200;
const REPLICAS: usize = 3;
/// The longest time between two writes of a rollout, in milliseconds.
const PACE: u64 = 300;

/// Rollouts seen by watch, and rollouts behind a proxy that holds watches back.
pub(crate) fn detection(table: &mut Table) {
    for (words, holds_back, aim) in [("by watch", false, 20.0), ("behind a buffering proxy", true, 150.0)] {
        let took = detect(holds_back);
        let note = format!("p50 {:.1} ms, worst {:.1} ms, of {ROLLOUTS}", at(&took, 0.5), at(&took, 1.0));
        table.aimed(
            &format!("a rollout's last write to the step's end, {words}, p99"),
            at(&took, 0.99),
            (aim, "ms"),
            &note,
        );
    }
}

fn at(values: &[Duration], share: f64) -> f64 {
    ms(percentile(values, share))
}

fn detect(holds_back: bool) -> Vec<Duration> {
    let (desk, world) = (Desk::new(), Arc::new(World::default()));
    let seen = Arc::clone(&world);
    let server = Server::start(Arc::new(move |path, socket| seen.answer(path, holds_back, socket)));
    let book = desk.book(ROLLOUTS, |number| format!("wait-for-rollout: {{deployment: shop/web-{number}}}"));
    let mut command = child::run(&book, &server.target(), desk.path());
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("the command starts");
    let mut took = Vec::new();
    for line in BufReader::new(run.stdout.take().expect("a pipe")).lines().map_while(Result::ok) {
        let now = Instant::now();
        let done = line.split_whitespace().nth(1).filter(|_| line.starts_with('✓'));
        let number = done.and_then(|step| step.strip_prefix('s')?.parse::<usize>().ok());
        let Some(wrote) = number.and_then(|number| world.last_write(&format!("web-{number}"))) else { continue };
        took.push(now - wrote);
    }
    assert!(run.wait().expect("the command is ours").success(), "the run failed");
    assert_eq!(took.len(), ROLLOUTS, "a line for each step");
    took
}

/// Deployments that begin to roll out when they are first looked at.
#[derive(Debug, Default)]
struct World {
    rollouts: Mutex<HashMap<String, Rollout>>,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Rollout {
    ready: usize,
    last: Option<Instant>,
}

impl World {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Rollout>> {
        self.rollouts.lock().expect("the world")
    }

    fn last_write(&self, name: &str) -> Option<Instant> {
        self.all().get(name)?.last
    }

    fn answer(self: &Arc<Self>, path: &str, holds_back: bool, socket: &mut TcpStream) -> bool {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if !path.contains("/deployments") {
            return whole(socket, r#"{"metadata":{"resourceVersion":"1"},"items":[]}"#);
        }
        let selected =
            || Some(query.split_once("metadata.name")?.1.split('&').next()?.trim_start_matches(['=', '%', '3', 'D']));
        let name =
            path.split_once("/deployments/").map(|(_, name)| name).or_else(selected).unwrap_or_default().to_owned();
        let ready = self.looked_at(&name);
        let object = deployment(&name, ready + 1, ready);
        if query.contains("watch=") {
            return self.watch(&name, ready, holds_back, socket);
        }
        if path.ends_with("/deployments") {
            let version = ready + 1;
            return whole(socket, &format!(r#"{{"metadata":{{"resourceVersion":"{version}"}},"items":[{object}]}}"#));
        }
        whole(socket, &object)
    }

    /// How many replicas are ready; the first look sets the rollout going.
    fn looked_at(self: &Arc<Self>, name: &str) -> usize {
        let mut all = self.all();
        if let Some(rollout) = all.get(name) {
            return rollout.ready;
        }
        all.insert(name.to_owned(), Rollout::default());
        let (world, name) = (Arc::clone(self), name.to_owned());
        std::thread::spawn(move || world.roll_out(&name));
        0
    }

    fn roll_out(&self, name: &str) {
        for ready in 1..=REPLICAS {
            std::thread::sleep(Duration::from_millis(fastrand::u64(20..PACE)));
            let mut all = self.all();
            let last = (ready == REPLICAS).then(Instant::now);
            all.insert(name.to_owned(), Rollout { ready, last });
            self.written.notify_all();
        }
    }

    /// Sends each write as it happens, or, behind a proxy that holds back, nothing until all is over.
    fn watch(&self, name: &str, mut known: usize, holds_back: bool, socket: &mut TcpStream) -> bool {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        if !holds_back && socket.write_all(head.as_bytes()).is_err() {
            return false;
        }
        let mut all = self.all();
        while known < REPLICAS {
            all = self.written.wait(all).expect("the world");
            let ready = all.get(name).map_or(0, |rollout| rollout.ready);
            if ready > known && !holds_back {
                let line = format!("{{\"type\":\"MODIFIED\",\"object\":{}}}\n", deployment(name, ready + 1, ready));
                if write!(socket, "{:x}\r\n{line}\r\n", line.len()).is_err() {
                    return false;
                }
            }
            known = known.max(ready);
        }
        drop(all);
        // The client goes first; a stream that ended would make it look again.
        let mut rest = [0_u8; 1];
        let _ = std::io::Read::read(socket, &mut rest);
        false
    }
}
