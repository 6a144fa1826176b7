//! The environment, read once; nothing else in the crate looks at it.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::cluster::auth::{Places, System};

/// What the process was started with.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    variables: BTreeMap<String, String>,
    pub(super) stdin_is_terminal: bool,
    pub(super) stdout_is_terminal: bool,
    pub(super) stderr_is_terminal: bool,
}

impl Environment {
    /// Reads it.
    pub(super) fn read() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// A variable; one that is empty counts as unset.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// Where runs are kept: `$XDG_STATE_HOME/runhub`, else `~/.local/state/runhub`.
    pub(super) fn state(&self) -> PathBuf {
        let home = || self.path("HOME").unwrap_or_else(|| PathBuf::from(".")).join(".local/state");
        self.path("XDG_STATE_HOME").unwrap_or_else(home).join("runhub")
    }

    /// Where identities are kept.
    pub(super) fn places(&self) -> Places {
        let split = |paths: &str| std::env::split_paths(paths).collect();
        Places {
            home: self.path("HOME"),
            olares_cli_home: self.path("OLARES_CLI_HOME"),
            data_dir: self.path("OLARES_CLI_DATA_DIR"),
            cache_dir: self.path("OLARES_CLI_CACHE_DIR"),
            credentials_dir: self.path("OLARES_CLI_CREDENTIALS_DIR"),
            kubeconfig: self.get("KUBECONFIG").map(split).unwrap_or_default(),
            temp_dir: std::env::temp_dir(),
            system: if cfg!(target_os = "macos") { System::MacOs } else { System::Linux },
        }
    }

    /// Whether there is a person who can be asked something.
    pub(super) fn has_person(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal
    }

    /// Variables that a book may read: those that begin with `RUNHUB_`, and those named by `--env`.
    pub(super) fn readable(&self, named: &[String]) -> BTreeMap<String, String> {
        let may = |name: &String| (name.starts_with("RUNHUB_") && name != "RUNHUB_TOKEN") || named.contains(name);
        self.variables.iter().filter(|(name, _)| may(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// What a program of `command` is started with: what finds programs and tells language and time.
    pub(super) fn of_programs(&self) -> BTreeMap<String, String> {
        const PASSED_ON: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
        PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), self.get(name)?.to_owned()))).collect()
    }

    /// Who runs this: `user@host`.
    pub(super) fn actor(&self) -> String {
        let user = self.get("USER").or_else(|| self.get("LOGNAME")).unwrap_or("unknown");
        format!("{user}@{}", gethostname::gethostname().to_string_lossy())
    }
}
