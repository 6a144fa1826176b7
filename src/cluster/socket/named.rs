//! Servers that are known by another name than that of their host.
//!
//! `tls-server-name` of a kubeconfig: a tunnel or a load balancer leads to the
//! server, and its certificate has its own name. The HTTP library asks for the
//! name in the URL, so the URL gets the certificate's name, name lookup is led
//! back to the real host, and the `Host` header stays that of the host. A
//! verifier that forgives the name was rejected: the server would still be
//! asked for the wrong name (SNI), and behind a load balancer be another one.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{HeaderValue, Server, SocketError};

/// A server under the name of its certificate.
#[derive(Debug)]
pub(super) struct Renamed {
    base: String,
    host: HeaderValue,
    resolver: Elsewhere,
}

impl Renamed {
    /// The renamed server, where its certificate has a name of its own.
    pub(super) fn of(url: &Url, server: &Server) -> Result<Option<Self>, SocketError> {
        let unusable = |cause: &str| SocketError::Unusable { what: "name of the certificate", cause: cause.to_owned() };
        let (Some(name), Some(host)) = (&server.certificate_name, url.host_str()) else {
            return Ok(None);
        };
        if url.scheme() != "https" || name == host {
            return Ok(None);
        }
        if name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
            return Err(unusable("it is an address; give a DNS name that stands in the certificate"));
        }
        if server.proxy.is_some() {
            return Err(unusable("through a proxy the certificate must have the name of the host"));
        }
        let mut renamed = url.clone();
        renamed.set_host(Some(name)).map_err(|_| unusable("it is no name of a host"))?;
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Some(Self {
            base: renamed.as_str().trim_end_matches('/').to_owned(),
            host: HeaderValue::from_str(&authority).map_err(|_| unusable("the host cannot be sent in a header"))?,
            resolver: Elsewhere { name: name.to_lowercase(), host: host.trim_matches(['[', ']']).to_owned() },
        }))
    }

    /// The address as the HTTP library is told.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The `Host` header: the server as it is addressed.
    pub(super) fn host(&self) -> HeaderValue {
        self.host.clone()
    }

    /// Leads the certificate's name to the host.
    pub(super) fn resolver(&self) -> Elsewhere {
        self.resolver.clone()
    }
}

/// Looks up one name where another lies.
#[derive(Debug, Clone)]
pub(super) struct Elsewhere {
    name: String,
    host: String,
}

impl Resolve for Elsewhere {
    fn resolve(&self, name: Name) -> Resolving {
        let host = if name.as_str() == self.name { self.host.clone() } else { name.as_str().to_owned() };
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
