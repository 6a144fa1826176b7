//! The same requests by others: one curl for all of them, and a bare socket.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::book::Desk;
use crate::target::Target;

/// One curl that gets a path `count` times over one kept connection.
pub(crate) fn curl(desk: &Desk, target: &Target, path: &str, count: usize) -> Command {
    let mut config = String::from("silent\nfail\nhttp1.1\n");
    for header in &target.headers {
        let _ = writeln!(config, "header = \"{header}\"");
    }
    if let Some(authority) = &target.authority {
        let _ = writeln!(config, "cacert = \"{}\"", authority.display());
    }
    for _ in 0..count {
        let _ = writeln!(config, "url = \"{}{path}\"\noutput = /dev/null", target.url);
    }
    let file = desk.file(&format!("curl-{count}-{}", fastrand::u32(..)), &config);
    let mut command = Command::new("curl");
    command.arg("-K").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The time of `count` bare requests over one plain connection: the least that a client can take.
pub(crate) fn bare(target: &Target, path: &str, count: usize) -> Duration {
    let host = target.url.trim_start_matches("http://");
    let began = Instant::now();
    let mut socket = TcpStream::connect(host).expect("the server listens");
    socket.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{}\r\n\r\n", target.headers.join("\r\n"));
    let mut body = Vec::new();
    for _ in 0..count {
        socket.write_all(request.as_bytes()).expect("the server reads");
        answer(&mut reader, &mut body);
    }
    began.elapsed()
}

fn answer(reader: &mut impl BufRead, body: &mut Vec<u8>) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("the server answers");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    body.resize(length, 0);
    reader.read_exact(body).expect("the server answers");
}
