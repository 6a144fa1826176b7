//! Why a kubeconfig cannot be used.

use std::path::PathBuf;

/// Why a kubeconfig cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// The file is not a kubeconfig.
    #[error("{}: {what}", path.display())]
    Shape {
        /// Which.
        path: PathBuf,
        /// What is amiss.
        what: String,
    },
    /// No context was asked for, and none is current.
    #[error("the kubeconfig has no current-context: choose one with --context; it has: {}", known.join(", "))]
    NoContext {
        /// What is there.
        known: Vec<String>,
    },
    /// A name leads nowhere.
    #[error("the kubeconfig has no {kind} `{name}`{}", hint(known, suggestion.as_deref()))]
    Unknown {
        /// `context`, `cluster` or `user`.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What is there.
        known: Vec<String>,
        /// What may have been meant.
        suggestion: Option<String>,
    },
    /// An entry cannot be read, or contradicts itself.
    #[error("{entry} in {}: {what}", path.display())]
    Entry {
        /// Which, as in `user "admin"`.
        entry: String,
        /// In which file.
        path: PathBuf,
        /// What is amiss, and what to do.
        what: String,
    },
    /// A file that an entry names cannot be read.
    #[error("{entry}: cannot read {}", file.display())]
    File {
        /// Which entry.
        entry: String,
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

fn hint(known: &[String], suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None if known.is_empty() => "; it has none".to_owned(),
        None => format!("; it has: {}", known.join(", ")),
    }
}
