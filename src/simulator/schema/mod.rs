//! The types of the kinds that are simulated: what fields there are, and what the API server knows of them.
//!
//! `definitions.json` is cut from Kubernetes' own files by `generate`, which says how: one line a type.
//! A line is read when its type is first needed, so that nobody waits for types that nobody sends. The
//! decoders of JSON and Protobuf, patches, server-side apply, and the published OpenAPI documents read it.

mod decode;
pub(super) mod openapi;
pub(super) mod protobuf;

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

pub(super) use decode::{Slips, decode};

const TEXT: &str = include_str!("definitions.json");

/// The line of a type, and what it says once it has been read.
#[derive(Debug)]
struct Line {
    text: &'static str,
    read: OnceLock<Definition>,
}

/// The lines by the names of their types.
static LINES: LazyLock<HashMap<&'static str, Line>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter_map(|line| line.trim_end_matches(',').strip_prefix('"')?.split_once("\":"));
    lines.map(|(name, text)| (name, Line { text, read: OnceLock::new() })).collect()
});

impl Line {
    fn definition(&'static self) -> &'static Definition {
        self.read.get_or_init(|| serde_json::from_str(self.text).unwrap_or_default())
    }

    /// The kinds that the type is, without reading the rest of the line.
    fn kinds(&self) -> Vec<GroupKind> {
        let rows = self.text.split_once(KINDS).and_then(|(_, rest)| rest.split_once(']'));
        rows.and_then(|(rows, _)| serde_json::from_str(&format!("{rows}]")).ok()).unwrap_or_default()
    }
}

/// What stands before the kinds in a line.
const KINDS: &str = "\"x-kubernetes-group-version-kind\":";

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Definition {
    #[serde(default)]
    properties: HashMap<&'static str, Property>,
}

#[derive(Debug, Deserialize)]
struct GroupKind {
    group: String,
    version: String,
    kind: String,
}

/// The versions in which a kind is known, each with the name of its type.
type Versions = Vec<(String, &'static str)>;

#[derive(Debug, Default, Deserialize)]
struct Property {
    #[serde(default, rename = "$ref")]
    reference: Option<&'static str>,
    #[serde(default, rename = "type")]
    kind: Option<&'static str>,
    #[serde(default)]
    format: Option<&'static str>,
    #[serde(default)]
    items: Option<Box<Property>>,
    #[serde(default, rename = "additionalProperties")]
    values: Option<Box<Property>>,
    #[serde(default, rename = "x-kubernetes-list-type")]
    list_type: Option<&'static str>,
    #[serde(default, rename = "x-kubernetes-list-map-keys")]
    list_keys: Vec<&'static str>,
    #[serde(default, rename = "x-kubernetes-map-type")]
    map_type: Option<&'static str>,
    #[serde(default, rename = "x-kubernetes-patch-merge-key")]
    merge_key: Option<&'static str>,
    #[serde(default, rename = "x-kubernetes-patch-strategy")]
    merge_strategy: Option<&'static str>,
    #[serde(default, rename = "x-protobuf")]
    numbers: Vec<u64>,
    #[serde(default, rename = "x-go")]
    go: Option<Go>,
}

/// How Go writes a field that is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Go {
    /// It is left out.
    Plain,
    /// As the zero of its type.
    Always,
    /// With whatever its type always writes.
    Struct,
}

/// What stands at one place of an object: a handle to its type, cheap to copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    name: &'static str,
    definition: Option<&'static Definition>,
    property: Option<&'static Property>,
}

/// The form of the values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A message with fields.
    Struct,
    /// A list of one type.
    List,
    /// Texts that lead to values of one type.
    Map,
    Text,
    /// Base64 of bytes.
    Bytes,
    Integer {
        wide: bool,
    },
    Number,
    Boolean,
    IntOrString,
    Quantity,
    Time {
        micro: bool,
    },
    /// Whatever it is, it is kept.
    Raw,
}

