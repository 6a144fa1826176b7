//! YAML text in, [`Node`] tree and everything that is wrong out.
//!
//! The YAML library stops at the first mistake in the syntax. Where it is one
//! of our own slips, we know what was meant: the text is mended in memory and
//! read again, so that the user hears of all mistakes at once, each at its
//! place in the text as it was written.

use crate::source::{Diagnostic, Severity, Source, Span};

use super::builder::Builder;
use super::halt::{Cause, Halt, MAX_DEPTH};
use super::mend::Mended;
use super::node::Node;
use super::syntax;

/// How many slips are mended before the reading gives up.
const MAX_MENDS: usize = 32;

/// How large a document may be.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Bytes with a name become a [`Source`]: UTF-8, at most [`MAX_BYTES`], a byte
/// order mark taken away.
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Source, Box<Diagnostic>> {
    let refuse = |message: String, at: usize| Box::new(Diagnostic::error(message, Span::new(at, at)));
    if bytes.len() > MAX_BYTES {
        return Err(refuse(
            format!("the file has {} bytes; a document has at most {} MiB", bytes.len(), MAX_BYTES >> 20),
            0,
        ));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let at = error.valid_up_to();
            Err(refuse(format!("the file is not UTF-8: byte {at} begins no character"), at))
        }
    }
}

/// Reads the one document of a text. The tree is there as soon as the syntax
/// is, mended slips included; whether it may be used, the diagnostics say.
pub fn read(source: &Source) -> (Option<Node>, Vec<Diagnostic>) {
    let mut mended = Mended::new(source.text());
    let mut found: Vec<Diagnostic> = Vec::new();
    let node = loop {
        let mut builder = Builder::new(mended.text());
        let halt = match builder.read() {
            Ok(node) => {
                found.extend(builder.found.into_iter().map(|complaint| mended.place(complaint)));
                break Some(mended.place_node(node));
            }
            Err(halt) => halt,
        };
        let before = builder.found;
        let (complaint, mend) = explain(mended.text(), &halt);
        found.push(mended.place(complaint));
        if let Some((span, replacement)) = mend.filter(|_| mended.count() < MAX_MENDS) {
            mended.replace(span, &replacement);
        } else {
            found.extend(before.into_iter().map(|complaint| mended.place(complaint)));
            break None;
        }
    };
    sort(&mut found);
    (node, found)
}

/// Errors and warnings in the order of their places, none twice.
pub(super) fn sort(found: &mut Vec<Diagnostic>) {
    found.sort_by_key(|complaint| (complaint.span, complaint.severity == Severity::Warning));
    found.dedup();
}

fn explain(text: &str, halt: &Halt) -> (Diagnostic, Option<(Span, String)>) {
    match &halt.cause {
        Cause::Syntax(error) => syntax::explain(text, error, &halt.context),
        Cause::TooDeep(span) => {
            (Diagnostic::error(format!("lists and mappings nest deeper than {MAX_DEPTH} levels"), *span), None)
        }
        Cause::AliasBomb(span) => {
            (Diagnostic::error("aliases copy too much: the document would grow beyond measure", *span), None)
        }
    }
}
