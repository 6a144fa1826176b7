//! The real binary, with a world, a home and an environment of its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::normal;

/// The root of the repository.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The world of a case that brings none of its own.
pub(crate) const WORLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/world.yaml");

/// After this long a child hangs, and is killed.
pub(crate) const HANGS: Duration = Duration::from_mins(1);

/// Where a process is sent.
#[derive(Debug, Clone)]
enum Target {
    /// To no server: the command has none, or finds its own.
    None,
    /// To the embedded server in this world.
    Sim(PathBuf),
    /// To a server that is already there.
    Served { url: String, token: String },
}

/// One use of the binary.
#[derive(Debug)]
#[must_use]
pub(crate) struct Case {
    home: TempDir,
    folder: PathBuf,
    arguments: Vec<OsString>,
    target: Target,
    reports: bool,
    environment: Vec<(OsString, OsString)>,
    under: Vec<OsString>,
    stdin: Vec<u8>,
}

impl Case {
    /// The binary with these arguments.
    pub(crate) fn new<I: IntoIterator<Item: Into<OsString>>>(arguments: I) -> Self {
        let home = tempfile::tempdir().expect("a folder of its own");
        Self {
            folder: home.path().to_path_buf(),
            home,
            arguments: arguments.into_iter().map(Into::into).collect(),
            target: Target::None,
            reports: false,
            environment: Vec::new(),
            under: Vec::new(),
            stdin: Vec::new(),
        }
    }

    /// A run of this text, in the common world, with consent and reports.
    pub(crate) fn book(text: &str) -> Self {
        let case = Self::book_without_consent(text);
        case.args(["--yes"])
    }

    /// A run of this text, in the common world; nobody agrees to its changes.
    pub(crate) fn book_without_consent(text: &str) -> Self {
        let case = Self::new(["run", "runbook.yaml"]).file("runbook.yaml", text);
        case.sim(WORLD).reporting()
    }

    /// A check of this text.
    pub(crate) fn check(text: &str) -> Self {
        Self::new(["check", "runbook.yaml"]).file("runbook.yaml", text)
    }

    /// Writes a file into the folder in which the binary is started.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.folder.join(name), content).expect("the file can be written");
        self
    }

    /// The folder in which the binary is started.
    pub(crate) fn place(&self) -> &Path {
        &self.folder
    }

    /// Starts the binary in this folder.
    pub(crate) fn inside(mut self, folder: &Path) -> Self {
        self.folder = folder.to_path_buf();
        self
    }

    /// Sends it to the embedded server with this scenario file.
    pub(crate) fn sim(mut self, scenario: impl Into<PathBuf>) -> Self {
        self.target = Target::Sim(scenario.into());
        self
    }

    /// Sends it to the embedded server in a world written here.
    pub(crate) fn world(self, scenario: &str) -> Self {
        let path = self.home.path().join("scenario.yaml");
        fs::write(&path, scenario).expect("the scenario can be written");
        self.sim(path)
    }

    /// Sends it to a server that is already there.
    pub(crate) fn served(mut self, url: &str, token: &str) -> Self {
        self.target = Target::Served { url: url.into(), token: token.into() };
        self
    }

    /// Writes reports in every format beside the run.
    pub(crate) fn reporting(mut self) -> Self {
        self.reports = true;
        self
    }

    /// Writes no report unless the arguments say so.
    pub(crate) fn without_reports(mut self) -> Self {
        self.reports = false;
        self
    }

    /// Adds arguments.
    pub(crate) fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable in the otherwise empty environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Where its runs are kept.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// Starts it by another program, which limits what it may.
    pub(crate) fn under(mut self, words: &[&str]) -> Self {
        self.under = words.iter().map(Into::into).collect();
        self
    }

    /// What stands on the standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Uses the home of another case, as the next command of the same person.
    pub(crate) fn at_home_of(mut self, ended: Ended) -> Self {
        self.folder = ended.home.path().to_path_buf();
        self.home = ended.home;
        self
    }

    /// The command line and environment, ready to be started.
    pub(crate) fn command(&self) -> std::process::Command {
        let runhub = OsString::from(env!("CARGO_BIN_EXE_runhub"));
        let mut words = self.under.iter().chain([&runhub]);
        let mut command = std::process::Command::new(words.next().unwrap_or(&runhub));
        command.args(words);
        let home = self.home.path();
        command.current_dir(&self.folder).args(&self.arguments).env_clear();
        command.envs([("HOME", home), ("XDG_STATE_HOME", &home.join("state"))]);
        command.envs([("USER", "tester"), ("NO_COLOR", "1"), ("LANG", "C.UTF-8")]);
        match &self.target {
            Target::None => {}
            Target::Sim(scenario) => drop(command.arg("--sim").arg(scenario)),
            Target::Served { url, token } => drop(command.env("RUNHUB_URL", url).env("RUNHUB_TOKEN", token)),
        }
        if self.reports {
            let (json, junit) = (home.join("report.json"), home.join("report.xml"));
            command.arg(format!("--report=json={},junit={}", json.display(), junit.display()));
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end; one that hangs is killed.
    pub(crate) fn run(self) -> Ended {
        let mut command = Command::from_std(self.command());
        let output = command.write_stdin(self.stdin.clone()).timeout(HANGS).output().expect("the binary starts");
        self.ended(output.status.code(), &output.stdout, &output.stderr)
    }

    /// What is left when the process has ended.
    pub(crate) fn ended(self, code: Option<i32>, stdout: &[u8], stderr: &[u8]) -> Ended {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code, stdout: text(stdout), stderr: text(stderr), home: self.home }
    }
}

