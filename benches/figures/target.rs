//! Where measured requests go, told once for runhub, for curl and for a bare socket.

use std::path::PathBuf;
use std::process::Command;

/// A server, and how each kind of client is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Scheme, host and port.
    pub(crate) url: String,
    /// Headers of the identity, for clients that have to be told.
    pub(crate) headers: Vec<String>,
    /// The authority that vouches for the server.
    pub(crate) authority: Option<PathBuf>,
    options: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Target {
    /// A `ControlHub` that knows this token.
    pub(crate) fn control_hub(url: &str, token: &str) -> Self {
        Self {
            url: url.to_owned(),
            headers: vec![
                format!("x-authorization: {token}"),
                format!("cookie: auth_token={token}"),
                "x-unauth-error: Non-Redirect".to_owned(),
            ],
            authority: None,
            options: Vec::new(),
            variables: vec![("RUNHUB_URL", url.to_owned()), ("RUNHUB_TOKEN", token.to_owned())],
        }
    }

    /// The simulator inside runhub itself; no other client reaches it.
    pub(crate) fn embedded() -> Self {
        Self { options: vec!["--sim".to_owned()], variables: Vec::new(), ..Self::control_hub("", "") }
    }

    /// The API server of `RUNHUB_REAL_KUBECONFIG`, if it is set; kubectl reads the file.
    pub(crate) fn real() -> Option<Self> {
        let file = std::env::var("RUNHUB_REAL_KUBECONFIG").ok()?;
        let view = ["--kubeconfig", &file, "config", "view", "--raw", "--minify", "-o", "json"];
        let output = Command::new("kubectl").args(view).output().expect("kubectl starts");
        let config: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a kubeconfig");
        let text = |pointer: &str| config.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
        Some(Self {
            url: text("/clusters/0/cluster/server").to_owned(),
            headers: vec![format!("authorization: Bearer {}", text("/users/0/user/token"))],
            authority: Some(text("/clusters/0/cluster/certificate-authority").into()),
            options: vec!["--kubeconfig".to_owned(), file],
            variables: Vec::new(),
        })
    }

    pub(crate) fn options(&self) -> &[String] {
        &self.options
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
