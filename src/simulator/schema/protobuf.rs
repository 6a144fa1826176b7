//! Protobuf into JSON, by the numbers of the schema: kubectl and controllers of Go send it.
//!
//! A body is the word `k8s\0` and then a `runtime.Unknown`, which names version and kind and holds
//! the object (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::{Shape, Type, of_kind};

const MAGIC: &[u8] = b"k8s\0";

/// The content type.
pub(in crate::simulator) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// Reads an object; nothing when the bytes are none, or of a kind that is not known.
pub(in crate::simulator) fn read(body: &[u8]) -> Option<Value> {
    let unknown = fields(body.strip_prefix(MAGIC)?)?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, value) in unknown {
        match (number, value) {
            (1, Wire::Bytes(meta)) => {
                for (number, value) in fields(meta)? {
                    match number {
                        1 => api_version = value.text()?,
                        2 => kind = value.text()?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(object)) => raw = object,
            _ => {}
        }
    }
    let shape = of_kind(&api_version, &kind).or_else(|| meta_type(&kind))?;
    let mut object = Map::new();
    object.insert("kind".into(), kind.into());
    object.insert("apiVersion".into(), api_version.into());
    message(shape, raw, &mut object)?;
    Some(object.into())
}

/// Kinds that every group has.
fn meta_type(kind: &str) -> Option<Type> {
    Type::named(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}"))
}

/// A value as it stands on the wire.
#[derive(Debug, Clone, Copy)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

impl Wire<'_> {
    fn text(self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
            _ => None,
        }
    }

    fn integer(self) -> Option<i64> {
        match self {
            Self::Varint(number) => Some(number.cast_signed()),
            _ => None,
        }
    }
}

/// The fields of a message, in order; nothing when the bytes are none.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Wire::Varint(varint(&mut bytes)?),
            1 => Wire::Fixed64(u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Wire::Bytes(take(&mut bytes, length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(take(&mut bytes, 4)?.try_into().ok()?)),
            _ => return None,
        };
        found.push((key >> 3, value));
    }
    Some(found)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The fields of a type, by the paths of their numbers.
fn numbered(kind: Type) -> BTreeMap<&'static [u64], (&'static str, Type)> {
    let with_numbers = |(name, field): (&'static str, Type)| Some((field.property?.numbers.as_slice(), (name, field)));
    kind.fields().filter_map(with_numbers).filter(|(numbers, _)| !numbers.is_empty()).collect()
}

fn message(kind: Type, bytes: &[u8], object: &mut Map<String, Value>) -> Option<()> {
    part(&numbered(kind), &mut Vec::new(), bytes, object)
}

/// A message, or the part of one that Go embeds under a number of its own.
fn part(
    known: &BTreeMap<&'static [u64], (&'static str, Type)>,
    path: &mut Vec<u64>,
    bytes: &[u8],
    object: &mut Map<String, Value>,
) -> Option<()> {
    for (number, wire) in fields(bytes)? {
        path.push(number);
        if let Some((name, field)) = known.get(path.as_slice()) {
            add(*field, name, wire, object)?;
        } else if let Wire::Bytes(inner) = wire
            && known.keys().any(|numbers| numbers.starts_with(path))
        {
            part(known, path, inner, object)?;
        }
        path.pop();
    }
    Some(())
}

fn add(kind: Type, name: &str, wire: Wire<'_>, object: &mut Map<String, Value>) -> Option<()> {
    let entry = object.entry(name.to_owned());
    match kind.shape() {
        Shape::List => {
            let item = kind.item()?;
            let values = packed(item, wire)?;
            entry.or_insert_with(|| json!([])).as_array_mut()?.extend(values);
        }
        Shape::Map => {
            let (key, value) = pair(kind, wire)?;
            entry.or_insert_with(|| json!({})).as_object_mut()?.insert(key, value);
        }
        _ => {
            let value = single(kind, wire)?;
            object.insert(name.to_owned(), value);
        }
    }
    Some(())
}

/// The values of a list; numbers may stand packed in one field.
fn packed(item: Type, wire: Wire<'_>) -> Option<Vec<Value>> {
    if let (Shape::Integer { .. }, Wire::Bytes(mut bytes)) = (item.shape(), wire) {
        let mut numbers = Vec::new();
        while !bytes.is_empty() {
            numbers.push(varint(&mut bytes)?.cast_signed().into());
        }
        return Some(numbers);
    }
    Some(vec![single(item, wire)?])
}

/// An entry of a mapping: key and value are the fields 1 and 2 of a message.
fn pair(kind: Type, wire: Wire<'_>) -> Option<(String, Value)> {
    let Wire::Bytes(bytes) = wire else { return None };
    let values = Type::of(kind.property?.values.as_deref()?);
    let (mut key, mut value) = (String::new(), None);
    for (number, wire) in fields(bytes)? {
        match number {
            1 => key = wire.text()?,
            2 => value = Some(single(values, wire)?),
            _ => {}
        }
    }
    Some((key, value.unwrap_or_else(|| "".into())))
}

