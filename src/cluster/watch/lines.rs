//! A stream of bytes as a stream of lines of JSON.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::Value;

use super::super::socket::BODY_LIMIT;
use super::super::transport::{RawStream, TransportError};

/// The lines of a body; ends where the body does, in whatever way.
pub(super) struct Lines {
    body: BoxStream<'static, Result<Bytes, TransportError>>,
    buffer: Vec<u8>,
    /// Where the search for the next end of a line goes on.
    searched: usize,
}

impl Lines {
    pub(super) fn new(stream: RawStream) -> Self {
        Self { body: stream.body, buffer: Vec::new(), searched: 0 }
    }

    /// The next line; none at the end, be it a proper one, a broken connection or a line that is no JSON.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(line) = self.line() {
                if !line.trim_ascii().is_empty() {
                    return serde_json::from_slice(&line).ok();
                }
            }
            let piece = self.body.next().await?.ok()?;
            if self.buffer.len() + piece.len() > BODY_LIMIT {
                return None;
            }
            self.buffer.extend_from_slice(&piece);
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = self.buffer.drain(..=self.searched + end).collect();
        self.searched = 0;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http::{HeaderMap, StatusCode};
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: Vec<Result<Bytes, TransportError>>) -> Vec<Value> {
        let stream =
            RawStream { status: StatusCode::OK, headers: HeaderMap::new(), body: stream::iter(pieces).boxed() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut lines, mut found) = (Lines::new(stream), Vec::new());
            while let Some(line) = lines.next().await {
                found.push(line);
            }
            found
        })
    }

    #[test]
    fn a_broken_connection_ends_the_lines_and_half_a_line_is_none() {
        let pieces = vec![Ok("1\n\n2\n3".into()), Err(TransportError::Broken("reset".into()))];
        assert_eq!(lines(pieces), [Value::from(1), Value::from(2)]);
        assert_eq!(lines(vec![Ok("1\n<html>\n2\n".into())]), [Value::from(1)]);
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_lines_are_the_same(cuts in prop::collection::vec(1usize..9, 0..60)) {
            let text = "{\"a\":1}\n\"é\"\n[1,2,3]\n\nnull\n";
            let (mut pieces, mut rest) = (Vec::new(), text.as_bytes());
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                pieces.push(Ok(Bytes::copy_from_slice(head)));
                rest = tail;
            }
            pieces.push(Ok(Bytes::copy_from_slice(rest)));
            prop_assert_eq!(lines(pieces).len(), 4);
        }
    }
}
