//! The published documents: OpenAPI v2 as JSON and as Protobuf, and v3 one a group and version.
//!
//! Enough for kubectl: the types, and for each kind the PATCH operation by whose parameters kubectl
//! finds out what a server can do (`dryRun`, `fieldValidation`).

use serde_json::{Map, Value, json};

use super::TEXT;
use crate::simulator::object;

/// A kind at a path, to be described.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Served {
    pub(in crate::simulator) path: String,
    pub(in crate::simulator) group: &'static str,
    pub(in crate::simulator) version: &'static str,
    pub(in crate::simulator) kind: &'static str,
}

/// The types, in the words of one of the two formats.
fn types(reference: &str) -> Map<String, Value> {
    let text = TEXT.replace("#/definitions/", reference);
    let mut all: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    for definition in all.values_mut() {
        let properties = definition.get_mut("properties").and_then(Value::as_object_mut);
        for property in properties.into_iter().flat_map(Map::values_mut) {
            object::remove(property, &["x-protobuf"]);
            object::remove(property, &["x-go"]);
        }
    }
    all
}

fn parameters(old: bool) -> &'static [&'static str] {
    if old { &["dryRun", "fieldManager", "force"] } else { &["dryRun", "fieldManager", "fieldValidation", "force"] }
}

fn kind_of(served: &Served) -> Value {
    json!({ "group": served.group, "kind": served.kind, "version": served.version })
}

fn operation(served: &Served, parameters: &[Value]) -> Value {
    json!({ "patch": {
        "operationId": format!("patch{}", served.kind), "parameters": parameters,
        "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": kind_of(served),
        "responses": { "200": { "description": "OK" } },
    } })
}

fn info(version: &str) -> Value {
    json!({ "title": "Kubernetes", "version": version })
}

/// The whole, in version 2.
pub(in crate::simulator) fn v2(all: &[Served], version: &str, old: bool) -> Value {
    let query: Vec<_> =
        parameters(old).iter().map(|name| json!({ "name": name, "in": "query", "type": "string" })).collect();
    let paths: Map<_, _> = all.iter().map(|served| (served.path.clone(), operation(served, &query))).collect();
    json!({ "swagger": "2.0", "info": info(version), "paths": paths, "definitions": types("#/definitions/") })
}

/// One group and version, in version 3.
pub(in crate::simulator) fn v3(some: &[Served], version: &str, old: bool) -> Value {
    let query: Vec<_> = parameters(old)
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }))
        .collect();
    let paths: Map<_, _> = some.iter().map(|served| (served.path.clone(), operation(served, &query))).collect();
    json!({ "openapi": "3.0.0", "info": info(version), "paths": paths,
        "components": { "schemas": types("#/components/schemas/") } })
}

/// Version 2 as Protobuf, in the form of gnostic's `openapiv2/OpenAPIv2.proto`.
pub(in crate::simulator) fn v2_protobuf(all: &[Served], version: &str, old: bool) -> Vec<u8> {
    let mut document = Message::default();
    document.text(1, "2.0");
    document.part(2, Message::new(&[(1, "Kubernetes"), (2, version)]));
    let mut paths = Message::default();
    for served in all {
        let mut item = Message::new(&[(1, &served.path)]);
        item.part(2, path_item(served, old));
        paths.part(2, item);
    }
    document.part(8, paths);
    document.part(9, named(&types("#/definitions/")));
    document.0
}

fn path_item(served: &Served, old: bool) -> Message {
    let mut patch = Message::default();
    for name in parameters(old) {
        // ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema
        let query = Message::new(&[(2, "query"), (4, name), (6, "string")]);
        patch.part(8, query.within(3).within(2).within(1));
    }
    patch.part(13, extension("x-kubernetes-group-version-kind", &kind_of(served)));
    patch.within(8)
}

/// A mapping of names to schemas.
fn named(schemas: &Map<String, Value>) -> Message {
    let mut all = Message::default();
    for (name, value) in schemas {
        let mut entry = Message::new(&[(1, name)]);
        entry.part(2, schema(value));
        all.part(1, entry);
    }
    all
}

fn schema(value: &Value) -> Message {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut message = Message::new(&[(1, text("$ref")), (2, text("format")), (4, text("description"))]);
    for required in object::list(value, "/required").iter().filter_map(Value::as_str) {
        message.text(19, required);
    }
    if let Some(values) = value.get("additionalProperties") {
        message.part(21, schema(values).within(1));
    }
    if !text("type").is_empty() {
        message.part(22, Message::new(&[(1, text("type"))]));
    }
    if let Some(items) = value.get("items") {
        message.part(23, schema(items).within(1));
    }
    if let Some(Value::Object(properties)) = value.get("properties") {
        message.part(25, named(properties));
    }
    let fields = value.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| name.starts_with("x-")) {
        message.part(31, extension(name, value));
    }
    message
}

/// A `NamedAny`; JSON is YAML enough.
fn extension(name: &str, value: &Value) -> Message {
    let mut message = Message::new(&[(1, name)]);
    message.part(2, Message::new(&[(2, &value.to_string())]));
    message
}

/// A Protobuf message in the making.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn new(texts: &[(u8, &str)]) -> Self {
        let mut message = Self::default();
        for (number, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
            message.text(*number, text);
        }
        message
    }

    fn text(&mut self, number: u8, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    fn part(&mut self, number: u8, part: Self) {
        self.bytes(number, &part.0);
    }

    /// This as the one field of another message.
    fn within(self, number: u8) -> Self {
        let mut outer = Self::default();
        outer.part(number, self);
        outer
    }

    fn bytes(&mut self, number: u8, bytes: &[u8]) {
        self.varint(u64::from(number) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> Served {
        Served { path: "/api/v1/namespaces/{namespace}/pods/{name}".into(), group: "", version: "v1", kind: "Pod" }
    }

    #[test]
    fn both_formats_say_the_same_in_their_words() {
        let (two, three) = (v2(&[pods()], "v1.33.3", false), v3(&[pods()], "v1.33.3", false));
        let name = "io.k8s.api.core.v1.Pod";
        assert_eq!(two["definitions"][name]["properties"]["spec"]["$ref"], "#/definitions/io.k8s.api.core.v1.PodSpec");
        let property = &three["components"]["schemas"][name]["properties"]["spec"];
        assert_eq!(property["$ref"], "#/components/schemas/io.k8s.api.core.v1.PodSpec");
        assert!(property.get("x-protobuf").is_none() && property.get("x-go").is_none());
        let patch = &two["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"];
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Pod");
    }

    #[test]
    fn long_lengths_take_two_bytes() {
        let message = Message::new(&[(16, &"x".repeat(200))]);
        assert_eq!(message.0.get(..4), Some(&[0x82, 0x01, 0xc8, 0x01][..]));
    }
}
