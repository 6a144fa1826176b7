//! Secrets: what is tainted by the document alone, and where it would be shown.

use super::uses;
use crate::document::Segment;
use crate::form::Form;
use crate::runbook::step::OutputSource;
use crate::runbook::{Body, Runbook, Step};
use crate::secret::SHORTEST;
use crate::source::Diagnostic;

/// The paths that are never shown: secret inputs, variables and outputs, and what comes of them.
pub fn taints(book: &Runbook, secret_inputs: &[String]) -> Vec<Vec<String>> {
    let path = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut tainted: Vec<Vec<String>> = secret_inputs.iter().map(|name| path(&["inputs", name])).collect();
    for variable in &book.vars {
        if variable.secret || mentions(&variable.value, &tainted) {
            tainted.push(path(&["vars", &variable.name]));
        }
    }
    for step in book.walk().filter(|step| step.named) {
        for output in &step.outputs {
            let comes_of = matches!(&output.from, OutputSource::Value(form) if mentions(form, &tainted));
            let of_secret = matches!(&output.from, OutputSource::Path(_)) && reads_secrets(step);
            if output.secret || comes_of || of_secret {
                tainted.push(path(&["steps", &step.id, "outputs", &output.name]));
            }
        }
    }
    tainted
}

/// Whether what a step sees is a secret as a whole.
fn reads_secrets(step: &Step) -> bool {
    let Body::Act(act) = &step.body else { return false };
    let node = act.arguments.node();
    let reveals =
        node.get("reveal").or_else(|| node.get("resolve")).is_some_and(|value| value.as_text() == Some("true"));
    let secrets = ["secret", "secrets"].iter().any(|key| node.get(key).is_some());
    reveals || (secrets && matches!(act.kind.name, "get" | "list"))
}

fn mentions(form: &Form, tainted: &[Vec<String>]) -> bool {
    uses::of_form(form, false).iter().any(|found| tainted.iter().any(|mark| meets(mark, &found.path)))
}

/// Whether one path is the other, holds it or lies inside it.
fn meets(mark: &[String], path: &[String]) -> bool {
    mark.iter().zip(path).all(|(one, other)| one == other)
}

pub(super) fn complaints(book: &Runbook) -> Vec<Diagnostic> {
    let secret_inputs: Vec<String> =
        book.inputs.iter().filter(|input| input.is_secret()).map(|input| input.name.clone()).collect();
    let tainted = taints(book, &secret_inputs);
    let mut out = short_secrets(book);
    for step in book.walk() {
        let Body::Act(act) = &step.body else { continue };
        for hole in act.arguments.holes() {
            let in_plain_sight = match hole.route.0.as_slice() {
                [Segment::Key(first), ..]
                    if act.kind.shown.contains(&first.as_str()) || act.kind.target.has_key(first) =>
                {
                    Some(first.as_str())
                }
                route => route.iter().find_map(|segment| match segment {
                    Segment::Key(key) if matches!(key.as_str(), "labels" | "annotations") => Some(key.as_str()),
                    _ => None,
                }),
            };
            let Some(key) = in_plain_sight else { continue };
            let names = hole.template.holes().flat_map(|(_, expression)| expression.names()).collect::<Vec<_>>();
            if names.iter().any(|name| tainted.iter().any(|mark| meets(mark, &name.path))) {
                out.push(
                    Diagnostic::error(format!("a secret in `{key}` would be seen by others"), hole.node.span)
                        .help("hand secrets over in `stdin`, `env`, a header or a body"),
                );
            }
        }
    }
    out
}

/// A secret this short cannot be searched for in texts.
fn short_secrets(book: &Runbook) -> Vec<Diagnostic> {
    book.vars
        .iter()
        .filter(|variable| variable.secret && variable.value.is_whole())
        .filter(|variable| variable.value.node().as_text().is_some_and(|text| text.len() < SHORTEST))
        .map(|variable| {
            Diagnostic::warning(
                format!(
                    "`{}` is shorter than {SHORTEST} bytes and cannot be hidden where it shows up by itself",
                    variable.name
                ),
                variable.span,
            )
        })
        .collect()
}
