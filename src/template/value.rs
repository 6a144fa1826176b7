//! What names stand for: values that are cheap to copy, and their way from and to JSON.

use std::fmt;
use std::sync::Arc;

use minijinja::Value as Raw;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use serde_json::Value as Json;

use super::error::Refusal;
use super::measure::{Dimension, Measure};

/// A value that names are bound to; a clone shares it.
#[derive(Clone)]
pub struct Value(pub(super) Raw);

impl Value {
    /// Takes a JSON value over; do it once for each answer of a server and share the result.
    pub fn from_json(json: Json) -> Self {
        Self(raw_from_json(json))
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Result<Json, NotJson> {
        raw_to_json(&self.0).map_err(|refusal| NotJson(refusal.message))
    }

    /// A value that nobody knows yet; an expression that needs it says so with [`super::Cause::Unknown`].
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self(Raw::from_object(Unknown(reason.into())))
    }

    /// A map whose entries are asked for one by one, when an expression needs them.
    pub fn lookup(source: Arc<dyn Lookup>) -> Self {
        Self(Raw::from_object(Dynamic(source)))
    }

    /// A duration: it is compared as one and fills in as the text it was; nothing where the text is none.
    pub fn duration(text: &str) -> Option<Self> {
        Measure::duration(text).map(|measure| Self(Raw::from_object(measure)))
    }

    /// A Kubernetes quantity, likewise.
    pub fn quantity(text: &str) -> Option<Self> {
        Measure::quantity(text).map(|measure| Self(Raw::from_object(measure)))
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from_json(json)
    }
}

/// Values may be secret, so that only their kind is shown.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Value({})", kind_of(&self.0))
    }
}

/// Why a value has no JSON form: it is not known yet, or a number is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotJson(Box<str>);

/// A source of named values that is asked late: `steps` with a thousand entries costs nothing to bind.
pub trait Lookup: Send + Sync {
    /// The value of one key.
    fn get(&self, key: &str) -> Option<Value>;
    /// All keys, for loops and near misses.
    fn keys(&self) -> Vec<String>;
}

struct Dynamic(Arc<dyn Lookup>);

impl fmt::Debug for Dynamic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Dynamic")
    }
}

impl Object for Dynamic {
    fn get_value(self: &Arc<Self>, key: &Raw) -> Option<Raw> {
        self.0.get(key.as_str()?).map(|value| value.0)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Raw> {
        self.0.get(key).map(|value| value.0)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().into_iter().map(Raw::from).collect())
    }
}

#[derive(Debug)]
struct Unknown(String);

impl Object for Unknown {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// What a value is, in the words of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    None,
    Boolean,
    Number,
    Text,
    List,
    Map,
    Duration,
    Quantity,
    Unknown,
    Undefined,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Duration => "a duration",
            Self::Quantity => "a quantity",
            Self::Unknown => "not known yet",
            Self::Undefined => "undefined",
        })
    }
}

pub(super) fn kind_of(raw: &Raw) -> Kind {
    match raw.kind() {
        ValueKind::None => Kind::None,
        ValueKind::Bool => Kind::Boolean,
        ValueKind::Number => Kind::Number,
        ValueKind::String | ValueKind::Bytes => Kind::Text,
        ValueKind::Seq | ValueKind::Iterable => Kind::List,
        ValueKind::Map => Kind::Map,
        _ => plain_kind(raw),
    }
}

fn plain_kind(raw: &Raw) -> Kind {
    match measure_of(raw).map(|measure| measure.dimension) {
        Some(Dimension::Duration) => Kind::Duration,
        Some(Dimension::Quantity) => Kind::Quantity,
        None if raw.downcast_object_ref::<Unknown>().is_some() => Kind::Unknown,
        None => Kind::Undefined,
    }
}

pub(super) fn measure_of(raw: &Raw) -> Option<&Measure> {
    raw.downcast_object_ref::<Measure>()
}

/// Lets known values pass.
pub(super) fn known(raw: Raw) -> Result<Raw, Refusal> {
    match raw.downcast_object_ref::<Unknown>() {
        Some(unknown) => Err(Refusal::unknown(unknown.0.as_str())),
        None => Ok(raw),
    }
}

/// The items of a list.
pub(super) fn items_of(raw: &Raw) -> Result<Vec<Raw>, Refusal> {
    let iterator = raw.try_iter().map_err(|error| Refusal::failed("cannot go through the items").detail(error))?;
    iterator
        .checked()
        .map(|item| item.map_err(|error| Refusal::failed("cannot go through the items").detail(error)))
        .collect()
}

