//! `runhub get` and `runhub list`: objects as the server has them.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Display;
use super::environment::Environment;
use super::exit::{self, Stop};
use super::look::{self, Ended, Look};
use super::output::{self, Output};
use super::subject::{self, Subject};
use super::terminal::{fail, say, style};
use crate::console::{Style, objects};
use crate::document::KindRow;

/// One object, several, or all of a kind.
#[derive(Debug, Args)]
pub(super) struct GetOptions {
    /// `deployment shop/web`, `deploy/shop/web`, `pods`: a kind and names; without a name all of the kind.
    #[arg(required = true, value_name = "KIND [NAME]")]
    words: Vec<String>,
    /// A kind without a word of its own, by its version: `--api-version example.com/v1 Widget shop/one`.
    #[arg(long, value_name = "GROUP/VERSION")]
    api_version: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// All of a kind.
#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// `pods`, `deployments,services`, `nodes`.
    #[arg(value_name = "KIND")]
    kind: String,
    #[command(flatten)]
    which: Which,
}

/// Which of a kind, and how they are shown.
#[derive(Debug, Args)]
struct Which {
    /// Only objects with these labels: `app=web,tier in (a, b),!legacy`.
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    selector: Option<String>,
    /// Only objects with these fields: `status.phase=Running`.
    #[arg(long, value_name = "SELECTOR")]
    field_selector: Option<String>,
    /// In all namespaces, as a list is where none is given.
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    all_namespaces: bool,
    #[command(flatten)]
    output: output::Options,
    #[command(flatten)]
    look: look::Options,
}

pub(super) fn get(options: &GetOptions, display: &Display, environment: &Environment) -> u8 {
    let subjects = match subject::read(&options.words, options.api_version.as_deref()) {
        Ok(subjects) => subjects,
        Err(stop) => {
            fail(stop.message);
            return stop.code;
        }
    };
    seen(&subjects, &options.which, display, environment)
}

pub(super) fn list(options: &ListOptions, display: &Display, environment: &Environment) -> u8 {
    match subject::read(std::slice::from_ref(&options.kind), None).as_deref() {
        Ok(subjects) if subjects.iter().all(|subject| subject.whole().is_some()) => {
            seen(subjects, &options.which, display, environment)
        }
        Ok(_) => {
            fail(format!("`list` takes a kind, not one object: runhub get {}", options.kind));
            exit::USAGE
        }
        Err(stop) => {
            fail(&stop.message);
            stop.code
        }
    }
}

fn seen(subjects: &[Subject], which: &Which, display: &Display, environment: &Environment) -> u8 {
    let style = style(display, environment);
    look::at(&which.look, display, environment, |look| async move {
        let kinds: Option<Vec<&KindRow>> = subjects.iter().map(Subject::whole).collect();
        match kinds {
            Some(kinds) => listed(&look, &kinds, which, (display, &style)).await,
            None => named(&look, subjects, which, &style).await,
        }
    })
}

/// Every object of some kinds: a table for each, or one list of all.
async fn listed(look: &Look, kinds: &[&KindRow], which: &Which, (display, style): (&Display, &Style)) -> Ended {
    let tables = matches!(which.output.output, Output::Table | Output::Wide);
    let (mut all, mut shown) = (Vec::new(), 0);
    for kind in kinds {
        let items = items_of(look, kind, which, display).await?;
        if items.is_empty() && (tables || matches!(which.output.output, Output::Name)) {
            let place = which.look.namespace.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
            look::remark(display, &format!("no {}{place}", kind.plural));
        } else if tables {
            if shown > 0 {
                say("\n");
            }
            shown += 1;
            let several = kind.namespaced && which.look.namespace.is_none();
            show(look, shown_list(items), Shape { kind: kind.kind, several }, which, style)?;
        } else {
            all.extend(items);
        }
    }
    if tables {
        return Ok(exit::PASSED);
    }
    show(look, shown_list(all), Shape { kind: "", several: false }, which, style)
}

