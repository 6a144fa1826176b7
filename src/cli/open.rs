//! Reading a runbook's file, with every complaint drawn.

use std::path::Path;

use super::terminal::{complain, fail};
use crate::console::Style;
use crate::document;
use crate::runbook::{self, Runbook};
use crate::source::{Diagnostic, Source, Span};

/// Reads a file as a source; `-` is the standard input.
pub(super) fn source(path: &Path) -> Result<Source, String> {
    let piped = path.as_os_str() == "-";
    let name = if piped { "<stdin>".to_owned() } else { path.to_string_lossy().into_owned() };
    let bytes = if piped {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| format!("{name} cannot be read: {error}"))?;
    document::from_bytes(&name, &bytes).map_err(|complaint| {
        let help = complaint.helps.first().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{name}: {}{help}", complaint.message)
    })
}

/// Reads and checks a runbook: the book where it is whole, and everything there is to say about it.
pub(super) fn checked(source: &Source) -> (Option<Runbook>, Vec<Diagnostic>) {
    let (book, mut complaints) = runbook::read(source);
    if book.is_none() && !complaints.iter().any(Diagnostic::is_error) {
        complaints.push(Diagnostic::error("there is no runbook in this file", Span::default()));
    }
    (book, complaints)
}

/// Reads a runbook to be run; complaints are drawn, and then there is none.
pub(super) fn runnable(path: &Path, style: &Style) -> Option<Runbook> {
    let source = source(path).map_err(fail).ok()?;
    let (book, mut complaints) = checked(&source);
    if let Some(book) = &book {
        complaints.extend(runbook::unsupported(book));
    }
    complain(&source, &complaints, style);
    book.filter(|_| !complaints.iter().any(Diagnostic::is_error))
}
