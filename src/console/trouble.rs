//! What went wrong, in full.

use serde_json::Value;

use super::page::Page;
use super::style::Tone;
use super::text::cut;
use crate::event::{Failure, Verdict};
use crate::expect::Mismatch;

/// Values longer than this are cut; the report holds them whole.
const LONGEST_VALUE: usize = 400;

/// All that a verdict knows of the trouble, below the step's own line.
pub(super) fn verdict(page: &mut Page<'_>, level: usize, verdict: &Verdict) {
    match verdict {
        Verdict::Failed(mismatches) => {
            for found in mismatches {
                mismatch(page, level, found);
            }
        }
        Verdict::Errored(trouble) => failure(page, level, trouble),
        Verdict::Passed | Verdict::Skipped(_) | Verdict::Cancelled(_) => {}
    }
}

/// Why it could not be done, and what to do.
pub(super) fn failure(page: &mut Page<'_>, level: usize, failure: &Failure) {
    page.line(level, Tone::Bad, &failure.message);
    for (depth, cause) in failure.cause.iter().enumerate() {
        page.line(level + 1 + depth.min(6), Tone::Plain, cause);
    }
    if let Some(status) = failure.http_status
        && !failure.message.contains(&format!("HTTP {status}"))
    {
        let reason = failure.reason.as_deref().unwrap_or_default();
        page.line(level + 1, Tone::Dim, &format!("HTTP {status} {reason}"));
    }
    if let Some(help) = &failure.help {
        page.labelled(level, (Tone::Good, "help:"), help);
    }
}

fn mismatch(page: &mut Page<'_>, level: usize, mismatch: &Mismatch) {
    if let Some(message) = &mismatch.message {
        page.line(level, Tone::Bad, message);
        page.line(level + 1, Tone::Plain, &mismatch.subject);
    } else {
        page.line(level, Tone::Bad, &mismatch.subject);
    }
    let level = level + 1;
    page.labelled(level, (Tone::Dim, "expected"), &mismatch.expected);
    match &mismatch.found {
        Some(found) => page.labelled(level, (Tone::Dim, "found   "), &value(page, found)),
        None if mismatch.operands.is_empty() => {
            page.labelled(level, (Tone::Dim, "found   "), "nothing");
        }
        None => {}
    }
    for operand in &mismatch.operands {
        let line = format!("{} = {}", operand.text, value(page, &operand.value));
        page.labelled(level, (Tone::Dim, "where   "), &line);
    }
    if !mismatch.reason.is_empty() {
        page.labelled(level, (Tone::Dim, "because "), &mismatch.reason);
    }
    diff(page, level, mismatch);
    if let Some(place) = &mismatch.place {
        page.labelled(level, (Tone::Dim, "at      "), &place.to_string());
    }
}

/// Field by field: what should be there, and what is.
fn diff(page: &mut Page<'_>, level: usize, mismatch: &Mismatch) {
    for field in &mismatch.diff {
        page.line(level, Tone::Plain, &field.field);
        let (expected, found) = (&field.expected, &field.found);
        page.labelled(level + 1, (Tone::Dim, "expected"), &perhaps(page, expected));
        page.labelled(level + 1, (Tone::Dim, "found   "), &perhaps(page, found));
    }
}

/// A value, or that there is none.
#[expect(clippy::ref_option, reason = "fields of events are passed as they are")]
pub(super) fn perhaps(page: &Page<'_>, found: &Option<Value>) -> String {
    found.as_ref().map_or("nothing".to_owned(), |found| value(page, found))
}

/// A value in one line, cut where it is long.
pub(super) fn value(page: &Page<'_>, value: &Value) -> String {
    cut(&value.to_string(), LONGEST_VALUE, page.style().ellipsis())
}