async fn items_of(look: &Look, kind: &KindRow, which: &Which, display: &Display) -> Result<Vec<Value>, Stop> {
    let mut set = Map::new();
    if kind.namespaced {
        set.insert("in".into(), which.look.namespace.as_deref().unwrap_or("all").into());
    }
    for (key, text) in [("selector", &which.selector), ("field-selector", &which.field_selector)] {
        if let Some(text) = text {
            set.insert(key.into(), text.as_str().into());
        }
    }
    let mut observed = look.observe("list", &json!({kind.plural: set})).await?;
    if observed.info.get("complete") == Some(&Value::Bool(false)) {
        look::remark(display, "warning: the server shows a part only: there may be more");
    }
    Ok(observed.result.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
}

/// A list as kubectl writes it, so that other tools take it.
fn shown_list(items: Vec<Value>) -> Value {
    let items: Vec<Value> = items.into_iter().map(headed).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// The object with what it is before all else: servers leave that out of the items of a list.
fn headed(object: Value) -> Value {
    let Value::Object(mut fields) = object else { return object };
    let mut headed = Map::new();
    for key in ["apiVersion", "kind"] {
        headed.extend(fields.shift_remove_entry(key));
    }
    headed.extend(fields);
    Value::Object(headed)
}

/// Each object for itself: one that is not there does not hide the others.
async fn named(look: &Look, subjects: &[Subject], which: &Which, style: &Style) -> Ended {
    if which.selector.is_some() || which.field_selector.is_some() || which.all_namespaces {
        return Err(Stop::usage("a name says which object: selectors and --all-namespaces go with a kind alone"));
    }
    let (mut found, mut worst) = (Vec::new(), None);
    for subject in subjects {
        let target = subject.target(which.look.namespace.as_deref())?.unwrap_or_default();
        match look.observe("get", &target).await {
            Ok(observed) => found.push((subject.kind(), observed.result)),
            Err(stop) if subjects.len() == 1 || stop.code == exit::USAGE => return Err(stop),
            Err(stop) => {
                fail(&stop.message);
                worst = Some(worst.unwrap_or(stop.code));
            }
        }
    }
    let tables = matches!(which.output.output, Output::Table | Output::Wide);
    match found.as_slice() {
        [] => {}
        [(kind, object)] if subjects.len() == 1 => {
            show(look, object.clone(), Shape { kind, several: false }, which, style)?;
        }
        some if tables => tables_of(look, some, which, style)?,
        some => {
            let all = some.iter().map(|(_, object)| object.clone()).collect();
            show(look, shown_list(all), Shape { kind: "", several: false }, which, style)?;
        }
    }
    Ok(worst.unwrap_or(exit::PASSED))
}

/// A table for each kind.
fn tables_of(look: &Look, found: &[(&str, Value)], which: &Which, style: &Style) -> Result<(), Stop> {
    for (index, kind) in kinds(found).into_iter().enumerate() {
        if index > 0 {
            say("\n");
        }
        let items: Vec<Value> =
            found.iter().filter(|(own, _)| *own == kind).map(|(_, object)| object.clone()).collect();
        let namespaces: BTreeSet<Option<&str>> =
            items.iter().map(|item| item.pointer("/metadata/namespace").and_then(Value::as_str)).collect();
        let several = namespaces.len() > 1;
        show(look, shown_list(items), Shape { kind, several }, which, style)?;
    }
    Ok(())
}

/// The kinds in the order in which they were named.
fn kinds<'a>(found: &[(&'a str, Value)]) -> Vec<&'a str> {
    let mut kinds: Vec<&str> = Vec::new();
    for (kind, _) in found {
        if !kinds.contains(kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// What a table needs to know beside the objects.
struct Shape<'a> {
    kind: &'a str,
    /// Whether they may lie in several namespaces.
    several: bool,
}

fn show(look: &Look, mut value: Value, shape: Shape<'_>, which: &Which, style: &Style) -> Ended {
    look.redactor().value(&mut value);
    let items = match value.get("items").and_then(Value::as_array) {
        Some(items) if value.get("kind").is_some_and(|kind| kind == "List") => items.clone(),
        _ => vec![value.clone()],
    };
    let text = match &which.output.output {
        Output::Table | Output::Wide => {
            let wide = matches!(which.output.output, Output::Wide);
            let view = objects::View { namespaces: shape.several, wide, now: look.clock().now() };
            objects::table(shape.kind, &items, &view, style)
        }
        Output::Name => items.iter().map(objects::name).map(|name| name + "\n").collect(),
        other => output::written(other, &value)?,
    };
    say(&text);
    Ok(exit::PASSED)
}
