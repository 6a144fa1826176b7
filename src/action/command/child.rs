//! A program as a child of ours: fed, read, and never left behind.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use crate::event::{Class, Failure};

/// How long what a program left behind may hold its streams open.
const LINGER: Duration = Duration::from_secs(2);

/// What is to be started.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    /// All of its environment.
    pub(super) environment: BTreeMap<String, String>,
    /// What it reads; nothing: an input that is at its end.
    pub(super) stdin: Option<Vec<u8>>,
    /// Bytes that are kept of each stream of its output.
    pub(super) limit: usize,
}

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Said {
    /// Its exit code; none if a signal ended it.
    pub(super) exit_code: Option<i32>,
    /// How it ended, in the system's words.
    pub(super) end: String,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// Whether one of them was longer than what is kept.
    pub(super) cut: bool,
}

/// Starts a program and waits for its end; letting go of the future kills it with all it started.
///
/// # Errors
/// Why it could not be started or waited for, and whether it may have done something all the same.
pub(super) async fn run(call: &Call) -> Result<Said, (Failure, bool)> {
    let broken = |error: std::io::Error, what: &str| {
        Failure::new(Class::Command, format!("the program {} cannot be {what}: {error}", call.program))
    };
    let mut child = command(call).spawn().map_err(|error| (broken(error, "started"), false))?;
    let mut group = Group::of(&child);
    let streams = streams(&mut child, call);
    let (streams, status) =
        followed(child, streams, &group).await.map_err(|error| (broken(error, "followed"), true))?;
    group.let_go();
    let ((stdout, more_out), (stderr, more_err)) = streams;
    Ok(Said { exit_code: status.code(), end: status.to_string(), stdout, stderr, cut: more_out || more_err })
}

/// The first bytes of a stream, and whether there were more.
type Kept = (Vec<u8>, bool);

/// Feeds the program and reads what it says, to the end of both streams.
fn streams<'a>(child: &mut Child, call: &'a Call) -> impl Future<Output = std::io::Result<(Kept, Kept)>> + use<'a> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    async move {
        let fed = fed(stdin, call.stdin.as_deref().unwrap_or_default());
        let ((), out, err) = tokio::join!(fed, kept(stdout, call.limit), kept(stderr, call.limit));
        Ok((out?, err?))
    }
}

/// Waits for the program and its streams; what it left behind may hold them open a moment only.
async fn followed<T>(
    mut child: Child,
    streams: impl Future<Output = std::io::Result<T>>,
    group: &Group,
) -> std::io::Result<(T, ExitStatus)> {
    let mut streams = std::pin::pin!(streams);
    let mut said = None;
    let status = loop {
        tokio::select! {
            biased;
            streams = &mut streams, if said.is_none() => said = Some(streams?),
            status = child.wait() => break status?,
        }
    };
    if let Some(said) = said {
        return Ok((said, status));
    }
    let said = if let Ok(said) = tokio::time::timeout(LINGER, &mut streams).await {
        said?
    } else {
        group.kill();
        streams.await?
    };
    Ok((said, status))
}

fn command(call: &Call) -> Command {
    let mut command = Command::new(&call.program);
    command.args(&call.arguments).env_clear().envs(&call.environment);
    command.stdin(if call.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: a Ctrl-C here is ours to pass on, and its children go with it.
    command.process_group(0).kill_on_drop(true);
    command
}

/// Writes what the program reads; one that reads no further is no failure.
async fn fed(stdin: Option<ChildStdin>, bytes: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(bytes).await;
    }
}

/// Reads a stream to its end and keeps the first bytes, with whether there were more.
async fn kept(stream: Option<impl AsyncRead + Unpin>, limit: usize) -> std::io::Result<Kept> {
    let Some(mut stream) = stream else { return Ok((Vec::new(), false)) };
    let (mut kept, mut more) = (Vec::new(), false);
    let mut piece = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            return Ok((kept, more));
        }
        let room = limit.saturating_sub(kept.len());
        more |= count > room;
        kept.extend(piece.iter().take(count.min(room)));
    }
}

/// The processes of a program; killed when nobody waits for it any more.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    fn kill(&self) {
        if let Some(group) = self.0 {
            // A group that has ended is no longer there, and that is well.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// The program has ended by itself: what it left behind on purpose stays.
    fn let_go(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Call {
        let arguments = vec!["-c".into(), script.into()];
        Call { program: "/bin/sh".into(), arguments, limit: 1000, ..Call::default() }
    }

    #[tokio::test]
    async fn streams_exit_code_and_input_go_through() {
        let call = Call { stdin: Some(b"abc\n".to_vec()), ..sh("read line; echo got $line; echo oh >&2; exit 3") };
        let said = run(&call).await.unwrap();
        assert_eq!(
            (said.exit_code, said.stdout.as_slice(), said.stderr.as_slice()),
            (Some(3), &b"got abc\n"[..], &b"oh\n"[..])
        );
    }

    #[tokio::test]
    async fn it_has_no_environment_but_what_it_is_given() {
        let given = BTreeMap::from([("SHOP".to_owned(), "web".to_owned())]);
        let said = run(&Call { environment: given, ..sh("echo $SHOP-$CARGO_MANIFEST_DIR-") }).await.unwrap();
        assert_eq!(said.stdout, b"web--\n");
    }

    #[tokio::test]
    async fn more_than_the_limit_is_read_and_dropped_and_unread_input_is_no_failure() {
        let call = Call { stdin: Some(vec![b'x'; 200_000]), limit: 4, ..sh("printf 123456; exit 0") };
        let said = run(&call).await.unwrap();
        assert_eq!((said.stdout.as_slice(), said.cut, said.exit_code), (&b"1234"[..], true, Some(0)));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_did_nothing() {
        let call = Call { program: "/nowhere/dig".into(), ..Call::default() };
        let (failure, perhaps) = run(&call).await.unwrap_err();
        assert!(failure.message.starts_with("the program /nowhere/dig cannot be started: "), "{failure}");
        assert!(!perhaps);
    }

    #[tokio::test(start_paused = true)]
    async fn what_it_leaves_behind_holds_nobody_up() {
        let said = run(&sh("echo done; sleep 600 &")).await.unwrap();
        assert_eq!((said.exit_code, said.stdout.as_slice()), (Some(0), &b"done\n"[..]));
    }

    #[tokio::test]
    async fn a_signal_is_no_exit_code() {
        let said = run(&sh("kill -9 $$")).await.unwrap();
        assert_eq!((said.exit_code, said.end.contains("SIGKILL")), (None, true));
    }

    /// The grandchild holds the pipe's other end: it closes when, and only when, the whole group is dead.
    #[tokio::test]
    async fn letting_go_kills_what_it_started_too() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut started = command(&sh("sleep 600 & wait"));
        let mut child = started.stdout(writer).spawn().unwrap();
        drop(started);
        drop(Group::of(&child));
        child.wait().await.unwrap();
        let ended = tokio::task::spawn_blocking(move || std::io::Read::read(&mut reader, &mut [0]).unwrap());
        assert_eq!(ended.await.unwrap(), 0);
    }
}
