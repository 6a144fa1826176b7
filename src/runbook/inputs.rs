//! What a book must be given, and the giving.
//!
//! All that is wrong or missing is named at once, before anything is sent.
//! Each value remembers the text it came from, so that a complaint about
//! `--set replicas=three` is drawn like any other.

use std::collections::BTreeMap;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{self, DurationText, Literal, Node};
use crate::source::{Diagnostic, Source, Span, nearest};

/// The type of an input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List,
    /// A mapping.
    Object,
    /// A duration such as `30s`.
    Duration,
}

/// The written part of a declaration.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Declared {
    /// The type.
    #[serde(rename = "type")]
    pub(super) kind: InputType,
    /// The value when none is given.
    #[serde(default)]
    default: Option<Literal<Value>>,
    /// It may be missing: then it is not defined.
    #[serde(default)]
    optional: bool,
    /// The only values allowed.
    #[serde(default, rename = "enum")]
    choices: Option<Vec<Literal<Value>>>,
    /// What the whole text must match.
    #[serde(default)]
    pattern: Option<document::Pattern>,
    /// The least number; the least length of a text or list.
    #[serde(default)]
    min: Option<f64>,
    /// The greatest number; the greatest length of a text or list.
    #[serde(default)]
    max: Option<f64>,
    /// The type of the items of a list.
    #[serde(default)]
    items: Option<InputType>,
    /// Its value is never shown; `false` shows one that came from the environment.
    #[serde(default)]
    secret: Option<bool>,
    /// The environment variable that gives it.
    #[serde(default)]
    env: Option<Literal<String>>,
    /// What it is for.
    #[serde(default)]
    description: Option<String>,
}

/// One input that a book declares.
#[derive(Debug, Clone)]
pub struct InputDeclaration {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    declared: Declared,
}

/// Everything that was given from outside.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--set name=value`, as written.
    pub set: Vec<String>,
    /// Files of `--inputs`.
    pub files: Vec<Source>,
    /// Environment variables that may be read, by name.
    pub environment: BTreeMap<String, String>,
}

/// The inputs of a run, whole and right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// The values, by name; an optional one that was not given is missing.
    pub values: BTreeMap<String, Value>,
    /// The names whose values are never shown.
    pub secret: Vec<String>,
}

impl InputDeclaration {
    /// Joins a name and what was declared of it; what contradicts itself goes to `out`.
    pub(super) fn new(name: &str, span: Span, declared: Declared, out: &mut Vec<Diagnostic>) -> Self {
        let declaration = Self { name: name.to_owned(), span, declared };
        if let Some(default) = &declaration.declared.default
            && let Err(reason) = declaration.accepts(&default.0)
        {
            out.push(Diagnostic::error(format!("the default of input `{name}` {reason}"), span));
        }
        if declaration.declared.items.is_some() && declaration.declared.kind != InputType::List {
            out.push(Diagnostic::error(format!("input `{name}` is no list and has no `items`"), span));
        }
        declaration
    }

    /// Its type.
    pub fn kind(&self) -> InputType {
        self.declared.kind
    }

    /// What it is for.
    pub fn description(&self) -> Option<&str> {
        self.declared.description.as_deref()
    }

    /// The environment variable that gives it.
    pub fn env(&self) -> Option<&str> {
        self.declared.env.as_ref().map(|name| name.0.as_str())
    }

    /// Whether it can be missing from the values.
    pub fn may_be_missing(&self) -> bool {
        self.declared.optional && self.declared.default.is_none()
    }

    /// Whether its value is never shown, were it given outside the environment.
    pub fn is_secret(&self) -> bool {
        self.declared.secret.unwrap_or(self.declared.env.is_some())
    }

    /// What is wrong with a value, if anything: reads after the name.
    fn accepts(&self, value: &Value) -> Result<(), String> {
        let declared = &self.declared;
        has_type(declared.kind, value)?;
        if let (Some(kind), Value::Array(items)) = (declared.items, value) {
            for (index, item) in items.iter().enumerate() {
                has_type(kind, item).map_err(|reason| format!("has an item {index} that {reason}"))?;
            }
        }
        if let Some(choices) = &declared.choices
            && !choices.iter().any(|choice| &choice.0 == value)
        {
            let words: Vec<String> = choices.iter().map(|choice| choice.0.to_string()).collect();
            return Err(format!("takes one of {}, not {value}", words.join(", ")));
        }
        if let (Some(pattern), Value::String(text)) = (&declared.pattern, value) {
            self.matches(pattern, text)?;
        }
        self.in_bounds(value)
    }

