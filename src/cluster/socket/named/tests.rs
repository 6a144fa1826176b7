use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use http::Method;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::cluster::socket::{Socket, Trust};
use crate::cluster::transport::{Transport as _, TransportError, Wire};

const AUTHORITY: &[u8] = include_bytes!("../certificates/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("../certificates/server.pem");
const KEY: &[u8] = include_bytes!("../certificates/server.key");

/// What the server saw: the name it was asked for, and the head of the request.
type Saw = Option<(Option<String>, String)>;

/// A server for one connection, whose certificate names `kube.internal` and nothing else.
fn serve() -> (String, JoinHandle<Saw>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let config = config.with_no_client_auth().with_single_cert(chain, PrivateKeyDer::from_pem_slice(KEY).unwrap());
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut session = rustls::ServerConnection::new(config).unwrap();
        let mut tls = rustls::Stream::new(&mut session, &mut stream);
        let mut head = [0; 2048];
        let length = tls.read(&mut head).ok()?;
        tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").unwrap();
        Some((session.server_name().map(str::to_owned), String::from_utf8_lossy(&head[..length]).to_lowercase()))
    });
    (url, served)
}

fn server(url: &str, name: Option<&str>) -> Server {
    let trust = Trust::Authorities(AUTHORITY.to_vec());
    Server { url: url.to_owned(), trust, certificate_name: name.map(str::to_owned), ..Server::default() }
}

#[tokio::test]
async fn a_server_is_asked_for_the_name_of_its_certificate_and_addressed_by_its_own() {
    let (url, served) = serve();
    let answer = Socket::new(server(&url, Some("kube.internal"))).unwrap().call(Wire::new(Method::GET, "/api")).await;
    assert_eq!(answer.unwrap().body.as_ref(), b"hi");
    let (name, head) = served.join().unwrap().expect("a request came");
    assert_eq!(name.as_deref(), Some("kube.internal"));
    assert!(head.starts_with("get /api http/1.1\r\n"), "{head}");
    let host = url.trim_start_matches("https://");
    assert!(head.contains(&format!("\r\nhost: {host}\r\n")) && head.matches("host:").count() == 1, "{head}");
}

#[tokio::test]
async fn without_the_name_and_with_another_the_certificate_is_refused() {
    for name in [None, Some("kube.elsewhere")] {
        let (url, served) = serve();
        let error = Socket::new(server(&url, name)).unwrap().call(Wire::new(Method::GET, "/api")).await.unwrap_err();
        assert!(matches!(&error, TransportError::NotSent(cause) if cause.contains("certificate")), "{error}");
        assert!(served.join().unwrap().is_none(), "no request was sent");
    }
}

#[test]
fn a_name_that_cannot_be_asked_for_is_refused_at_once() {
    let refused = |server: Server| Socket::new(server).expect_err("refused").to_string();
    let address = refused(server("https://localhost:6443", Some("10.0.0.1")));
    assert!(address.starts_with("the name of the certificate cannot be used: it is an address;"), "{address}");
    let both = Server { proxy: Some("http://proxy:3128".into()), ..server("https://localhost:6443", Some("a.b")) };
    assert!(refused(both).contains("through a proxy"));
    assert!(refused(server("https://localhost:6443", Some("a b"))).contains("no name of a host"));
    assert!(Socket::new(server("http://localhost:8001", Some("10.0.0.1"))).is_ok(), "without TLS it means nothing");
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_lies_behind_it_even_on_this_machine() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let proxying = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let length = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let target = Server { url: "http://localhost:9".into(), proxy: Some(proxy), ..Server::default() };
    Socket::new(target).unwrap().call(Wire::new(Method::GET, "/api")).await.unwrap();
    assert!(proxying.join().unwrap().starts_with("GET http://localhost:9/api HTTP/1.1"));
    for bad in ["proxy:3128", "ftp://proxy", "socks5://"] {
        let target = Server { url: "http://localhost:9".into(), proxy: Some(bad.into()), ..Server::default() };
        let error = Socket::new(target).expect_err(bad).to_string();
        assert!(error.starts_with("the proxy cannot be used: "), "{error}");
    }
}