/// The entries of a map.
pub(super) fn entries_of(raw: &Raw) -> Result<Vec<(String, Raw)>, Refusal> {
    let entry = |key: Raw| {
        let text = key.as_str().ok_or_else(|| Refusal::mismatch("the keys of a map are texts"))?;
        let value = raw.get_item(&key).unwrap_or_default();
        Ok((text.to_owned(), value))
    };
    items_of(raw)?.into_iter().map(entry).collect()
}

fn raw_from_json(json: Json) -> Raw {
    match json {
        Json::Null => Raw::from(()),
        Json::Bool(flag) => Raw::from(flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Raw::from(whole),
            (None, Some(whole)) => Raw::from(whole),
            (None, None) => Raw::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Raw::from(text),
        Json::Array(items) => Raw::from(items.into_iter().map(raw_from_json).collect::<Vec<_>>()),
        Json::Object(fields) => Raw::from_pairs(fields.into_iter().map(|(key, field)| (key, raw_from_json(field)))),
    }
}

pub(super) fn raw_to_json(raw: &Raw) -> Result<Json, Refusal> {
    Ok(match kind_of(raw) {
        Kind::None => Json::Null,
        Kind::Boolean => Json::Bool(raw.is_true()),
        Kind::Number => number_to_json(raw)?,
        Kind::Text => Json::String(raw.as_str().unwrap_or_default().to_owned()),
        Kind::List => Json::Array(items_of(raw)?.iter().map(raw_to_json).collect::<Result<_, _>>()?),
        Kind::Map => Json::Object(
            entries_of(raw)?
                .into_iter()
                .map(|(key, value)| Ok((key, raw_to_json(&value)?)))
                .collect::<Result<_, Refusal>>()?,
        ),
        Kind::Duration | Kind::Quantity => Json::String(measure_of(raw).map(Measure::text).unwrap_or_default().into()),
        Kind::Unknown => {
            return known(raw.clone()).and_then(|_| Err(Refusal::mismatch("not known yet")));
        }
        Kind::Undefined => return Err(Refusal::mismatch("this value cannot be written down")),
    })
}

fn number_to_json(raw: &Raw) -> Result<Json, Refusal> {
    if !raw.is_integer() {
        let real = f64::try_from(raw.clone()).unwrap_or(f64::NAN);
        let number = serde_json::Number::from_f64(real);
        return number.map(Json::Number).ok_or_else(|| Refusal::failed("the number is not finite"));
    }
    let signed = i64::try_from(raw.clone()).map(Json::from);
    let number = signed.or_else(|_| u64::try_from(raw.clone()).map(Json::from));
    number.map_err(|_| Refusal::failed("the number is too large"))
}

/// How a value stands inside a text: as JSON writes it, texts and measures bare.
pub(super) fn text_of(raw: &Raw) -> Result<String, Refusal> {
    if let Some(text) = raw.as_str() {
        return Ok(text.to_owned());
    }
    match raw_to_json(raw)? {
        Json::String(text) => Ok(text),
        other => Ok(other.to_string()),
    }
}

/// Steps that it takes to look through a value once.
pub(super) fn cost(value: &Raw) -> usize {
    match kind_of(value) {
        Kind::Text => value.as_str().map_or(0, str::len) / 64,
        Kind::List => value.len().unwrap_or_default(),
        _ => 0,
    }
}

/// The number of values in a JSON value, itself included.
pub(super) fn weight(json: &Json) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(weight).sum(),
        Json::Object(fields) => fields.values().map(weight).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_comes_back_as_it_went_in() {
        let json = json!({"z": [1, -2, 1.5, u64::MAX, true, null, "é"], "a": {"b": {}}, "n": []});
        assert_eq!(Value::from_json(json.clone()).to_json(), Ok(json.clone()));
        let order: Vec<_> = Value::from_json(json).to_json().unwrap().as_object().unwrap().keys().cloned().collect();
        assert_eq!(order, ["z", "a", "n"]);
    }

    #[test]
    fn a_value_shows_its_kind_and_nothing_else() {
        assert_eq!(format!("{:?}", Value::from_json(json!("hunter2"))), "Value(text)");
        assert_eq!(format!("{:?}", Value::unknown("after step x")), "Value(not known yet)");
    }

    #[test]
    fn measures_become_the_text_they_were() {
        assert_eq!(Value::duration("90m").unwrap().to_json(), Ok(json!("90m")));
        assert_eq!(Value::quantity("2Gi").unwrap().to_json(), Ok(json!("2Gi")));
        assert!(Value::duration("soon").is_none());
    }
}
