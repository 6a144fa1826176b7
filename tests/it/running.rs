//! A process that is watched while it runs, and a server that outlives it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use runhub::clock::Clock;
use runhub::simulator::scenario::Scenario;
use runhub::simulator::{Serving, Simulator};

use crate::kit::{Case, Ended, HANGS};

/// A process on its way; it is killed if the test ends before it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    case: Option<Case>,
    lines: Receiver<String>,
    said: String,
}

impl Running {
    /// Starts a case.
    pub(crate) fn start(case: Case) -> Self {
        let mut command = case.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line).map_err(drop))
        });
        Self { child, case: Some(case), lines, said: String::new() }
    }

    /// Waits until a line holds this text.
    #[track_caller]
    pub(crate) fn says(mut self, text: &str) -> Self {
        loop {
            let Ok(line) = self.lines.recv_timeout(HANGS) else { panic!("it never said {text:?}:\n{}", self.said) };
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(text) {
                return self;
            }
        }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(self, name: &str) -> Self {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill can be run").success());
        self
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(HANGS) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it hangs:\n{}", self.said),
            }
        }
        let mut stderr = Vec::new();
        self.child.stderr.take().expect("a pipe").read_to_end(&mut stderr).expect("it can be read");
        let code = self.child.wait().expect("it can be waited for").code();
        let case = self.case.take().expect("it has not ended before");
        case.ended(code, std::mem::take(&mut self.said).as_bytes(), &stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An ended child cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The embedded server in the test's own process, so that several runs can meet in one world.
pub(crate) struct Server {
    simulator: Simulator,
    serving: Serving,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    /// Serves the world of a scenario file.
    pub(crate) fn of(scenario: &str) -> Self {
        Self::of_text(&std::fs::read_to_string(Path::new(scenario)).expect("a scenario"))
    }

    /// Serves a world written here.
    pub(crate) fn of_text(scenario: &str) -> Self {
        let (node, _) = runhub::document::read(&runhub::source::Source::new("scenario.yaml", scenario));
        let world = Scenario::from_value(node.expect("a document").to_json()).expect("a legal scenario");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (simulator, serving) = runtime.block_on(async {
            let simulator = Simulator::new(world, Clock::system()).expect("a world");
            let serving = simulator.serve(0).await.expect("a port");
            (simulator, serving)
        });
        Self { simulator, serving, _runtime: runtime }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.serving.url
    }

    /// A kubeconfig with a context for each user.
    pub(crate) fn kubeconfig(&self) -> String {
        runhub::simulator::manifests::kubeconfig(&self.simulator, &self.serving.url)
    }

    /// An access and a refresh token of a user.
    pub(crate) fn tokens(&self, user: &str) -> (String, String) {
        self.simulator.login(user).expect("a user")
    }

    /// `METHOD path` of every request, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.simulator.requests().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// `METHOD path` of every request that changed something or would have, in order.
    pub(crate) fn writes(&self) -> Vec<String> {
        let seen = self.simulator.requests();
        let changing = seen.iter().filter(|seen| {
            seen.method != "GET" && !seen.path.contains("selfsubject") && !seen.query.contains("dryRun")
        });
        changing.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// Sends a case here, as alice.
    pub(crate) fn take(&self, case: Case) -> Case {
        let (access, _) = self.simulator.login("alice").expect("alice may enter");
        case.served(&self.serving.url, &access)
    }
}

/// A port on which nobody listens.
pub(crate) fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}
