//! An answer, in the form in which answers are compared.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::door::Came;
use super::normal::Normal;

/// An answer without what differs from cluster to cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn of(came: &Came, normal: &mut Normal) -> Self {
        let text = String::from_utf8_lossy(&came.body);
        let body = match serde_json::from_slice::<Value>(&came.body) {
            Ok(body) => body,
            Err(_) => lines(&text).unwrap_or_else(|| text.into_owned().into()),
        };
        Self { status: came.status, kind: came.kind.clone(), body: normal.of(body) }
    }
}

/// The events of a watch, a line each.
fn lines(text: &str) -> Option<Value> {
    let events: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    events.ok().filter(|events| !events.is_empty()).map(Value::from)
}
