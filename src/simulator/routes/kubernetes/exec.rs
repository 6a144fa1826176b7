//! `/exec`: a command in a container, over a WebSocket (`v4.channel.k8s.io`, `v5.channel.k8s.io`).
//!
//! Each message begins with the number of its channel: 0 the standard input, 1 and 2 the outputs, 3 how
//! it ended, 4 the size of a terminal; in v5 255 closes a channel of the client.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::response::Response;
use serde_json::{Value, json};

use super::logs::container;
use super::path::Target;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::commands::{self, Outcome};
use crate::simulator::object::text;
use crate::simulator::routes::middleware;
use crate::simulator::status::StatusError;

const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

pub(super) fn exec(app: &Arc<App>, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let name = target.name.unwrap_or_default();
    let pod = app.store.get("pods", target.place(), name);
    let pod = pod.ok_or_else(|| StatusError::not_found(target.resource, name))?;
    let container = container(&pod, ask.query("container").unwrap_or_default())?;
    if text(&pod, "/spec/nodeName").is_empty() {
        return Err(StatusError::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let command: Vec<_> =
        ask.queries().iter().filter(|(key, _)| key == "command").map(|(_, word)| word.clone()).collect();
    if command.is_empty() {
        return Err(StatusError::bad_request("you must specify at least 1 command for the container"));
    }
    let Some(upgrade) = ask.upgrade() else { return Err(StatusError::bad_request("Upgrade request required")) };
    let session = Session {
        app: Arc::clone(app),
        pod,
        container,
        command,
        stdin: ask.flag("stdin"),
        shown: [ask.flag("stdout"), ask.flag("stderr")],
    };
    Ok(upgrade.protocols(PROTOCOLS).on_upgrade(|socket| session.run(socket)))
}

struct Session {
    app: Arc<App>,
    pod: Arc<Value>,
    container: String,
    command: Vec<String>,
    stdin: bool,
    shown: [bool; 2],
}

impl Session {
    /// Runs the command; a client that went away is nobody's trouble.
    async fn run(self, mut socket: WebSocket) {
        // An empty message tells the client that the connection stands.
        drop(send(&mut socket, 1, "").await);
        let typed = if self.stdin { typed(&self.app, &mut socket).await } else { String::new() };
        let words: Vec<_> = self.command.iter().map(String::as_str).collect();
        let outcome = commands::run(&self.app.commands, (&self.pod, &self.container), (&words, &typed), &|instance| {
            middleware::password(&self.app, instance)
        });
        for (channel, shown, output) in [(1, self.shown[0], &outcome.stdout), (2, self.shown[1], &outcome.stderr)] {
            if shown && !output.is_empty() {
                drop(send(&mut socket, channel, output).await);
            }
        }
        drop(send(&mut socket, 3, &ending(&outcome, &words).to_string()).await);
        drop(socket.send(Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: "".into() }))).await);
    }
}

/// All that the client types, until it closes its end or the connection.
async fn typed(app: &App, socket: &mut WebSocket) -> String {
    let mut bytes = Vec::new();
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = app.stop.cancelled() => None,
        };
        let data = match message {
            Some(Ok(Message::Binary(data))) => data,
            Some(Ok(Message::Text(text))) => text.into(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
        };
        match data.split_first() {
            Some((0, typed)) => bytes.extend_from_slice(typed),
            Some((255, [0])) => break,
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn send(socket: &mut WebSocket, channel: u8, text: &str) -> Result<(), axum::Error> {
    let message: Vec<u8> = std::iter::once(channel).chain(text.bytes()).collect();
    socket.send(Message::Binary(message.into())).await
}

/// How a command ended, as the node's agent says it.
fn ending(outcome: &Outcome, words: &[&str]) -> Value {
    let program = words.first().copied().unwrap_or_default();
    if outcome.missing {
        let message = format!(
            "Internal error occurred: error executing command in container: failed to exec in container: failed to \
             start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: \
             \"{program}\": executable file not found in $PATH: unknown"
        );
        return json!({ "metadata": {}, "status": "Failure", "message": message, "reason": "InternalError",
            "details": { "causes": [{ "message": message }] }, "code": 500 });
    }
    if outcome.code == 0 {
        return json!({ "metadata": {}, "status": "Success" });
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {}", outcome.code),
        "details": { "causes": [{ "reason": "ExitCode", "message": outcome.code.to_string() }] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_words() {
        let of = |code, missing| ending(&Outcome { code, missing, ..Outcome::default() }, &["frob"]);
        assert_eq!(of(0, false)["status"], "Success");
        assert_eq!(of(3, false)["details"]["causes"][0], json!({"reason": "ExitCode", "message": "3"}));
        assert!(
            of(0, true)["message"].as_str().is_some_and(|words| words.contains("\"frob\": executable file not found"))
        );
    }
}
