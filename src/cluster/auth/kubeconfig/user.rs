//! The user's side of a context: by what we are known to the cluster.

use std::path::PathBuf;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::KubeconfigError;
use super::exec::ExecPlugin;
use super::fields::Fields;
use crate::cluster::socket::ClientCertificate;
use crate::secret::Secret;

/// A user of a kubeconfig.
#[derive(Debug)]
pub struct User {
    pub(super) name: String,
    pub(super) credential: Credential,
    pub(super) certificate: Option<ClientCertificate>,
    pub(super) impersonation: HeaderMap,
}

/// Where the bearer token comes from.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// There is none; perhaps there is a certificate.
    None,
    /// It stands in the file.
    Token(Secret),
    /// Another file holds it, and may change.
    TokenFile(PathBuf),
    /// A program gives it.
    Exec(ExecPlugin),
}

impl User {
    /// Nobody in particular.
    pub(super) fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
            credential: Credential::None,
            certificate: None,
            impersonation: HeaderMap::new(),
        }
    }

    pub(super) fn decode(name: &str, fields: &Fields) -> Result<Self, KubeconfigError> {
        refuse_what_servers_dropped(fields)?;
        Ok(Self {
            name: name.to_owned(),
            credential: credential(fields)?,
            certificate: certificate(fields)?,
            impersonation: impersonation(fields)?,
        })
    }
}

fn refuse_what_servers_dropped(fields: &Fields) -> Result<(), KubeconfigError> {
    if fields.text("username")?.is_some() || fields.text("password")?.is_some() {
        return Err(fields.error(
            "it logs in with a password, which API servers no longer accept: use a token, a certificate or an exec plugin",
        ));
    }
    if let Some(provider) = fields.below("auth-provider")? {
        let name = provider.text("name")?.unwrap_or("?");
        return Err(fields.error(format!(
            "its auth-provider `{name}` was removed from Kubernetes clients: use the exec plugin of that provider"
        )));
    }
    Ok(())
}

fn credential(fields: &Fields) -> Result<Credential, KubeconfigError> {
    if let Some(file) = fields.path("tokenFile")? {
        return Ok(Credential::TokenFile(file));
    }
    if let Some(token) = fields.text("token")? {
        return Ok(Credential::Token(Secret::new(token.trim())));
    }
    match fields.below("exec")? {
        Some(exec) => Ok(Credential::Exec(ExecPlugin::decode(&exec)?)),
        None => Ok(Credential::None),
    }
}

fn certificate(fields: &Fields) -> Result<Option<ClientCertificate>, KubeconfigError> {
    match (fields.data_or_file("client-certificate")?, fields.data_or_file("client-key")?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let key = String::from_utf8(key).map_err(|_| fields.error("its client-key is not PEM"))?;
            Ok(Some(ClientCertificate { certificate, key: Secret::new(key) }))
        }
        (Some(_), None) => Err(fields.error("it has a client-certificate but no client-key")),
        (None, Some(_)) => Err(fields.error("it has a client-key but no client-certificate")),
    }
}

/// What a header name may contain beside letters and digits; the rest of an extra key is escaped.
const HEADER_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The headers by which a user acts as another.
fn impersonation(fields: &Fields) -> Result<HeaderMap, KubeconfigError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: String| pairs.push((name.to_owned(), value));
    if let Some(user) = fields.text("as")? {
        put("impersonate-user", user.to_owned());
    }
    if let Some(uid) = fields.text("as-uid")? {
        put("impersonate-uid", uid.to_owned());
    }
    fields.texts("as-groups")?.into_iter().for_each(|group| put("impersonate-group", group));
    if let Some(extra) = fields.below("as-user-extra")? {
        for key in extra.keys() {
            let name = format!("impersonate-extra-{}", utf8_percent_encode(&key.to_lowercase(), HEADER_NAME));
            extra.texts(key)?.into_iter().for_each(|value| put(&name, value));
        }
    }
    let acts_as = pairs.first().is_none_or(|(name, _)| name == "impersonate-user");
    if !acts_as {
        return Err(fields.error("as-uid, as-groups and as-user-extra need `as`"));
    }
    headers(&pairs).ok_or_else(|| fields.error("what it impersonates cannot be sent in a header"))
}

fn headers(pairs: &[(String, String)]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
    }
    Some(headers)
}
