//! The cluster's side of a context: where it is and how we know it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use serde_json::{Map, Value, json};

use super::error::KubeconfigError;
use super::fields::Fields;

/// The name under which a cluster entry keeps what only exec plugins read.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Where a cluster is and how its certificate is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Scheme, host, port and mostly no path; without a slash at its end.
    pub server: String,
    /// The PEM bundle to trust, and nothing beside it; `None` means what the system trusts.
    pub certificate_authority: Option<Vec<u8>>,
    /// The certificate is not verified at all.
    pub insecure: bool,
    /// The name expected in the certificate, where it is not the host's.
    pub tls_server_name: Option<String>,
    /// The proxy to go through.
    pub proxy_url: Option<String>,
    /// Passed on to exec plugins.
    exec_config: Value,
}

impl Endpoint {
    pub(super) fn decode(fields: &Fields) -> Result<Self, KubeconfigError> {
        let endpoint = Self {
            server: server(fields)?,
            certificate_authority: fields.data_or_file("certificate-authority")?,
            insecure: fields.flag("insecure-skip-tls-verify")?,
            tls_server_name: fields.text("tls-server-name")?.map(str::to_owned),
            proxy_url: fields.text("proxy-url")?.map(str::to_owned),
            exec_config: exec_config(fields),
        };
        if endpoint.insecure && endpoint.certificate_authority.is_some() {
            return Err(fields.error("certificate-authority and insecure-skip-tls-verify exclude each other"));
        }
        Ok(endpoint)
    }

    /// The cluster as exec plugins that ask for it are told.
    pub(super) fn for_plugins(&self) -> Value {
        let mut cluster = Map::new();
        cluster.insert("server".to_owned(), json!(self.server));
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                cluster.insert(key.to_owned(), value);
            }
        };
        put("tls-server-name", self.tls_server_name.clone().map(Value::from));
        put("insecure-skip-tls-verify", self.insecure.then_some(Value::Bool(true)));
        put("certificate-authority-data", self.certificate_authority.as_ref().map(|pem| json!(STANDARD.encode(pem))));
        put("proxy-url", self.proxy_url.clone().map(Value::from));
        put("config", Some(self.exec_config.clone()).filter(|config| !config.is_null()));
        Value::Object(cluster)
    }
}

fn server(fields: &Fields) -> Result<String, KubeconfigError> {
    let server = fields.text("server")?.ok_or_else(|| fields.error("it has no server"))?;
    let refuse = || fields.error(format!("server `{server}` is not an address like https://10.0.0.1:6443"));
    let uri: Uri = server.parse().map_err(|_| refuse())?;
    let host = uri.authority().filter(|host| !host.as_str().contains('@'));
    if host.is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) || uri.query().is_some() {
        return Err(refuse());
    }
    Ok(server.trim_end_matches('/').to_owned())
}

fn exec_config(fields: &Fields) -> Value {
    let extensions = fields.get("extensions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some(EXEC_EXTENSION);
    extensions.iter().find(named).and_then(|entry| entry.get("extension")).cloned().unwrap_or_default()
}