/// A process that has ended, and what it left.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// The standard output.
    pub(crate) stdout: String,
    /// The standard error.
    pub(crate) stderr: String,
    home: TempDir,
}

impl Ended {
    /// A file that it left in its folder.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.said()))
    }

    /// Demands an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.said());
        self
    }

    /// All it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// All it said, with what differs from run to run put on one form.
    pub(crate) fn normal(&self) -> String {
        let home = self.home.path().to_string_lossy().into_owned();
        normal::text(&self.said(), &[(&home, "<home>"), (ROOT, "<root>")])
    }

    /// The JSON report, if there is one.
    pub(crate) fn try_report(&self) -> Option<Value> {
        let text = fs::read_to_string(self.home.path().join("report.json")).ok()?;
        Some(serde_json::from_str(&text).expect("the report is JSON"))
    }

    /// The JSON report.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        self.try_report().unwrap_or_else(|| panic!("no report:\n{}", self.said()))
    }

    /// The `JUnit` report.
    #[track_caller]
    pub(crate) fn junit(&self) -> String {
        let text = fs::read_to_string(self.home.path().join("report.xml"));
        text.unwrap_or_else(|error| panic!("no report ({error}):\n{}", self.said()))
    }

    /// The entry of a step in the report; the last one if its group was tried again.
    #[track_caller]
    pub(crate) fn step(&self, id: &str) -> Value {
        let report = self.report();
        let steps = report["steps"].as_array().expect("a list of steps");
        let found = steps.iter().rev().find(|step| step["id"] == id);
        found.unwrap_or_else(|| panic!("no step {id}:\n{}", self.said())).clone()
    }

    /// The journaled events of its only run.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let journals: Vec<PathBuf> = self.files().into_iter().filter(|path| path.ends_with("journal.jsonl")).collect();
        let [journal] = journals.as_slice() else { panic!("{} journals:\n{}", journals.len(), self.said()) };
        let text = fs::read_to_string(journal).expect("the journal can be read");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        lines.filter(|line| line["kind"] == "event").map(|line| line["data"]["kind"].clone()).collect()
    }

    /// `METHOD path` of every request to the target, in order.
    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<String> {
        let text = |event: &Value, key: &str| event["data"][key].as_str().unwrap_or_default().to_owned();
        let exchanged = self.events().into_iter().filter(|event| event["event"] == "exchanged");
        exchanged.map(|event| format!("{} {}", text(&event, "method"), text(&event, "path"))).collect()
    }

    /// Every file below its home: journal, vault, artifacts, reports.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        below(self.home.path())
    }
}

/// Every file below a folder, in the order of their names.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}
