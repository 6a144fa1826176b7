//! An application space at a glance, and facts line by line.

use std::fmt::Write as _;

use serde_json::Value;

use super::objects::{self, View};
use super::style::{Style, Tone};
use super::table::{Cell, Table};
use crate::clock::Timestamp;

/// The result and info of the action `status`, for people.
pub fn show(namespace: &str, (result, info): (&Value, &Value), now: Timestamp, style: &Style) -> String {
    let mut text = format!("{}\n\n", style.paint(Tone::Strong, &format!("namespace {}", style.clean(namespace))));
    text.push_str(&workloads(result, style));
    text.push('\n');
    text.push_str(&pods(result, style));
    let unready = info.get("unready").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !unready.is_empty() {
        let _ = writeln!(text, "\n{}", style.paint(Tone::Bad, "not ready"));
        for line in unready.iter().filter_map(Value::as_str) {
            let _ = writeln!(text, "  {}", style.clean(line));
        }
    }
    let events = result.get("events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !events.is_empty() {
        let view = View { namespaces: false, wide: false, now };
        let _ = write!(text, "\n{}", objects::table("Event", events, &view, style));
    }
    text
}

fn workloads(result: &Value, style: &Style) -> String {
    let mut table = Table::new(["WORKLOADS", "READY"]);
    for (kind, counts) in result.get("workloads").and_then(Value::as_object).into_iter().flatten() {
        let number = |key: &str| counts.get(key).and_then(Value::as_i64).unwrap_or(0);
        let (ready, total) = (number("ready"), number("total"));
        let tone = if ready < total { Tone::Bad } else { Tone::Plain };
        table.push(vec![Cell::plain(kind.as_str()), Cell::new(tone, format!("{ready}/{total}"))]);
    }
    table.draw(style)
}

fn pods(result: &Value, style: &Style) -> String {
    let mut table = Table::new(["PODS", "COUNT"]);
    for (word, number) in result.get("pods").and_then(Value::as_object).into_iter().flatten() {
        let number = number.as_i64().unwrap_or(0);
        let is_bad = number > 0 && matches!(word.as_str(), "failed" | "unknown");
        let is_odd = number > 0 && matches!(word.as_str(), "pending" | "terminating");
        let tone = match (is_bad, is_odd, number) {
            (true, ..) => Tone::Bad,
            (_, true, _) => Tone::Odd,
            (.., 0) => Tone::Dim,
            _ => Tone::Plain,
        };
        table.push(vec![Cell::plain(word.as_str()), Cell::new(tone, number.to_string())]);
    }
    table.draw(style)
}

/// Facts, one a line; lists are joined, and what is nested is left to `-o json`.
pub fn facts(first: &[(&str, Value)], rest: &Value, style: &Style) -> String {
    let rest = rest.as_object().into_iter().flatten().map(|(name, fact)| (name.as_str(), fact));
    let all: Vec<(&str, String)> = first
        .iter()
        .map(|(name, fact)| (*name, fact))
        .chain(rest)
        .filter_map(|(name, fact)| Some((name, in_words(fact)?)))
        .collect();
    let column = all.iter().map(|(name, _)| super::text::width(name)).max().unwrap_or(0);
    let line = |(name, fact): &(&str, String)| {
        let label = format!("{}{}", style.clean(name), " ".repeat(column - super::text::width(name)));
        format!("{}  {}\n", style.paint(Tone::Dim, &label), style.clean(fact))
    };
    all.iter().map(line).collect()
}

fn in_words(fact: &Value) -> Option<String> {
    match fact {
        Value::Null | Value::Object(_) => None,
        Value::Bool(_) | Value::Number(_) => Some(fact.to_string()),
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(items) => {
            let words: Option<Vec<String>> = items.iter().map(in_words).collect();
            words.filter(|words| !words.is_empty()).map(|words| words.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_glance_names_what_is_not_ready_and_the_last_events() {
        let result = json!({
            "workloads": {"Deployment": {"ready": 2, "total": 3}, "DaemonSet": {"ready": 0, "total": 0}},
            "pods": {"running": 4, "pending": 1, "failed": 0, "total": 5},
            "events": [{"type": "Warning", "reason": "BackOff", "message": "Back-off pulling image\nx", "count": 3,
                "lastTimestamp": "2026-01-01T00:00:00Z", "involvedObject": {"kind": "Pod", "name": "web-1"}}],
        });
        let info = json!({"unready": ["Deployment shop/sick: 1 of 3 ready"]});
        let now = "2026-01-01T00:05:00Z".parse().unwrap();
        insta::assert_snapshot!(show("shop", (&result, &info), now, &Style::default()));
    }

    #[test]
    fn facts_stand_line_by_line_and_what_is_nested_is_left_out() {
        let rest = json!({"user": "mira", "role": null, "groups": ["a", "b"], "account": {"x": 1}, "empty": []});
        let text = facts(&[("login", json!("mira@olares.com"))], &rest, &Style::default());
        assert_eq!(text, "login   mira@olares.com\nuser    mira\ngroups  a, b\n");
    }
}
