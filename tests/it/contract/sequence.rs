//! Sequences of requests, read from `tests/contract/sequences` and multiplied by kinds.
//!
//! A family is a list of sequences: a name, the kinds for which it holds (`kinds: all`, a list of
//! plurals, or none), and its steps. A step is a method and a path, and may have a body (`manifest` is
//! that of the kind, `with` is merged into it), a `patch` dialect, headers, `save` (names of values in
//! the answer, for later steps) and `until` (asks again until a value is there). In texts, `{path}`,
//! `{name}`, `{ns}`, `{w}` and what was saved are filled in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use runhub::document;
use runhub::source::Source;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::door::Door;
use super::folder;
use super::normal::Normal;

/// How often a step asks again.
const PATIENCE: usize = 800;

/// A request as it is sent.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Call {
    pub(super) fn headers(&self, token: &str) -> Vec<(String, String)> {
        let who = ("authorization".to_owned(), format!("Bearer {token}"));
        let mut all = vec![who, ("user-agent".into(), "contract/1".into())];
        all.extend(self.headers.iter().cloned());
        all
    }
}

/// A sequence, ready to be asked.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) name: String,
    steps: Vec<Value>,
    kind: Value,
}

/// Reads a YAML file.
pub(super) fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let source = Source::new(path.display().to_string(), text);
    let (tree, complaints) = document::read(&source);
    let wrong: Vec<_> = complaints.iter().filter(|complaint| complaint.is_error()).collect();
    assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
    tree.expect("a document").to_json()
}

/// Every family with its sequences, in the order of their names.
pub(super) fn families() -> Vec<(String, Vec<Sequence>)> {
    let kinds = yaml(&folder().join("kinds.yaml"));
    let kinds = kinds.as_object().expect("a mapping");
    let mut files: Vec<_> =
        fs::read_dir(folder().join("sequences")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let family = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let rows = yaml(path);
        let all = rows.as_array().expect("a list").iter().flat_map(|row| multiplied(row, kinds)).collect();
        (name, all)
    };
    files.iter().map(family).collect()
}

