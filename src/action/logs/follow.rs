//! Reading on until a line comes, or the log ends.
//!
//! Each look asks from the last line's own moment on, by the node's clock and
//! not ours. Servers look at whole seconds, so the lines of the last second
//! come again: they are known by their whole text, each as often as it was
//! seen. Whether a pod has ended is asked before its log is read, so that its
//! last lines are not missed.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::source::{Source, is_not_started};
use crate::action::context::Context;
use crate::action::reach::is_active;
use crate::cluster::verbs::LogPart;
use crate::document::Pattern;
use crate::event::{Class, Failure, ObjectId};

/// The pause between two looks, where the book names none.
const EVERY: Duration = Duration::from_secs(1);

/// What of one container's log was seen.
#[derive(Debug, Default)]
struct Seen {
    last: Option<DateTime<FixedOffset>>,
    known: HashMap<String, usize>,
}

/// Reads all logs on and on until a line matches; without a pattern until every pod has ended.
///
/// # Errors
/// When every pod has ended without such a line, or a pod is gone.
pub(super) async fn until(
    context: &Context,
    sources: &[Source],
    part: &LogPart,
    pattern: Option<&Pattern>,
) -> Result<(Vec<String>, Value), Failure> {
    let started = Instant::now();
    let mut seen: Vec<Seen> = sources.iter().map(|_| Seen::default()).collect();
    let (mut lines, mut count) = (Vec::new(), 0_usize);
    loop {
        let over = all_ended(context, sources).await?;
        for (source, seen) in sources.iter().zip(&mut seen) {
            for line in look(context, source, part, seen).await? {
                count += 1;
                let whole = source.prefixed(&line);
                if !context.hears(&whole) {
                    lines.push(whole);
                }
                let text = if part.timestamps { parted(&line).1 } else { &line };
                if pattern.is_some_and(|pattern| pattern.is_match(text)) {
                    let info = json!({"found": line, "container": source.to_string(), "waited": millis(started)});
                    return Ok((lines, info));
                }
            }
        }
        match (over, pattern) {
            (true, Some(pattern)) => return Err(ended(&lines, pattern)),
            (true, None) => return Ok((lines, json!({"found": null, "waited": millis(started)}))),
            (false, _) => {}
        }
        let awaited = pattern
            .map_or("the end of the log".to_owned(), |pattern| format!("a line that matches `{}`", pattern.as_str()));
        context.waiting(&format!("{awaited}; {count} lines so far"), Vec::new());
        tokio::time::sleep(context.facts().every.unwrap_or(EVERY)).await;
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn ended(lines: &[String], pattern: &Pattern) -> Failure {
    let message = format!("the log ended without a line that matches `{}`", pattern.as_str());
    let last = lines.iter().rev().take(5).rev().cloned().collect();
    Failure::new(Class::Expectation, message).because(last)
}

/// Whether none of the pods writes any more; one that was replaced is not taken for its successor.
async fn all_ended(context: &Context, sources: &[Source]) -> Result<bool, Failure> {
    let mut over = true;
    let mut asked = "";
    for source in sources {
        if asked == source.uid {
            continue;
        }
        asked = &source.uid;
        match context.find(&source.pod).await? {
            Some(pod) if ObjectId::of(&pod).uid == source.uid => over &= !is_active(&pod),
            _ => {
                let message = format!("{} was deleted while its log was followed", source.pod);
                return Err(Failure::new(Class::NotFound, message));
            }
        }
    }
    Ok(over)
}

/// The new lines of one log, with their moments where these were asked for.
async fn look(context: &Context, source: &Source, part: &LogPart, seen: &mut Seen) -> Result<Vec<String>, Failure> {
    match source.read(context, seen.wanted(part)).await {
        Ok(text) => {
            let lines = seen.fresh(&text);
            Ok(if part.timestamps { lines } else { lines.iter().map(|line| parted(line).1.to_owned()).collect() })
        }
        Err(failure) if is_not_started(&failure) => Ok(Vec::new()),
        Err(failure) => Err(failure),
    }
}

impl Seen {
    fn wanted(&self, part: &LogPart) -> LogPart {
        match self.last {
            None => LogPart { timestamps: true, ..part.clone() },
            Some(last) => LogPart { timestamps: true, since_time: Some(last.to_rfc3339()), ..LogPart::default() },
        }
    }

    /// The lines that were not seen before, each with its moment.
    fn fresh(&mut self, text: &str) -> Vec<String> {
        let mut counted: HashMap<&str, usize> = HashMap::new();
        let mut fresh = Vec::new();
        for line in text.lines() {
            let count = counted.entry(line).or_default();
            *count += 1;
            if *count > self.known.get(line).copied().unwrap_or(0) {
                fresh.push(line.to_owned());
            }
        }
        self.remember(&counted);
        fresh
    }

    /// Only the lines of the last second can come again.
    fn remember(&mut self, counted: &HashMap<&str, usize>) {
        self.last = counted.keys().filter_map(|line| parted(line).0).chain(self.last).max();
        for (line, count) in counted {
            let known = self.known.entry((*line).to_owned()).or_default();
            *known = (*known).max(*count);
        }
        let second = self.last.map(|last| last.timestamp());
        self.known.retain(|line, _| parted(line).0.map(|at| at.timestamp()) >= second);
    }
}

/// A line's moment, where the server gave one, and its text.
fn parted(line: &str) -> (Option<DateTime<FixedOffset>>, &str) {
    let (at, text) = line.split_once(' ').unwrap_or((line, ""));
    match DateTime::parse_from_rfc3339(at) {
        Ok(at) => (Some(at), text),
        Err(_) => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(seen: &mut Seen, text: &str) -> Vec<String> {
        seen.fresh(text).iter().map(|line| parted(line).1.to_owned()).collect()
    }

    #[test]
    fn a_line_that_comes_again_is_known_and_a_twin_of_it_is_not() {
        let mut seen = Seen::default();
        assert_eq!(texts(&mut seen, "2026-01-01T00:00:01.1Z a\n2026-01-01T00:00:02.2Z b\n"), ["a", "b"]);
        assert_eq!(seen.wanted(&LogPart::default()).since_time.as_deref(), Some("2026-01-01T00:00:02.200+00:00"));
        assert_eq!(texts(&mut seen, "2026-01-01T00:00:02.2Z b\n2026-01-01T00:00:02.2Z b\n"), ["b"]);
        assert_eq!(texts(&mut seen, "2026-01-01T00:00:02.2Z b\n2026-01-01T00:00:02.2Z b\n"), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_comes_late_within_its_second_is_not_lost() {
        let mut seen = Seen::default();
        seen.fresh("2026-01-01T00:00:02.5Z b\n");
        assert_eq!(texts(&mut seen, "2026-01-01T00:00:02.4Z a\n2026-01-01T00:00:02.5Z b\n"), ["a"]);
    }

    proptest::proptest! {
        #[test]
        fn however_a_log_is_cut_each_line_is_seen_once(cuts in proptest::collection::vec(1_usize..12, 1..6)) {
            let all: Vec<String> = (0..40).map(|n| format!("2026-01-01T00:00:{:02}.{}Z line {n}", n / 5, n % 5)).collect();
            let (mut seen, mut end, mut got) = (Seen::default(), 0, Vec::new());
            for cut in cuts {
                end = (end + cut).min(all.len());
                // The server answers from the whole second of the last line on.
                let from = seen.last.map_or(0, |last| usize::try_from(last.timestamp() % 60).unwrap() * 5);
                got.extend(texts(&mut seen, &all[from..end].join("\n")));
            }
            let wanted: Vec<String> = (0..end).map(|n| format!("line {n}")).collect();
            proptest::prop_assert_eq!(got, wanted);
        }
    }
}
