use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that answers each connection with these bytes, and tells what it was asked.
async fn serve(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
        while !asked.windows(4).any(|window| window == b"\r\n\r\n") {
            let count = connection.read(&mut buffer).await.unwrap();
            asked.extend_from_slice(&buffer[..count]);
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(asked).unwrap()
    });
    (url, served)
}

fn socket(url: &str, body_limit: Option<usize>) -> Socket {
    Socket::new(Server { url: url.to_owned(), body_limit, ..Server::default() }).unwrap()
}

#[tokio::test]
async fn a_request_goes_over_the_wire_and_an_answer_comes_back() {
    let (url, served) = serve("HTTP/1.1 302 Found\r\ncontent-length: 2\r\nlocation: http://elsewhere/\r\n\r\nhi").await;
    let answer = socket(&url, None).call(Wire::new(Method::GET, "/api/v1/pods?limit=5")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (302, b"hi".as_slice()));
    let asked = served.await.unwrap().to_lowercase();
    assert!(asked.starts_with("get /api/v1/pods?limit=5 http/1.1\r\n"), "{asked}");
    assert!(asked.contains(concat!("user-agent: runhub/", env!("CARGO_PKG_VERSION"))));
    for header in ["origin:", "referer:", "cookie:", "accept-encoding:"] {
        assert!(!asked.contains(header), "{asked}");
    }
}

#[tokio::test]
async fn a_connection_is_handed_over_where_the_server_agrees_to_another_protocol() {
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello";
    let (url, served) = serve(agreed).await;
    let mut wire = Wire::new(Method::GET, "/exec");
    wire.headers.insert("connection", "upgrade".parse().unwrap());
    wire.headers.insert("upgrade", "websocket".parse().unwrap());
    let RawUpgrade::Open(headers, mut connection) = socket(&url, None).upgrade(wire).await.unwrap() else { panic!() };
    assert_eq!(headers["upgrade"], "websocket");
    let mut said = String::new();
    connection.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "hello");
    assert!(served.await.unwrap().to_lowercase().contains("upgrade: websocket"));
}

#[tokio::test]
async fn a_server_that_does_not_agree_has_answered() {
    let (url, _) = serve("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
    let answer = socket(&url, None).upgrade(Wire::new(Method::GET, "/exec")).await.unwrap();
    let RawUpgrade::Answered(answer) = answer else { panic!() };
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (403, b"no".as_slice()));
}

#[tokio::test]
async fn another_origin_is_reached_by_the_same_road() {
    let (url, served) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let wire = Wire { origin: Some(format!("{url}/")), ..Wire::new(Method::POST, "/api/refresh") };
    socket("http://127.0.0.1:1", None).call(wire).await.unwrap();
    assert!(served.await.unwrap().starts_with("POST /api/refresh HTTP/1.1"));
}

#[tokio::test]
async fn a_body_that_is_announced_or_grows_too_large_is_not_taken() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n",
    ] {
        let (url, _served) = serve(answer).await;
        let error = socket(&url, Some(8)).call(Wire::new(Method::GET, "/")).await.unwrap_err();
        assert_eq!(error.to_string(), "the answer (HTTP 200) is larger than 8 bytes");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_from_one_that_never_came() {
    let (url, _served) = serve("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123").await;
    let error = socket(&url, None).call(Wire::new(Method::GET, "/")).await.unwrap_err();
    assert!(matches!(error, TransportError::Truncated { .. }), "{error:?}");
    let (url, _served) = serve("").await;
    let error = socket(&url, None).call(Wire::new(Method::GET, "/?token=abc")).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)) && !error.to_string().contains("abc"), "{error:?}");
}

#[tokio::test]
async fn a_port_without_a_listener_is_never_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = socket(&url, None).call(Wire::new(Method::DELETE, "/x?token=abc")).await.unwrap_err();
    assert!(!error.may_have_arrived());
    assert!(error.to_string().contains("refused") && !error.to_string().contains("abc"), "{error}");
}

#[tokio::test]
async fn a_stream_comes_piece_by_piece_to_its_end() {
    let (url, _served) =
        serve("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await;
    let mut stream = socket(&url, None).stream(Wire::new(Method::GET, "/watch")).await.unwrap();
    let mut text = Vec::new();
    while let Some(piece) = stream.body.next().await {
        text.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(text, b"abcde");
}

#[test]
fn what_cannot_be_a_server_is_refused_at_once() {
    for url in ["", "host:6443", "ftp://host", "https://host/?a=b"] {
        assert!(
            matches!(Socket::new(Server { url: url.into(), ..Server::default() }), Err(SocketError::Url(_))),
            "{url}"
        );
    }
    let trust = Trust::Authorities(b"nothing".to_vec());
    let error = Socket::new(Server { url: "https://host".into(), trust, ..Server::default() }).unwrap_err();
    assert_eq!(error.to_string(), "the certificate authority cannot be used: it holds no certificate");
}

#[test]
fn this_machine_is_recognised() {
    for url in ["http://127.0.0.1:80", "http://localhost", "http://[::1]:8080"] {
        assert!(is_loopback(url), "{url}");
    }
    assert!(!is_loopback("https://example.com"));
}

#[test]
fn clients_for_https_can_be_made_with_and_without_trust() {
    for trust in [Trust::System, Trust::Anyone] {
        let server = Server { url: "https://host".into(), trust, ..Server::default() };
        assert!(made(&Socket::new(server).unwrap(), true).is_ok());
    }
}
