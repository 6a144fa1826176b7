//! Which statuses of an answer are well.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::document;

/// One status, or all from one to another: `204`, `200-299`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    /// What is well where the book says nothing.
    pub(super) const WELL: Self = Self { first: 200, last: 299 };

    fn parse(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let status = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=599).contains(status));
        match (status(first), status(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err("write a status such as 204, or from one to another such as 200-299".into()),
        }
    }

    /// Whether a status is among them.
    pub(super) fn holds(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(formatter, "{}", self.first)
        } else {
            write!(formatter, "{}-{}", self.first, self.last)
        }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::leaf(deserializer, "a status or a range such as 200-299", Self::parse, || Self::WELL)
    }
}

impl JsonSchema for StatusRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 100, "maximum": 599},
            {"type": "string", "pattern": r"^[1-5]\d\d(-[1-5]\d\d)?$|\{\{"}
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_and_a_range_are_read() {
        let range = StatusRange::parse("200-299").unwrap();
        assert!(range.holds(200) && range.holds(299) && !range.holds(300));
        assert_eq!(StatusRange::parse("404").unwrap().to_string(), "404");
        for wrong in ["", "2xx", "299-200", "99", "600", "200-"] {
            assert!(StatusRange::parse(wrong).is_err(), "{wrong}");
        }
    }
}
