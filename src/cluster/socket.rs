//! The transport of sockets: one HTTP client a target, quiet in every way.
//!
//! It follows no redirect (a token must not go elsewhere), retries nothing,
//! keeps no cookies, and sends no `Origin` or `Referer` (the edge of `ControlHub`
//! takes those for forgery). Connections are kept alive.

mod named;

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{HOST, HeaderValue};
use reqwest::{Certificate, Proxy, redirect, retry};

use super::transport::{RawResponse, RawStream, RawUpgrade, Transport, TransportError, Wire};
use crate::secret::Secret;
use named::Renamed;

/// The largest body that is taken, if nothing else is said.
pub const BODY_LIMIT: usize = 32 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shorter than proxies keep idle connections, so that a change rarely meets one that is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Which servers are believed to be who they say.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Those that the machine trusts.
    #[default]
    System,
    /// Those that these authorities (PEM) vouch for, and no others.
    Authorities(Vec<u8>),
    /// All. Only where a profile says so.
    Anyone,
}

/// A certificate that says who we are, with its key, both PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Secret,
}

/// Where a target is and how it is believed.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// Scheme, host, and perhaps a path before all others: `https://host:6443`.
    pub url: String,
    /// Which certificates are believed.
    pub trust: Trust,
    /// Our own certificate.
    pub certificate: Option<ClientCertificate>,
    /// The name to ask for and to find in the certificate, where it is not the host's.
    pub certificate_name: Option<String>,
    /// The proxy to go through: `http`, `https` or `socks5`; it goes before those of the environment.
    pub proxy: Option<String>,
    /// The largest body that is taken; [`BODY_LIMIT`] if none.
    pub body_limit: Option<usize>,
}

/// A server that cannot even be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// Not a URL of http or https.
    #[error("`{0}` is not a URL of http or https")]
    Url(String),
    /// Certificates, key, proxy or names cannot be used.
    #[error("the {what} cannot be used: {cause}")]
    Unusable {
        /// Which.
        what: &'static str,
        /// Why.
        cause: String,
    },
}

/// The road over sockets.
#[derive(Debug)]
pub struct Socket {
    base: String,
    server: Server,
    renamed: Option<Renamed>,
    plain: OnceLock<Result<reqwest::Client, String>>,
    sealed: OnceLock<Result<reqwest::Client, String>>,
}

impl Socket {
    /// Checks the URL and the certificates; connects when first used.
    pub fn new(server: Server) -> Result<Self, SocketError> {
        let wrong = || SocketError::Url(server.url.clone());
        let url: reqwest::Url = server.url.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.query().is_some() {
            return Err(wrong());
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        let renamed = Renamed::of(&url, &server)?;
        authorities(&server)?;
        own_certificate(&server)?;
        proxy(&server)?;
        Ok(Self { base, server, renamed, plain: OnceLock::new(), sealed: OnceLock::new() })
    }

    fn url(&self, wire: &Wire) -> String {
        let known = || self.renamed.as_ref().map_or(self.base.as_str(), Renamed::base);
        let base = wire.origin.as_deref().map_or_else(known, |origin| origin.trim_end_matches('/'));
        format!("{base}{}", wire.path)
    }

    /// Loading the machine's authorities takes milliseconds, so a client is made when it is needed.
    fn client(&self, url: &str) -> Result<&reqwest::Client, TransportError> {
        let sealed = url.starts_with("https:");
        let slot = if sealed { &self.sealed } else { &self.plain };
        let made = slot.get_or_init(|| made(self, sealed));
        made.as_ref().map_err(|cause| TransportError::NotSent(cause.clone()))
    }

    async fn send(&self, wire: Wire) -> Result<reqwest::Response, TransportError> {
        let url = self.url(&wire);
        let host = self.renamed.as_ref().filter(|_| wire.origin.is_none()).map(Renamed::host);
        let mut request = self.client(&url)?.request(wire.method, url).headers(wire.headers);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        if let Some(body) = wire.body {
            request = request.body(body);
        }
        request.send().await.map_err(|error| unsent(error, wire.timeout))
    }

    fn limit(&self) -> usize {
        self.server.body_limit.unwrap_or(BODY_LIMIT)
    }
}

#[async_trait]
impl Transport for Socket {
    async fn call(&self, wire: Wire) -> Result<RawResponse, TransportError> {
        let response = self.send(wire).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = whole(response, self.limit()).await?;
        Ok(RawResponse { status, headers, body })
    }

