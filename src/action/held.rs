//! The note on an object that a book holds: who stopped it, and what it was before (runbook-format §6).
//!
//! It lies on the object, so that it survives the machine and the shift.
//! Those who hold write it only on what they really changed; those who let
//! go remove it.

use serde_json::{Value, json};

use super::context::RunFacts;
use super::target::HELD;

/// A field and what it should hold.
type Field = (String, Option<Value>);

/// The note that `facts`' book holds an object, with the replicas it had.
pub(super) fn note(facts: &RunFacts, replicas: Option<i64>) -> Field {
    let mut note = json!({"book": facts.book, "run": facts.run});
    if let Some(replicas) = replicas {
        super::set(&mut note, "replicas", replicas);
    }
    (HELD.to_owned(), Some(note.to_string().into()))
}

/// The removal of the note, where there is one.
///
/// A server drops a map of annotations that became empty, and then there is
/// no map to put the note back into: the last one goes with its map.
pub(super) fn removal(object: &Value) -> Option<Field> {
    const ALL: &str = "/metadata/annotations";
    object.pointer(HELD)?;
    let only = object.pointer(ALL).and_then(Value::as_object).is_some_and(|notes| notes.len() == 1);
    Some((if only { ALL } else { HELD }.to_owned(), None))
}

/// The replicas that an object had when it was stopped, where a note says so.
pub(super) fn replicas(object: &Value) -> Option<i64> {
    let note: Value = serde_json::from_str(object.pointer(HELD)?.as_str()?).ok()?;
    note.get("replicas")?.as_i64().filter(|replicas| *replicas > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> RunFacts {
        RunFacts { book: "nightly".into(), run: "r1".into(), ..RunFacts::default() }
    }

    #[test]
    fn a_note_is_read_back() {
        let (_, text) = note(&facts(), Some(3));
        let object = json!({"metadata": {"annotations": {"runhub.dev/held": text}}});
        assert_eq!(replicas(&object), Some(3));
        assert_eq!(super::super::target::held_by(&object).as_deref(), Some("nightly"));
        let (_, text) = note(&facts(), None);
        assert_eq!(replicas(&json!({"metadata": {"annotations": {"runhub.dev/held": text}}})), None);
    }

    #[test]
    fn the_last_annotation_goes_with_its_map() {
        let alone = json!({"metadata": {"annotations": {"runhub.dev/held": "{}"}}});
        assert_eq!(removal(&alone), Some(("/metadata/annotations".into(), None)));
        let beside = json!({"metadata": {"annotations": {"runhub.dev/held": "{}", "team": "shop"}}});
        assert_eq!(removal(&beside), Some((HELD.into(), None)));
        assert_eq!(removal(&json!({"metadata": {}})), None);
    }

    #[test]
    fn a_broken_note_says_nothing() {
        let object = json!({"metadata": {"annotations": {"runhub.dev/held": "{\"replicas\": \"many\""}}});
        assert_eq!(replicas(&object), None);
    }
}
