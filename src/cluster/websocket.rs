//! The handshake of a WebSocket (RFC 6455), over the road that all requests take.
//!
//! The library that frames the messages could also connect; it does not, so
//! that certificates, proxies, identity and tap are those of every other
//! request.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::transport::Duplex;
use super::{BodyError, Client, Error, Request, Write};

/// What the server appends to our key before it hashes it (RFC 6455, 1.3).
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Frames over a connection of any road.
pub(super) type Frames = WebSocketStream<Box<dyn Duplex>>;

/// Opens a WebSocket, and gives it with the subprotocol that the server chose of ours.
///
/// # Errors
/// When the server refuses, or agrees to something else than was asked.
pub(super) async fn open(
    client: &Client,
    request: &Request<Write>,
    protocols: &[&'static str],
) -> Result<(Frames, &'static str), Error> {
    let key = BASE64_STANDARD.encode(std::array::from_fn::<u8, 16, _>(|_| fastrand::u8(..)));
    let (headers, connection) = client.upgrade(request, &asked(&key, protocols)?).await?;
    let said = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if said(header::SEC_WEBSOCKET_ACCEPT) != accepted(&key) {
        return Err(mistaken("the server's WebSocket handshake does not answer ours"));
    }
    let chosen = said(header::SEC_WEBSOCKET_PROTOCOL);
    let Some(protocol) = protocols.iter().find(|protocol| **protocol == chosen) else {
        return Err(mistaken(format!("the server chose the subprotocol `{chosen}`, which was not offered")));
    };
    Ok((WebSocketStream::from_raw_socket(connection, Role::Client, None).await, protocol))
}

fn asked(key: &str, protocols: &[&str]) -> Result<HeaderMap, Error> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| mistaken(error.to_string()));
    Ok(HeaderMap::from_iter([
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (header::SEC_WEBSOCKET_KEY, value(key)?),
        (header::SEC_WEBSOCKET_PROTOCOL, value(&protocols.join(", "))?),
    ]))
}

fn accepted(key: &str) -> String {
    BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes()))
}

fn mistaken(cause: impl Into<String>) -> Error {
    Error::Body(BodyError::NotJson { status: 101, cause: cause.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_answered_as_the_standard_says() {
        assert_eq!(accepted("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn all_subprotocols_are_offered_best_first() {
        let headers = asked("abc", &["v5.channel.k8s.io", "v4.channel.k8s.io"]).unwrap();
        assert_eq!(headers[header::SEC_WEBSOCKET_PROTOCOL], "v5.channel.k8s.io, v4.channel.k8s.io");
        assert_eq!(headers[header::UPGRADE], "websocket");
    }
}