    fn matches(&self, pattern: &document::Pattern, text: &str) -> Result<(), String> {
        let whole = Regex::new(&format!("^(?:{})$", pattern.as_str())).map_err(|error| error.to_string())?;
        if whole.is_match(text) {
            return Ok(());
        }
        let shown = if self.is_secret() { crate::secret::MASK } else { text };
        Err(format!("must match `{}` as a whole, `{shown}` does not", pattern.as_str()))
    }

    fn in_bounds(&self, value: &Value) -> Result<(), String> {
        #[expect(clippy::cast_precision_loss, reason = "lengths of inputs are far below 2^52")]
        let (size, what) = match value {
            Value::Number(number) => (number.as_f64().unwrap_or_default(), ""),
            Value::String(text) if self.declared.kind == InputType::String => {
                (text.chars().count() as f64, " characters")
            }
            Value::Array(items) => (items.len() as f64, " items"),
            _ => return Ok(()),
        };
        match (self.declared.min, self.declared.max) {
            (Some(min), _) if size < min => Err(format!("is at least {min}{what}, not {size}")),
            (_, Some(max)) if size > max => Err(format!("is at most {max}{what}, not {size}")),
            _ => Ok(()),
        }
    }
}

fn has_type(kind: InputType, value: &Value) -> Result<(), String> {
    let (holds, word) = match kind {
        InputType::String => (value.is_string(), "text"),
        InputType::Integer => (value.is_i64() || value.is_u64(), "a whole number"),
        InputType::Number => (value.is_number(), "a number"),
        InputType::Boolean => (value.is_boolean(), "true or false"),
        InputType::List => (value.is_array(), "a list"),
        InputType::Object => (value.is_object(), "a mapping"),
        InputType::Duration => {
            (value.as_str().is_some_and(|text| DurationText::parse(text).is_ok()), "a duration such as 30s")
        }
    };
    if holds { Ok(()) } else { Err(format!("takes {word}, not {value}")) }
}

/// Joins what is declared and what is given.
///
/// # Errors
/// Everything that is wrong or missing, each with the text it stands in.
pub fn resolve(
    book: &Source,
    declarations: &[InputDeclaration],
    given: &Given,
) -> Result<Inputs, Vec<(Source, Diagnostic)>> {
    let mut wrong = Vec::new();
    let mut values: BTreeMap<String, (Value, Source, Span)> = BTreeMap::new();
    for file in &given.files {
        from_file(file, declarations, &mut values, &mut wrong);
    }
    for text in &given.set {
        from_set(text, declarations, &mut values, &mut wrong);
    }
    let mut inputs = Inputs::default();
    for declaration in declarations {
        let mut secret = declaration.declared.secret == Some(true);
        let value = values.remove(&declaration.name).or_else(|| {
            let found = from_environment(declaration, given, &mut wrong)?;
            secret |= declaration.declared.secret != Some(false);
            Some(found)
        });
        match (value, &declaration.declared.default) {
            (Some((value, source, span)), _) => match declaration.accepts(&value) {
                Ok(()) => drop(inputs.values.insert(declaration.name.clone(), value)),
                Err(reason) => {
                    let reason = if secret { hide(&reason, &value) } else { reason };
                    wrong.push((source, Diagnostic::error(format!("input `{}` {reason}", declaration.name), span)));
                }
            },
            (None, Some(default)) => drop(inputs.values.insert(declaration.name.clone(), default.0.clone())),
            (None, None) if declaration.declared.optional => {}
            (None, None) => wrong.push((book.clone(), missing(declaration))),
        }
        if secret {
            inputs.secret.push(declaration.name.clone());
        }
    }
    if wrong.is_empty() { Ok(inputs) } else { Err(wrong) }
}

fn hide(reason: &str, value: &Value) -> String {
    reason.replace(&value.to_string(), crate::secret::MASK)
}

