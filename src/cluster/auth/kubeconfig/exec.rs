//! Programs that log in for us (`exec` in a kubeconfig, `client.authentication.k8s.io`).

use std::ffi::OsString;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use super::error::KubeconfigError;
use super::fields::Fields;
use crate::clock::Timestamp;
use crate::cluster::socket::ClientCertificate;
use crate::secret::Secret;

/// How long a program may take; it cannot ask anyone.
const PATIENCE: Duration = Duration::from_mins(1);

/// How much of what a program complains is shown.
const COMPLAINT: usize = 400;

const API_VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// A program, and how to start it.
#[derive(Debug, Clone)]
pub(super) struct ExecPlugin {
    api_version: String,
    command: OsString,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// Whether it wants to know the cluster.
    provide_cluster_info: bool,
    install_hint: Option<String>,
}

/// What a program gave.
#[derive(Debug, Clone)]
pub(super) struct ExecCredential {
    pub(super) token: Option<Secret>,
    pub(super) certificate: Option<ClientCertificate>,
    pub(super) expires: Option<Timestamp>,
}

/// Why a program gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    #[error("it cannot be started: {source}{}", hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Start { source: std::io::Error, hint: Option<String> },
    #[error("it gave no answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("{status}{}", if complaint.is_empty() { String::new() } else { format!(": {complaint}") })]
    Failed { status: std::process::ExitStatus, complaint: String },
    #[error("its output is not an ExecCredential of {api_version}")]
    Output { api_version: String },
    #[error("its output holds neither a token nor a certificate with its key")]
    Empty,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    api_version: String,
    kind: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<Timestamp>,
}

impl ExecPlugin {
    pub(super) fn decode(fields: &Fields) -> Result<Self, KubeconfigError> {
        let command = fields.text("command")?.ok_or_else(|| fields.error("its exec plugin has no command"))?;
        let api_version = fields.text("apiVersion")?.unwrap_or_default().to_owned();
        if !API_VERSIONS.contains(&api_version.as_str()) {
            let known = API_VERSIONS.join(" or ");
            return Err(fields.error(format!("its exec plugin speaks `{api_version}`; known is {known}")));
        }
        if fields.text("interactiveMode")? == Some("Always") {
            return Err(fields.error("its exec plugin needs a terminal (interactiveMode: Always), and a run has none"));
        }
        // As in kubectl: a bare name is looked up in PATH, anything else is relative to the file.
        let is_bare = !command.contains(['/', std::path::MAIN_SEPARATOR]);
        Ok(Self {
            api_version,
            command: if is_bare { command.into() } else { fields.resolve(command).into_os_string() },
            args: fields.texts("args")?,
            env: environment(fields)?,
            provide_cluster_info: fields.flag("provideClusterInfo")?,
            install_hint: fields.text("installHint")?.map(str::to_owned),
        })
    }

    /// The program's name, for people.
    pub(super) fn command(&self) -> String {
        self.command.to_string_lossy().into_owned()
    }

    /// Starts the program and reads what it gives; `cluster` is told where it asks.
    pub(super) async fn run(&self, cluster: &Value) -> Result<ExecCredential, ExecError> {
        let mut command = Command::new(&self.command);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("KUBERNETES_EXEC_INFO", self.info(cluster).to_string());
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(PATIENCE, command.output()).await.map_err(|_| ExecError::Slow)?;
        let output = output.map_err(|source| ExecError::Start { source, hint: self.install_hint.clone() })?;
        self.read(&output)
    }

    fn info(&self, cluster: &Value) -> Value {
        let mut spec = json!({"interactive": false});
        if let (true, Some(spec)) = (self.provide_cluster_info, spec.as_object_mut()) {
            spec.insert("cluster".to_owned(), cluster.clone());
        }
        json!({"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec})
    }

    fn read(&self, output: &Output) -> Result<ExecCredential, ExecError> {
        if !output.status.success() {
            return Err(ExecError::Failed { status: output.status, complaint: complaint(&output.stderr) });
        }
        let mismatch = || ExecError::Output { api_version: self.api_version.clone() };
        let reply: Reply = serde_json::from_slice(&output.stdout).map_err(|_| mismatch())?;
        if reply.kind != "ExecCredential" || reply.api_version != self.api_version {
            return Err(mismatch());
        }
        reply.status.and_then(Status::credential).ok_or(ExecError::Empty)
    }
}

impl Status {
    fn credential(self) -> Option<ExecCredential> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let certificate = match (given(self.client_certificate_data), given(self.client_key_data)) {
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate: certificate.into_bytes(), key: Secret::new(key) })
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return None,
        };
        let token = given(self.token).map(Secret::from);
        let useful = token.is_some() || certificate.is_some();
        useful.then_some(ExecCredential { token, certificate, expires: self.expiration_timestamp })
    }
}

fn environment(fields: &Fields) -> Result<Vec<(String, String)>, KubeconfigError> {
    let refuse = || fields.error("the env of its exec plugin is not a list of names and values");
    let items = match fields.get("env") {
        None => return Ok(Vec::new()),
        Some(items) => items.as_array().ok_or_else(refuse)?,
    };
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let pair = |item| {
        text(item, "name").filter(|name| !name.is_empty() && !name.contains(['=', '\0'])).zip(text(item, "value"))
    };
    items.iter().map(|item| pair(item).ok_or_else(refuse)).collect()
}

/// The end of what a program said, on one line and without what moves a terminal's cursor.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let plain: String = text.trim().chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let skipped = plain.chars().count().saturating_sub(COMPLAINT);
    plain.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests;
