//! Commands in containers: the exec subresource over a WebSocket (wire 5.3).
//!
//! Each binary frame begins with its channel: 0 stdin, 1 stdout, 2 stderr,
//! 3 the status that ends the conversation. Version 5 of the protocol adds
//! channel 255, which closes another; before it (servers older than
//! Kubernetes 1.30) nobody can tell the command that its input is over, so a
//! command that reads to the end waits until its time is up. Both are
//! offered and the server chooses.
//!
//! Letting go of the future closes the connection; a server does not end the
//! command for that.

use std::time::Duration;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::resource::Address;
use super::websocket::{self, Frames};
use super::{Client, Error, Refusal, Request, TransportError, Write};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;

const CLOSES_STDIN: &str = "v5.channel.k8s.io";
const PROTOCOLS: [&str; 2] = [CLOSES_STDIN, "v4.channel.k8s.io"];

/// How often a silent conversation is kept alive; proxies give up after 60 s.
const PING: Duration = Duration::from_secs(20);

/// Bytes of stdin in a frame.
const CHUNK: usize = 32 * 1024;

/// A command to be run in a container, without a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exec {
    /// Which container of the pod.
    pub container: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What it reads; none: it has no stdin.
    pub stdin: Option<Vec<u8>>,
    /// Bytes that are kept of each stream of its output.
    pub limit: usize,
}

/// What a command said, up to the limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// Whether there were more.
    pub cut: bool,
}

impl Output {
    fn take(&mut self, bytes: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        self.cut |= bytes.len() > room;
    }

    /// As text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A command that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Its exit code.
    pub exit_code: i64,
    /// What it wrote to stdout.
    pub stdout: Output,
    /// What it wrote to stderr.
    pub stderr: Output,
}

impl Address {
    /// Runs a command in a container of the pod.
    pub fn exec(&self, exec: &Exec) -> Request<Write> {
        Request::change(Method::GET, self.path().clone().plus("exec"))
            .with("container", exec.container.clone())
            .with_each("command", &exec.command)
            .with_some("stdin", exec.stdin.is_some().then_some("true"))
            .with("stdout", "true")
            .with("stderr", "true")
            .label(format!("run {} in {self}", exec.command.first().map_or("nothing", String::as_str)))
    }
}

impl Client {
    /// Runs a command in a container to its end.
    ///
    /// # Errors
    /// When the server refuses it, cannot start it, or the connection breaks
    /// before its exit code is known; [`Error::may_have_applied`] then says
    /// whether it may have run.
    pub async fn exec(&self, pod: &Address, exec: &Exec) -> Result<Executed, Error> {
        let (frames, protocol) = websocket::open(self, &pod.exec(exec), &PROTOCOLS).await?;
        let (sink, mut source) = frames.split();
        let feeding = feed(sink, exec.stdin.clone(), protocol == CLOSES_STDIN);
        tokio::pin!(feeding);
        let mut done = Executed::default();
        loop {
            let message = tokio::select! {
                biased;
                message = source.next() => message,
                never = &mut feeding => match never {},
            };
            let frame = match message {
                Some(Ok(Message::Binary(frame))) => frame,
                Some(Ok(Message::Text(text))) => text.into(),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_))) | None => return Err(lost("the connection was closed")),
                Some(Err(error)) => return Err(lost(error)),
            };
            match frame.split_first() {
                Some((&STDOUT, bytes)) => done.stdout.take(bytes, exec.limit),
                Some((&STDERR, bytes)) => done.stderr.take(bytes, exec.limit),
                Some((&STATUS, status)) if !status.is_empty() => {
                    done.exit_code = exit_code(status)?;
                    return Ok(done);
                }
                // A server opens each channel with an empty frame.
                _ => {}
            }
        }
    }
}

/// A future that has no end.
enum Never {}

/// Sends stdin, closes it where that can be said, and keeps the connection alive.
///
/// A connection that takes no more is no failure here: its other half may still hold the exit code.
async fn feed(mut sink: SplitSink<Frames, Message>, stdin: Option<Vec<u8>>, closes: bool) -> Never {
    let sent = async {
        for chunk in stdin.as_deref().unwrap_or_default().chunks(CHUNK) {
            let frame: Bytes = std::iter::once(STDIN).chain(chunk.iter().copied()).collect();
            sink.send(Message::Binary(frame)).await?;
        }
        if stdin.is_some() && closes {
            sink.send(Message::Binary(Bytes::from_static(&[CLOSE, STDIN]))).await?;
        }
        loop {
            tokio::time::sleep(PING).await;
            sink.send(Message::Ping(Bytes::new())).await?;
        }
    };
    let _: Result<Never, tungstenite::Error> = sent.await;
    std::future::pending().await
}

fn lost(cause: impl std::fmt::Display) -> Error {
    let cause = format!("{cause} before the exit code came; the command may still run");
    Error::Transport(TransportError::Broken(cause))
}

/// The exit code in the `Status` that ends the conversation.
fn exit_code(status: &[u8]) -> Result<i64, Error> {
    let status: Value =
        serde_json::from_slice(status).map_err(|error| lost(format!("the status is no JSON: {error}")))?;
    if status.get("status").and_then(Value::as_str) == Some("Success") {
        return Ok(0);
    }
    let causes = status.pointer("/details/causes").and_then(Value::as_array);
    let code = causes
        .into_iter()
        .flatten()
        .find(|cause| cause.get("reason").is_some_and(|reason| reason == "ExitCode"))
        .and_then(|cause| cause.get("message")?.as_str()?.parse().ok());
    // It could not be started, or its end could not be learned: in the server's words.
    code.ok_or_else(|| Refusal::of_status(&status).into())
}

#[cfg(test)]
mod tests;
