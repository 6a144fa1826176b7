use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, StatusCode, header};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::clock::Clock;
use crate::cluster::provider;
use crate::cluster::resource::POD;
use crate::cluster::tap::Deaf;
use crate::cluster::testing::Badge;
use crate::cluster::transport::{RawResponse, RawStream, RawUpgrade, Transport, Wire};

/// What a container does with the frames it gets, and which protocol its server speaks.
struct Room {
    protocol: &'static str,
    says: Vec<Vec<u8>>,
    /// Whether it answers only after stdin was closed.
    reads: bool,
    refuses: Option<(u16, &'static str)>,
    asked: Mutex<Vec<Wire>>,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Room")
    }
}

impl Room {
    fn saying(says: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            protocol: CLOSES_STDIN,
            says: says.into_iter().collect(),
            reads: false,
            refuses: None,
            asked: Mutex::default(),
            heard: Arc::default(),
        }
    }

    async fn run(self, exec: &Exec) -> (Result<Executed, Error>, Arc<Self>) {
        let room = Arc::new(self);
        let clock = Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap());
        let client = Client::new(Arc::clone(&room) as _, Badge::new([]), provider::KUBERNETES, Arc::new(Deaf), clock);
        let pod = POD.at(Some("shop"), "web-1").unwrap();
        (client.exec(&pod, exec).await, room)
    }
}

#[async_trait]
impl Transport for Room {
    async fn call(&self, _: Wire) -> Result<RawResponse, TransportError> {
        Err(TransportError::NotSent("only upgrades here".into()))
    }

    async fn stream(&self, _: Wire) -> Result<RawStream, TransportError> {
        Err(TransportError::NotSent("only upgrades here".into()))
    }

    async fn upgrade(&self, wire: Wire) -> Result<RawUpgrade, TransportError> {
        self.asked.lock().unwrap().push(wire.clone());
        if let Some((status, body)) = self.refuses {
            let status = StatusCode::from_u16(status).unwrap();
            return Ok(RawUpgrade::Answered(RawResponse { status, headers: HeaderMap::new(), body: body.into() }));
        }
        let key = wire.headers[header::SEC_WEBSOCKET_KEY].to_str().unwrap();
        let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, BASE64_STANDARD.encode(sum).parse().unwrap());
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, self.protocol.parse().unwrap());
        let (ours, theirs) = tokio::io::duplex(1024);
        let (says, reads, heard) = (self.says.clone(), self.reads, Arc::clone(&self.heard));
        tokio::spawn(async move {
            let mut frames = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
            loop {
                if !reads {
                    break;
                }
                let Some(Ok(message)) = frames.next().await else { return };
                let frame = message.into_data().to_vec();
                let closed = frame == [CLOSE, STDIN];
                heard.lock().unwrap().push(frame);
                if closed {
                    break;
                }
            }
            for frame in says {
                frames.send(Message::Binary(frame.into())).await.unwrap();
            }
        });
        Ok(RawUpgrade::Open(headers, Box::new(ours)))
    }
}

fn frame(channel: u8, text: &str) -> Vec<u8> {
    std::iter::once(channel).chain(text.bytes()).collect()
}

fn success() -> Vec<u8> {
    frame(STATUS, &json!({"metadata": {}, "status": "Success"}).to_string())
}

fn exit(code: &str) -> Vec<u8> {
    let details = json!({"causes": [{"reason": "ExitCode", "message": code}]});
    frame(STATUS, &json!({"status": "Failure", "reason": "NonZeroExitCode", "details": details}).to_string())
}

fn ls() -> Exec {
    Exec { container: "web".into(), command: vec!["ls".into(), "-l a".into()], stdin: None, limit: 1000 }
}

#[tokio::test(start_paused = true)]
async fn streams_are_kept_apart_and_the_exit_code_is_the_end() {
    let says = [frame(STDOUT, ""), frame(STDOUT, "one\n"), frame(STDERR, "oh"), frame(STDOUT, "two\n"), exit("2")];
    let (done, room) = Room::saying(says).run(&ls()).await;
    let done = done.unwrap();
    assert_eq!((done.exit_code, done.stdout.text().as_str(), done.stderr.text().as_str()), (2, "one\ntwo\n", "oh"));
    let asked = room.asked.lock().unwrap();
    assert_eq!(
        asked[0].path,
        "/api/v1/namespaces/shop/pods/web-1/exec?command=ls&command=-l+a&container=web&stderr=true&stdout=true"
    );
}

#[tokio::test(start_paused = true)]
async fn stdin_is_sent_in_pieces_and_closed_where_the_server_knows_how() {
    let room = Room { reads: true, ..Room::saying([success()]) };
    let stdin = Some(vec![b'x'; CHUNK + 1]);
    let (done, room) = room.run(&Exec { stdin, ..ls() }).await;
    assert_eq!(done.unwrap().exit_code, 0);
    let heard = room.heard.lock().unwrap();
    assert_eq!(heard.iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK + 1, 2, 2]);
    assert!(room.asked.lock().unwrap()[0].path.contains("&stdin=true"));
}

#[tokio::test(start_paused = true)]
async fn an_older_server_is_sent_stdin_and_kept_alive_but_nothing_is_closed() {
    let room = Room { protocol: "v4.channel.k8s.io", reads: true, ..Room::saying([]) };
    let heard = Arc::clone(&room.heard);
    let exec = Exec { stdin: Some(b"select 1\n".to_vec()), ..ls() };
    let hangs = tokio::time::timeout(PING * 2 + Duration::from_secs(1), room.run(&exec)).await;
    assert!(hangs.is_err());
    assert_eq!(*heard.lock().unwrap(), [frame(STDIN, "select 1\n"), vec![], vec![]]);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_limit_is_read_and_dropped() {
    let says = [frame(STDOUT, "12345"), frame(STDOUT, "678"), frame(STDERR, "1234"), success()];
    let (done, _) = Room::saying(says).run(&Exec { limit: 4, ..ls() }).await;
    let done = done.unwrap();
    assert_eq!(done.stdout, Output { bytes: b"1234".to_vec(), cut: true });
    assert_eq!(done.stderr, Output { bytes: b"1234".to_vec(), cut: false });
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_status_is_no_exit_code_of_zero() {
    let (done, _) = Room::saying([frame(STDOUT, "half")]).run(&ls()).await;
    let error = done.unwrap_err();
    assert!(error.may_have_applied(), "{error}");
    assert!(error.to_string().contains("before the exit code came"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_started_is_told_in_the_servers_words() {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "InternalError", "code": 500,
        "message": "exec: \"lss\": executable file not found in $PATH"});
    let (done, _) = Room::saying([frame(STATUS, &status.to_string())]).run(&ls()).await;
    assert!(done.unwrap_err().to_string().contains("executable file not found"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_handshake_is_a_refusal_and_nothing_was_run() {
    let forbidden = r#"{"kind":"Status","reason":"Forbidden","message":"pods \"web-1\" is forbidden","code":403}"#;
    let (done, room) = Room { refuses: Some((403, forbidden)), ..Room::saying([]) }.run(&ls()).await;
    let error = done.unwrap_err();
    assert!(error.refusal().is_some_and(Refusal::is_forbidden) && !error.may_have_applied());
    assert_eq!(room.asked.lock().unwrap().len(), 1);
    let room = Room { protocol: "v1.strange", ..Room::saying([]) };
    assert!(room.run(&ls()).await.0.unwrap_err().to_string().contains("v1.strange"));
}
