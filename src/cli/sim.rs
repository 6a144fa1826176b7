//! `runhub sim`: the embedded `ControlHub` alone, for kubectl, browsers and other clients.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::mpsc::UnboundedReceiver;

use super::connect::{read_scenario, read_tree};
use super::terminal::{fail, say, say_error};
use super::{Display, exit, open, signal};
use crate::clock::Clock;
use crate::engine::Cancel;
use crate::event::CancelReason;
use crate::simulator::scenario::Scenario;
use crate::simulator::{Seen, Simulator, manifests};
use crate::source::Source;

/// What is simulated, and where it listens.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The port on the loopback interface; 0 picks a free one.
    #[arg(long, default_value_t = 7878)]
    port: u16,
    /// The world of a scenario file instead of the demo world.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Manifests that are added to the world; `-` is the standard input.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    load: Vec<PathBuf>,
    /// Write a kubeconfig with one context a user, for kubectl and for `run --kubeconfig`.
    #[arg(long, value_name = "FILE")]
    kubeconfig_out: Option<PathBuf>,
}

/// Why the server does not come up, and the exit code that goes with it.
type Refusal = (u8, String);

pub(super) fn command(options: &Options, display: &Display) -> u8 {
    let world = match world(options) {
        Ok(world) => world,
        Err((code, message)) => {
            fail(message);
            return code;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            fail(format!("the runtime cannot start: {error}"));
            return exit::FAILED;
        }
    };
    let served = runtime.block_on(serve(options, world, display));
    runtime.shutdown_background();
    served.map_or_else(
        |(code, message)| {
            fail(message);
            code
        },
        |()| exit::PASSED,
    )
}

/// The scenario, with what the manifests add to it.
fn world(options: &Options) -> Result<Scenario, Refusal> {
    let mut world = match &options.scenario {
        Some(path) => read_scenario(path).map_err(|refusal| (refusal.code, refusal.message))?,
        None => Scenario::default(),
    };
    for path in &options.load {
        for refused in load(path, &mut world)? {
            say_error(&format!("left out: {}: {refused}\n", path.display()));
        }
    }
    Ok(world)
}

/// Adds the objects of a file; gives those that are not served here.
fn load(path: &Path, world: &mut Scenario) -> Result<Vec<String>, Refusal> {
    let source = open::source(path).map_err(|message| (exit::USAGE, message))?;
    let mut refused = Vec::new();
    for document in documents(&source)? {
        let (objects, others) = manifests::objects(document);
        world.objects.extend(objects);
        refused.extend(others);
    }
    Ok(refused)
}

/// The documents of a file, which stand between lines of three dashes; each keeps its place in the file.
fn documents(source: &Source) -> Result<Vec<serde_json::Value>, Refusal> {
    let mut parts: Vec<String> = vec![String::new()];
    for (above, line) in source.text().split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            parts.push("\n".repeat(above));
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
        }
    }
    let has_words = |part: &String| {
        part.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#') && !line.starts_with("---"))
    };
    let read = |part: String| {
        let tree = read_tree(&Source::new(source.name(), part));
        tree.map_err(|refusal| (refusal.code, refusal.message))
    };
    parts.into_iter().filter(has_words).map(read).collect()
}

async fn serve(options: &Options, world: Scenario, display: &Display) -> Result<(), Refusal> {
    let simulator = Simulator::new(world, Clock::system()).map_err(|error| (exit::INVALID, error.to_string()))?;
    let news = simulator.watch_requests();
    let port = options.port;
    let serving = simulator.serve(port).await;
    let serving = serving.map_err(|error| (exit::FAILED, format!("port {port} cannot be had: {error}")))?;
    if let Some(path) = &options.kubeconfig_out {
        let config = manifests::kubeconfig(&simulator, &serving.url);
        write_private(path, &config).map_err(|error| (exit::FAILED, format!("{}: {error}", path.display())))?;
    }
    if !display.quiet {
        say(&greeting(options, &simulator, &serving.url));
    }
    let cancel = Cancel::default();
    tokio::select! {
        () = log(news, display) => {}
        () = serving.forever() => {}
        _ = cancel.at_least(CancelReason::Interrupt) => {}
        () = signal::listen(cancel.clone()) => {}
    }
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn greeting(options: &Options, simulator: &Simulator, url: &str) -> String {
    let users: Vec<_> = simulator.users().map(|(name, role)| format!("{name} ({role})")).collect();
    let mut text = format!("ControlHub, simulated, on {url}; users: {}\n", users.join(", "));
    if let Some(path) = &options.kubeconfig_out {
        let _ = writeln!(text, "kubectl --kubeconfig {} get pods -A", path.display());
    }
    text.push_str("Ctrl-C ends it\n");
    text
}

/// One line a request, as it is answered.
async fn log(mut news: UnboundedReceiver<Seen>, display: &Display) {
    while let Some(seen) = news.recv().await {
        if !display.quiet {
            say(&line(&seen, display.verbose));
        }
    }
}

fn line(seen: &Seen, verbose: bool) -> String {
    let query = if seen.query.is_empty() { String::new() } else { format!("?{}", seen.query) };
    let who = seen.user.as_deref().unwrap_or("-");
    let at = seen.at.format("%H:%M:%S%.3f");
    let more = match (verbose, seen.content_type.as_str(), seen.accept.as_str()) {
        (false, ..) => String::new(),
        (true, sent, wanted) => format!("  sent {} wants {}", worded(sent), worded(wanted)),
    };
    format!("{at} {} {:<6} {}{query}  {who}{more}\n", seen.status, seen.method, seen.path)
}

fn worded(kind: &str) -> &str {
    if kind.is_empty() { "-" } else { kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_several_documents_keeps_its_places() {
        let source = Source::new("all.yaml", "# head\n---\nkind: A\n--- # next\nkind: B\n---\n");
        let kinds: Vec<_> = documents(&source).expect("two").iter().map(|found| found["kind"].clone()).collect();
        assert_eq!(kinds, ["A", "B"]);
        let source = Source::new("all.yaml", "kind: A\n---\nkind: B\nkind: C\n");
        let (code, message) = documents(&source).expect_err("a key twice");
        assert_eq!(code, exit::INVALID);
        assert!(message.contains("all.yaml:4"), "{message}");
    }
}
