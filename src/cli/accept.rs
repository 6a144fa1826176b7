//! A book that has changed since its run began: what of it, and whether that is accepted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::runbook::Runbook;

/// The parts of a book that can be accepted by name: each top-level step, and `rest` for everything else.
fn parts(book: &Runbook) -> Vec<(String, String)> {
    let text = book.source.text();
    let (mut rest, mut from, mut parts) = (String::new(), 0, Vec::new());
    for step in &book.steps {
        let (start, end) = (step.span.start, step.span.end);
        keep(&mut rest, text.get(from..start));
        parts.push((step.id.clone(), text.get(start..end).unwrap_or_default().trim_end().to_owned()));
        from = end;
    }
    keep(&mut rest, text.get(from..));
    parts.push(("rest".to_owned(), rest));
    parts
}

/// Adds the lines of a text that say something; the dash before a step is none of them.
fn keep(rest: &mut String, text: Option<&str>) {
    for line in text.unwrap_or_default().lines().filter(|line| !matches!(line.trim(), "" | "-")) {
        rest.push_str(line.trim_end());
        rest.push('\n');
    }
}

/// The names of what differs, in the order of the new book; what is gone comes last.
pub(super) fn changed(old: &Runbook, new: &Runbook) -> Vec<String> {
    let (old, new) = (parts(old), parts(new));
    let find = |parts: &[(String, String)], name: &str| parts.iter().find(|(id, _)| id == name).cloned();
    let differs = new.iter().filter(|(name, text)| find(&old, name).is_none_or(|(_, was)| was != *text));
    let gone = old.iter().filter(|(name, _)| find(&new, name).is_none());
    let mut names: Vec<String> = differs.chain(gone).map(|(name, _)| name.clone()).collect();
    let order = |parts: &[(String, String)]| parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if names.is_empty() && order(&old) != order(&new) {
        names.push("rest".into());
    }
    names
}

/// What of a changed book was not accepted.
pub(super) fn unaccepted(changed: &[String], accepted: &[String]) -> Vec<String> {
    let accepted: BTreeSet<&str> = accepted.iter().map(String::as_str).collect();
    let is_accepted = |name: &&String| accepted.contains("all") || accepted.contains(name.as_str());
    changed.iter().filter(|name| !is_accepted(name)).cloned().collect()
}

/// Lines around a difference.
const AROUND: usize = 2;

/// What differs between two texts, line by line, each with its mark.
pub(super) fn difference(old: &str, new: &str) -> String {
    let marked = compared(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        marked.iter().skip(from).take(at - from + AROUND + 1).any(|(mark, _)| *mark != ' ')
    };
    let (mut out, mut gap) = (String::new(), false);
    for (at, (mark, line)) in marked.iter().enumerate() {
        if near(at) {
            if std::mem::take(&mut gap) {
                out.push_str("  …\n");
            }
            // Writing into a String cannot fail.
            let _ = writeln!(out, "{mark} {line}");
        } else {
            gap = true;
        }
    }
    out
}

/// The lines of both, those in common once: by the longest common subsequence.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let (Some((first, old_rest)), Some((other, new_rest))) = (old.split_first(), new.split_first()) else {
        let gone = old.iter().map(|line| ('-', *line));
        return gone.chain(new.iter().map(|line| ('+', *line))).collect();
    };
    if first == other {
        let mut out = vec![(' ', *first)];
        out.extend(compared(old_rest, new_rest));
        return out;
    }
    // The nearest place at which both go on alike; what lies before it is gone or new.
    let meet = (0..old.len() + new.len()).find_map(|distance| {
        (0..=distance).find_map(|skipped| {
            let (here, there) = (old.get(skipped)?, new.get(distance - skipped)?);
            (here == there && !here.trim().is_empty()).then_some((skipped, distance - skipped))
        })
    });
    let (gone, fresh) = meet.unwrap_or((old.len(), new.len()));
    let mut out: Vec<(char, &str)> = old.iter().take(gone).map(|line| ('-', *line)).collect();
    out.extend(new.iter().take(fresh).map(|line| ('+', *line)));
    let (old, new) = (old.get(gone..).unwrap_or_default(), new.get(fresh..).unwrap_or_default());
    if !old.is_empty() || !new.is_empty() {
        out.extend(compared(old, new));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn book(steps: &str) -> Runbook {
        let text = format!("runbook: v1\nname: a\nsteps:\n{steps}");
        let (book, complaints) = crate::runbook::read(&Source::new("a.yaml", text));
        book.unwrap_or_else(|| panic!("{complaints:?}"))
    }

    #[test]
    fn changes_are_named_by_step_and_accepted_by_name() {
        let old = book("  - id: one\n    note: a\n  - id: two\n    note: b\n");
        let new = book("  - id: one\n    note: a\n  - id: two\n    note: B\n  - id: three\n    note: c\n");
        let names = changed(&old, &new);
        assert_eq!(names, ["two", "three"], "{:?} {:?}", parts(&old), parts(&new));
        assert_eq!(unaccepted(&names, &["two".into()]), ["three"]);
        assert!(unaccepted(&names, &["all".into()]).is_empty());
        assert!(changed(&old, &old).is_empty());
        assert_eq!(changed(&new, &old), ["two", "three"]);
    }

    #[test]
    fn what_lies_outside_the_steps_is_the_rest() {
        let old = book("  - id: one\n    note: a\n");
        let new = book("  - id: one\n    note: a\nalways:\n  - note: b\n");
        assert_eq!(changed(&old, &new), ["rest"]);
    }

    #[test]
    fn a_difference_shows_its_neighbourhood() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        let new = "a\nb\nc\nd\nE\nf\ng\n";
        assert_eq!(difference(old, new), "  …\n  c\n  d\n- e\n+ E\n  f\n  g\n");
        assert_eq!(difference("a\n", "a\nb\n"), "  a\n+ b\n");
        assert_eq!(difference("a\n", "a\n"), "");
    }
}
