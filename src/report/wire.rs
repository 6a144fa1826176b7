//! How two things stand in the report's JSON: stamps, and what has no end yet.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::{Timestamp, rfc3339};

/// The word for what has begun and not ended.
pub(super) const UNFINISHED: &str = "unfinished";

/// Writes the value, or the word for none.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_str(UNFINISHED),
    }
}

/// Reads what [`serialize`] wrote.
pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let word = String::deserialize(deserializer)?;
    if word == UNFINISHED {
        return Ok(None);
    }
    T::deserialize(word.into_deserializer()).map(Some)
}

/// The schema of a word that may be [`UNFINISHED`].
pub(super) fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            generator.subschema_for::<T>(),
            {"const": UNFINISHED, "description": "It has begun and not ended."},
        ]
    })
}

/// Writes a stamp with milliseconds, in UTC.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn stamp<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    moment.map(rfc3339).serialize(serializer)
}

/// Writes stamps with milliseconds, in UTC.
pub(super) fn stamps<S: Serializer>(moments: &[Timestamp], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(moments.iter().map(|moment| rfc3339(*moment)))
}
