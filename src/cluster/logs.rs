//! Logs: a piece at a time, or followed without losing or repeating a line.
//!
//! Following asks again and again from the last line's own moment on, by the
//! node's clock and not ours. The server looks at whole seconds, so the lines
//! of the last second come again; they are known by moment and text, each as
//! often as it was seen. A stream (`follow=true`) was not taken: proxies hold
//! it back and cut it after a minute, and what was cut cannot be told.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use super::resource::Address;
use super::verbs::LogPart;
use super::{Client, Error};

/// How long to wait between two looks at a log.
const INTERVAL: Duration = Duration::from_secs(1);

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogLine {
    /// Its moment, in the node's own writing; none where the server gave none.
    pub at: Option<String>,
    /// Its text.
    pub text: String,
}

impl LogLine {
    /// Reads a line that begins with its moment.
    pub fn parse(line: &str) -> Self {
        match line.split_once(' ').or(Some((line, ""))) {
            Some((at, text)) if moment(at).is_some() => Self { at: Some(at.to_owned()), text: text.to_owned() },
            _ => Self { at: None, text: line.to_owned() },
        }
    }

    fn moment(&self) -> Option<DateTime<FixedOffset>> {
        self.at.as_deref().and_then(moment)
    }
}

fn moment(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok()
}

impl Client {
    /// A part of a pod's log, as text.
    pub async fn log(&self, pod: &Address, part: &LogPart) -> Result<String, Error> {
        Ok(self.read(&pod.logs(part)).await?.text().into_owned())
    }
}

/// Follows the log of a container.
#[derive(Debug)]
pub struct LogFollower {
    client: Client,
    pod: Address,
    part: LogPart,
    began: bool,
    /// The youngest line's moment.
    last: Option<DateTime<FixedOffset>>,
    /// The lines of the last second, with how often each was seen.
    known: HashMap<LogLine, usize>,
}

impl LogFollower {
    /// Follows from where `part` begins.
    pub fn new(client: &Client, pod: &Address, part: LogPart) -> Self {
        let part = LogPart { timestamps: true, ..part };
        Self { client: client.clone(), pod: pod.clone(), part, began: false, last: None, known: HashMap::new() }
    }

    /// The lines that are new; may be none. Letting go of the future loses nothing.
    pub async fn next(&mut self) -> Result<Vec<LogLine>, Error> {
        if self.began {
            tokio::time::sleep(INTERVAL).await;
        }
        let text = self.client.log(&self.pod, &self.now_wanted()).await?;
        self.began = true;
        Ok(self.fresh(&text))
    }

    fn now_wanted(&self) -> LogPart {
        match self.last {
            None => self.part.clone(),
            Some(last) => LogPart {
                container: self.part.container.clone(),
                timestamps: true,
                since_time: Some(last.to_rfc3339()),
                ..LogPart::default()
            },
        }
    }

    fn fresh(&mut self, text: &str) -> Vec<LogLine> {
        let mut counted: HashMap<LogLine, usize> = HashMap::new();
        let mut fresh = Vec::new();
        for line in text.lines().map(LogLine::parse) {
            let count = counted.entry(line.clone()).or_default();
            *count += 1;
            if *count > self.known.get(&line).copied().unwrap_or(0) {
                fresh.push(line);
            }
        }
        self.remember(counted);
        fresh
    }

    fn remember(&mut self, counted: HashMap<LogLine, usize>) {
        self.last = counted.keys().filter_map(LogLine::moment).chain(self.last).max();
        for (line, count) in counted {
            let known = self.known.entry(line).or_default();
            *known = count.max(*known);
        }
        let second = self.last.map(|last| last.timestamp());
        self.known.retain(|line, _| line.moment().map(|at| at.timestamp()) >= second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resource::POD;
    use crate::cluster::testing::{Script, client, typed};

    fn follower(script: &std::sync::Arc<Script>) -> LogFollower {
        let part = LogPart { container: Some("web".into()), tail: Some(2), ..LogPart::default() };
        LogFollower::new(&client(script), &POD.at(Some("shop"), "web-1").unwrap(), part)
    }

    fn texts(lines: &[LogLine]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn no_line_is_lost_or_repeated_where_seconds_overlap() {
        let script = Script::new([
            typed(
                200,
                "text/plain",
                "2026-06-01T10:15:32.9Z old\n2026-06-01T10:15:33.1Z a\n2026-06-01T10:15:33.1Z a\n",
            ),
            typed(
                200,
                "text/plain",
                "2026-06-01T10:15:33.1Z a\n2026-06-01T10:15:33.1Z a\n2026-06-01T10:15:33.1Z a\n2026-06-01T10:15:33.2Z b\n",
            ),
            typed(200, "text/plain", ""),
            typed(200, "text/plain", "2026-06-01T10:15:33.2Z b\n2026-06-01T10:15:40.0Z c\n"),
        ]);
        let mut follower = follower(&script);
        assert_eq!(texts(&follower.next().await.unwrap()), ["old", "a", "a"]);
        assert_eq!(texts(&follower.next().await.unwrap()), ["a", "b"]);
        assert!(follower.next().await.unwrap().is_empty());
        assert_eq!(texts(&follower.next().await.unwrap()), ["c"]);
        let query = |index: usize| script.seen()[index].split_once('?').unwrap().1.to_owned();
        assert_eq!(query(0), "container=web&tailLines=2&timestamps=true");
        assert_eq!(query(1), "container=web&sinceTime=2026-06-01T10%3A15%3A33.100%2B00%3A00&timestamps=true");
    }

    #[test]
    fn a_line_keeps_its_text_with_or_without_a_moment() {
        let line = LogLine::parse("2026-06-01T10:15:33.104882311Z GET /healthz 200");
        assert_eq!(
            (line.at.as_deref(), line.text.as_str()),
            (Some("2026-06-01T10:15:33.104882311Z"), "GET /healthz 200")
        );
        assert_eq!(LogLine::parse("2026-06-01T10:15:33Z").text, "");
        assert_eq!(LogLine::parse("no moment").text, "no moment");
    }
}