    async fn stream(&self, wire: Wire) -> Result<RawStream, TransportError> {
        let response = self.send(wire).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = stream::unfold(Some(response), |response| async move {
            let mut response = response?;
            let status = response.status();
            match response.chunk().await {
                Ok(piece) => piece.map(|piece| (Ok(piece), Some(response))),
                Err(error) => Some((Err(TransportError::Truncated { status, cause: causes(error) }), None)),
            }
        });
        Ok(RawStream { status, headers, body: body.boxed() })
    }

    async fn upgrade(&self, wire: Wire) -> Result<RawUpgrade, TransportError> {
        let response = self.send(wire).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status != http::StatusCode::SWITCHING_PROTOCOLS {
            let body = whole(response, self.limit()).await?;
            return Ok(RawUpgrade::Answered(RawResponse { status, headers, body }));
        }
        let connection = response.upgrade().await.map_err(|error| TransportError::Broken(causes(error)))?;
        Ok(RawUpgrade::Open(headers, Box::new(connection)))
    }
}

async fn whole(mut response: reqwest::Response, limit: usize) -> Result<Bytes, TransportError> {
    let status = response.status();
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > limit {
        return Err(TransportError::TooLarge { status, limit });
    }
    let mut body = Vec::with_capacity(announced);
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() > limit => {
                return Err(TransportError::TooLarge { status, limit });
            }
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => return Ok(body.into()),
            Err(error) => {
                return Err(TransportError::Truncated { status, cause: causes(error) });
            }
        }
    }
}

fn unsent(error: reqwest::Error, patience: Duration) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::NotSent(causes(error))
    } else if error.is_timeout() {
        TransportError::TimedOut(patience)
    } else {
        TransportError::Broken(causes(error))
    }
}

/// The innermost causes of an error; its outer words repeat the URL, which may hold secrets.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words: Vec<String> = Vec::new();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        let said = error.to_string();
        if words.last().is_none_or(|last| !last.contains(&said)) {
            words.push(said);
        }
        cause = error.source();
    }
    if words.is_empty() { error.to_string() } else { words.join(": ") }
}

fn made(socket: &Socket, sealed: bool) -> Result<reqwest::Client, String> {
    let server = &socket.server;
    // Whoever comes first installs it; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("runhub/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT);
    if is_loopback(&socket.base) {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = proxy(server).map_err(|error| error.to_string())? {
        builder = builder.proxy(proxy);
    }
    if let Some(renamed) = &socket.renamed {
        builder = builder.dns_resolver(renamed.resolver());
    }
    builder = match authorities(server).map_err(|error| error.to_string())? {
        Some(certificates) => builder.tls_certs_only(certificates),
        None if !sealed => builder.tls_certs_only([]),
        None => builder,
    };
    if matches!(server.trust, Trust::Anyone) {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(identity) = own_certificate(server).map_err(|error| error.to_string())? {
        builder = builder.identity(identity);
    }
    builder.build().map_err(causes)
}

fn authorities(server: &Server) -> Result<Option<Vec<Certificate>>, SocketError> {
    let Trust::Authorities(pem) = &server.trust else {
        return Ok(None);
    };
    let unusable = |cause: String| SocketError::Unusable { what: "certificate authority", cause };
    let certificates = Certificate::from_pem_bundle(pem).map_err(|error| unusable(causes(error)))?;
    if certificates.is_empty() { Err(unusable("it holds no certificate".to_owned())) } else { Ok(Some(certificates)) }
}

fn own_certificate(server: &Server) -> Result<Option<reqwest::Identity>, SocketError> {
    let Some(own) = &server.certificate else {
        return Ok(None);
    };
    let mut pem = own.certificate.clone();
    pem.push(b'\n');
    pem.extend_from_slice(own.key.expose().as_bytes());
    reqwest::Identity::from_pem(&pem)
        .map(Some)
        .map_err(|error| SocketError::Unusable { what: "client certificate", cause: causes(error) })
}

fn proxy(server: &Server) -> Result<Option<Proxy>, SocketError> {
    let Some(url) = &server.proxy else {
        return Ok(None);
    };
    let unusable = |cause: String| SocketError::Unusable { what: "proxy", cause };
    let parsed = url.parse::<reqwest::Url>().ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")) {
        return Err(unusable("it is not a URL of http, https or socks5".to_owned()));
    }
    Proxy::all(url).map(Some).map_err(|error| unusable(causes(error)))
}

/// A server on this machine is never asked by way of a proxy.
fn is_loopback(base: &str) -> bool {
    let host = base.parse::<reqwest::Url>().ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