fn multiplied(row: &Value, kinds: &Map<String, Value>) -> Vec<Sequence> {
    let (name, steps) = (row["name"].as_str().expect("a name"), row["steps"].as_array().expect("steps").clone());
    let except: Vec<&str> = row["except"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let chosen: Vec<&str> = match &row["kinds"] {
        Value::Null => return vec![Sequence { name: name.to_owned(), steps, kind: json!({}) }],
        Value::String(all) if all == "all" => kinds.keys().map(String::as_str).collect(),
        list => list.as_array().expect("kinds").iter().filter_map(Value::as_str).collect(),
    };
    let chosen = chosen.into_iter().filter(|plural| !except.contains(plural));
    let sequence = |plural: &str| {
        let mut kind = kinds.get(plural).unwrap_or_else(|| panic!("{name}: no kind {plural}")).clone();
        kind["plural"] = plural.into();
        Sequence { name: format!("{name}[{plural}]"), steps: steps.clone(), kind }
    };
    chosen.map(sequence).collect()
}

impl Sequence {
    /// A word that no other sequence has.
    fn word(&self) -> String {
        let sum =
            self.name.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        format!("q{sum:08x}q")
    }

    /// Asks all of it, in a namespace of its own.
    pub(super) async fn ask(&self, door: &Door) -> Vec<Answer> {
        let word = self.word();
        let mut normal = Normal::new(&word);
        let mut known = self.known(&word);
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": word}});
        door.send(&call("POST", "/api/v1/namespaces", Some(&namespace), "application/json")).await;
        let mut answers = Vec::new();
        for step in &self.steps {
            let answer = self.step(door, step, (&mut known, &mut normal)).await;
            answers.extend(answer.filter(|_| step["quiet"] != true));
        }
        for path in [format!("/api/v1/namespaces/{word}"), format!("{}/{word}", known["path"])] {
            door.send(&call("DELETE", &path, None, "application/json")).await;
        }
        answers
    }

    fn known(&self, word: &str) -> BTreeMap<String, String> {
        let plural = self.kind["plural"].as_str().unwrap_or("pods");
        let base = self.kind["base"].as_str().unwrap_or("/api/v1");
        let ns = if self.kind["cluster"] == true { String::new() } else { format!("/namespaces/{word}") };
        let name = if self.kind["cluster"] == true { word } else { "x" };
        let texts = [
            ("w", word.to_owned()),
            ("ns", word.to_owned()),
            ("name", name.to_owned()),
            ("plural", plural.to_owned()),
            ("base", base.to_owned()),
            ("path", format!("{base}{ns}/{plural}")),
        ];
        texts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    async fn step(
        &self,
        door: &Door,
        step: &Value,
        (known, normal): (&mut BTreeMap<String, String>, &mut Normal),
    ) -> Option<Answer> {
        let (method, path) = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
            .iter()
            .find_map(|method| Some((*method, step[*method].as_str()?)))
            .unwrap_or_else(|| panic!("{}: no request in {step}", self.name));
        let body = self.body(step, known);
        let mut sent = call(method, &filled(path, known), body.as_ref(), content_type(method, step));
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            sent.headers.retain(|(known, _)| known != name);
            sent.headers.push((name.clone(), filled(value.as_str().expect("a text"), known)));
        }
        let mut came = door.send(&sent).await;
        for _ in 0..PATIENCE {
            if holds(&step["until"], &came.body) {
                break;
            }
            door.pause().await;
            came = door.send(&sent).await;
        }
        let whole: Value = serde_json::from_slice(&came.body).unwrap_or_default();
        for (name, pointer) in step["save"].as_object().into_iter().flatten() {
            let value = whole.pointer(pointer.as_str().expect("a pointer")).cloned().unwrap_or_default();
            known.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        Some(Answer::of(&came, normal))
    }

    /// The body of a step, with what is known filled in.
    fn body(&self, step: &Value, known: &BTreeMap<String, String>) -> Option<Value> {
        let mut body = match &step["body"] {
            Value::Null => return None,
            Value::String(word) if word == "manifest" => {
                let mut manifest = self.kind["manifest"].clone();
                manifest["metadata"]["name"] = known["name"].clone().into();
                manifest
            }
            other => other.clone(),
        };
        if !step["with"].is_null() {
            json_patch::merge(&mut body, &step["with"]);
        }
        Some(fill(&body, known))
    }
}

fn call(method: &str, path: &str, body: Option<&Value>, content_type: &str) -> Call {
    let body = body.map(|body| body.as_str().map_or_else(|| body.to_string(), str::to_owned)).unwrap_or_default();
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    if !body.is_empty() {
        headers.push(("content-type".into(), content_type.into()));
    }
    Call { method: method.into(), path: path.into(), body: body.into_bytes(), headers }
}

fn content_type(method: &str, step: &Value) -> &'static str {
    match (method, step["patch"].as_str()) {
        (_, Some("merge")) => "application/merge-patch+json",
        (_, Some("strategic")) => "application/strategic-merge-patch+json",
        (_, Some("json")) => "application/json-patch+json",
        (_, Some("apply")) => "application/apply-patch+yaml",
        _ => "application/json",
    }
}

fn fill(value: &Value, known: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => filled(text, known).into(),
        Value::Array(items) => items.iter().map(|item| fill(item, known)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (filled(key, known), fill(value, known))).collect(),
        other => other.clone(),
    }
}

fn filled(text: &str, known: &BTreeMap<String, String>) -> String {
    known.iter().fold(text.to_owned(), |text, (key, value)| text.replace(&format!("{{{key}}}"), value))
}

/// Whether the answer is the one that is waited for: each pointer leads to its value.
fn holds(until: &Value, body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    until.as_object().into_iter().flatten().all(|(pointer, wanted)| {
        let found = body.pointer(pointer).unwrap_or(&Value::Null);
        found == wanted || (wanted == "any" && !found.is_null())
    })
}