/// A list as the value of a mapping is a message of its own: `items` is field 1.
fn listed(kind: Type, wire: Wire<'_>) -> Option<Value> {
    let (Wire::Bytes(bytes), item) = (wire, kind.item()?) else { return None };
    fields(bytes)?.into_iter().map(|(_, wire)| single(item, wire)).collect()
}

fn single(kind: Type, wire: Wire<'_>) -> Option<Value> {
    Some(match (kind.shape(), wire) {
        (Shape::Struct, Wire::Bytes(bytes)) => {
            let mut object = Map::new();
            message(kind, bytes, &mut object)?;
            object.into()
        }
        (Shape::Text, wire) => wire.text()?.into(),
        (Shape::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Shape::Integer { .. }, wire) => wire.integer()?.into(),
        (Shape::Boolean, wire) => (wire.integer()? != 0).into(),
        (Shape::Number, Wire::Fixed64(bits)) => f64::from_bits(bits).into(),
        (Shape::Number, Wire::Fixed32(bits)) => f64::from(f32::from_bits(bits)).into(),
        (Shape::Quantity, Wire::Bytes(bytes)) => first(bytes)?.text()?.into(),
        (Shape::Raw, Wire::Bytes(bytes)) => {
            fields(bytes)?.first().and_then(|(_, raw)| serde_json::from_str(&raw.text()?).ok()).unwrap_or_default()
        }
        (Shape::IntOrString, Wire::Bytes(bytes)) => int_or_string(bytes)?,
        (Shape::Time { micro }, Wire::Bytes(bytes)) => time(micro, bytes)?,
        (Shape::List, wire) => listed(kind, wire)?,
        _ => return None,
    })
}

fn first(bytes: &[u8]) -> Option<Wire<'_>> {
    fields(bytes)?.first().map(|(_, wire)| *wire)
}

/// `type` (0 is a number), `intVal`, `strVal`.
fn int_or_string(bytes: &[u8]) -> Option<Value> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for (field, wire) in fields(bytes)? {
        match field {
            1 => is_text = wire.integer()? == 1,
            2 => number = wire.integer()?,
            _ => text = wire.text()?,
        }
    }
    Some(if is_text { text.into() } else { number.into() })
}

/// `seconds` and `nanos`; no field at all is no time.
fn time(micro: bool, bytes: &[u8]) -> Option<Value> {
    let (mut seconds, mut nanos) = (None, 0);
    for (number, wire) in fields(bytes)? {
        match number {
            1 => seconds = Some(wire.integer()?),
            _ => nanos = u32::try_from(wire.integer()?).ok()?,
        }
    }
    let Some(seconds) = seconds else { return Some(Value::Null) };
    let format = if micro { SecondsFormat::Micros } else { SecondsFormat::Secs };
    Some(DateTime::from_timestamp(seconds, nanos)?.to_rfc3339_opts(format, true).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("short");
        [&[number << 3 | 2, length], bytes].concat()
    }

    fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_config_map_is_read() {
        let meta = field(1, &[field(1, b"c"), field(3, b"shop")].concat());
        let data = field(2, &[field(1, b"key"), field(2, b"value")].concat());
        assert_eq!(
            read(&body("v1", "ConfigMap", &[meta, data].concat())),
            Some(json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c", "namespace": "shop"},
                "data": {"key": "value"}}))
        );
    }

    #[test]
    fn what_go_embeds_is_flat_in_json() {
        // A volume (spec.volumes, 1) with a name (1) and, in the embedded source (2), a secret (6).
        let secret = field(2, &field(6, &field(1, b"token")));
        let volume = field(1, &[field(1, b"v"), secret].concat());
        let pod = field(2, &volume);
        let read = read(&body("v1", "Pod", &pod)).expect("a pod");
        assert_eq!(read["spec"]["volumes"], json!([{"name": "v", "secret": {"secretName": "token"}}]));
    }

    #[test]
    fn numbers_times_and_either_are_read() {
        // A budget: metadata.creationTimestamp (1.8), spec.minAvailable (2.1) as a text.
        let stamp = field(1, &field(8, &[1 << 3, 60]));
        let either = field(1, &[vec![1 << 3, 1], field(3, b"50%")].concat());
        let read = read(&body("policy/v1", "PodDisruptionBudget", &[stamp, field(2, &either)].concat())).expect("one");
        assert_eq!(read["metadata"]["creationTimestamp"], json!("1970-01-01T00:01:00Z"));
        assert_eq!(read["spec"]["minAvailable"], json!("50%"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_upset_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            drop(read(&[MAGIC, &bytes].concat()));
            drop(read(&body("v1", "Pod", bytes.get(..60).unwrap_or(&bytes))));
        }
    }
}