fn missing(declaration: &InputDeclaration) -> Diagnostic {
    let name = &declaration.name;
    let complaint = Diagnostic::error(format!("input `{name}` is missing"), declaration.span)
        .label("declared here, without a default")
        .help(format!("give it with `--set {name}=…` or in a file with `--inputs FILE`"));
    match declaration.env() {
        Some(variable) => complaint.help(format!("or set the environment variable {variable}")),
        None => complaint,
    }
}

type Found = BTreeMap<String, (Value, Source, Span)>;

fn declared<'a>(
    name: &str,
    declarations: &'a [InputDeclaration],
    source: &Source,
    span: Span,
    wrong: &mut Vec<(Source, Diagnostic)>,
) -> Option<&'a InputDeclaration> {
    let found = declarations.iter().find(|declaration| declaration.name == name);
    if found.is_none() {
        let names = declarations.iter().map(|declaration| declaration.name.as_str());
        let complaint = Diagnostic::error(format!("the book declares no input `{name}`"), span);
        let complaint = match nearest(name, names.clone()) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")),
            None => complaint.help(format!("it declares: {}", names.collect::<Vec<_>>().join(", "))),
        };
        wrong.push((source.clone(), complaint));
    }
    found
}

fn from_file(
    file: &Source,
    declarations: &[InputDeclaration],
    values: &mut Found,
    wrong: &mut Vec<(Source, Diagnostic)>,
) {
    let (node, complaints) = document::read(file);
    wrong.extend(complaints.into_iter().filter(Diagnostic::is_error).map(|complaint| (file.clone(), complaint)));
    let Some(node) = node else { return };
    if node.entries().is_empty() && !matches!(node.kind, document::Kind::Mapping(_)) {
        wrong.push((file.clone(), Diagnostic::error("an inputs file is a mapping of names to values", node.span)));
        return;
    }
    for entry in node.entries() {
        if declared(&entry.key.text, declarations, file, entry.key.span, wrong).is_some() {
            values.insert(entry.key.text.clone(), (entry.value.to_json(), file.clone(), entry.value.span));
        }
    }
}

fn from_set(text: &str, declarations: &[InputDeclaration], values: &mut Found, wrong: &mut Vec<(Source, Diagnostic)>) {
    let source = Source::new("--set", text);
    let Some((name, value)) = text.split_once('=') else {
        let complaint = Diagnostic::error("`--set` takes name=value", Span::new(0, text.len()));
        wrong.push((source, complaint));
        return;
    };
    let Some(declaration) = declared(name, declarations, &source, Span::new(0, name.len()), wrong) else { return };
    let span = Span::new(name.len() + 1, text.len());
    match read_value(declaration, value) {
        Ok(value) => drop(values.insert(name.to_owned(), (value, source, span))),
        Err(reason) => wrong.push((source, Diagnostic::error(format!("input `{name}` {reason}"), span))),
    }
}

fn from_environment(
    declaration: &InputDeclaration,
    given: &Given,
    wrong: &mut Vec<(Source, Diagnostic)>,
) -> Option<(Value, Source, Span)> {
    let variable = declaration.env()?;
    let text = given.environment.get(variable)?;
    let source = Source::new(format!("${variable}"), crate::secret::MASK);
    if let Ok(value) = read_value(declaration, text) {
        return Some((value, source, Span::default()));
    }
    let complaint = format!("input `{}`: ${variable} does not hold a value of its type", declaration.name);
    wrong.push((source, Diagnostic::error(complaint, Span::default())));
    None
}

/// Reads a text by the declared type: text as it is, everything else as YAML.
fn read_value(declaration: &InputDeclaration, text: &str) -> Result<Value, String> {
    if matches!(declaration.kind(), InputType::String | InputType::Duration) {
        return Ok(text.into());
    }
    let source = Source::new("value", text);
    let (node, complaints) = document::read(&source);
    match (node, complaints.into_iter().find(Diagnostic::is_error)) {
        (Some(node), None) => Ok(Node::to_json(&node)),
        (_, Some(complaint)) => Err(format!("is not YAML: {}", complaint.message)),
        (None, None) => Err("is empty".into()),
    }
}