/// The type of a kind; of another version of its group where it is not known in the one that is asked for.
pub(super) fn of_kind(api_version: &str, kind: &str) -> Option<Type> {
    static BY_KIND: LazyLock<HashMap<(String, String), Versions>> = LazyLock::new(|| {
        let mut all: HashMap<_, Versions> = HashMap::new();
        for (name, line) in LINES.iter() {
            for known in line.kinds() {
                all.entry((known.group, known.kind)).or_default().push((known.version, *name));
            }
        }
        all
    });
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let versions = BY_KIND.get(&(group.to_owned(), kind.to_owned()))?;
    let found = versions.iter().find(|(known, _)| known == version).or_else(|| versions.iter().max());
    Type::named(found?.1)
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        let (name, line) = LINES.get_key_value(name)?;
        Some(Self { name, definition: Some(line.definition()), property: None })
    }

    fn of(property: &'static Property) -> Self {
        let named = property.reference.and_then(|path| Self::named(path.trim_start_matches("#/definitions/")));
        Self { property: Some(property), ..named.unwrap_or(Self { name: "", definition: None, property: None }) }
    }

    /// The type of a field; nothing when there is no such field.
    pub(super) fn field(self, name: &str) -> Option<Self> {
        match self.shape() {
            Shape::Struct => self.definition?.properties.get(name).map(Self::of),
            Shape::Map => self.property?.values.as_deref().map(Self::of),
            _ => None,
        }
    }

    /// The type of the entries of a list.
    pub(super) fn item(self) -> Option<Self> {
        self.property?.items.as_deref().map(Self::of)
    }

    /// The type at a path of fields.
    #[cfg(test)]
    pub(super) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |here, name| here.field(name))
    }

    /// The field by which a strategic merge patch tells the entries of this list apart.
    pub(super) fn merge_key(self) -> Option<&'static str> {
        self.property.filter(|property| property.is_merged())?.merge_key
    }

    /// Whether a strategic merge patch adds to this list of plain values instead of replacing it.
    pub(super) fn is_merged(self) -> bool {
        self.property.is_some_and(Property::is_merged)
    }

    /// The fields by which server-side apply tells the entries of this list apart.
    pub(super) fn list_keys(self) -> &'static [&'static str] {
        self.property.filter(|property| property.list_type == Some("map")).map_or(&[], |property| &property.list_keys)
    }

    /// Whether server-side apply owns the values of this list one by one.
    pub(super) fn is_set(self) -> bool {
        self.property.is_some_and(|property| property.list_type == Some("set"))
    }

    /// Whether server-side apply owns this mapping whole.
    pub(super) fn is_atomic(self) -> bool {
        self.property.is_some_and(|property| property.map_type == Some("atomic"))
            || self.name.ends_with(".LabelSelector")
    }

    /// The default of a key by which entries are told apart, where the writer may leave it out.
    pub(super) fn key_default(key: &str) -> Option<&'static str> {
        (key == "protocol").then_some("TCP")
    }

    fn go(self) -> Option<Go> {
        self.property.and_then(|property| property.go)
    }

    /// The last part of the type's name, as Go has it: `DeploymentSpec`.
    fn short_name(self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    fn shape(self) -> Shape {
        if let Some(shape) = leaf(self.short_name()) {
            return shape;
        }
        if self.definition.is_some() {
            return Shape::Struct;
        }
        let (kind, format) = self.property.map_or((None, None), |property| (property.kind, property.format));
        match (kind, format) {
            (Some("array"), _) => Shape::List,
            (Some("object"), _) => Shape::Map,
            (Some("string"), Some("byte")) => Shape::Bytes,
            (Some("string"), _) => Shape::Text,
            (Some("integer"), format) => Shape::Integer { wide: format == Some("int64") },
            (Some("number"), _) => Shape::Number,
            (Some("boolean"), _) => Shape::Boolean,
            _ => Shape::Raw,
        }
    }

    fn fields(self) -> impl Iterator<Item = (&'static str, Self)> {
        let all = self.definition.filter(|_| self.shape() == Shape::Struct);
        all.into_iter().flat_map(|found| &found.properties).map(|(name, property)| (*name, Self::of(property)))
    }
}

impl Property {
    fn is_merged(&self) -> bool {
        self.merge_strategy.is_some_and(|strategy| strategy.split(',').any(|word| word == "merge"))
    }
}

/// Named types whose values are no messages.
fn leaf(name: &str) -> Option<Shape> {
    Some(match name {
        "Time" => Shape::Time { micro: false },
        "MicroTime" => Shape::Time { micro: true },
        "Quantity" => Shape::Quantity,
        "IntOrString" => Shape::IntOrString,
        "RawExtension" | "FieldsV1" => Shape::Raw,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_read_whole() {
        assert!(LINES.len() > 300, "{}", LINES.len());
        for (name, line) in LINES.iter() {
            let read: Result<Definition, _> = serde_json::from_str(line.text);
            assert!(read.is_ok(), "{name}: {read:?}");
        }
        for resource in super::super::resource::RESOURCES {
            assert!(of_kind(&resource.api_version(), resource.kind).is_some(), "{}", resource.kind);
        }
    }

    #[test]
    fn lists_know_their_keys() {
        let pod = of_kind("v1", "Pod").expect("known").field("spec").expect("a field");
        let containers = pod.field("containers").expect("a field");
        assert_eq!((containers.merge_key(), containers.list_keys()), (Some("name"), &["name"][..]));
        let ports = containers.item().and_then(|item| item.field("ports")).expect("a field");
        assert_eq!((ports.merge_key(), ports.list_keys()), (Some("containerPort"), &["containerPort", "protocol"][..]));
        let tolerations = pod.field("tolerations").expect("a field");
        assert!(tolerations.merge_key().is_none() && tolerations.list_keys().is_empty());
        assert!(pod.field("container").is_none());
    }

    #[test]
    fn an_older_version_is_read_as_the_present_one() {
        assert!(of_kind("batch/v1beta1", "CronJob").is_some());
        assert!(of_kind("apps/v1", "Pod").is_none());
    }
}
