//! Text with holes.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::budget::{Budget, LARGEST_TEXT};
use super::error::{EvaluationError, Mistake, Refusal};
use super::expression::{Expression, Filled};
use super::scope::Scope;
use super::syntax::{LARGEST_TEMPLATE, scan};
use super::value::text_of;

const OPEN: &str = "{{";

/// A text with `{{ expression }}` holes, parsed once; a clone shares it.
///
/// ```
/// use runhub::template::Template;
///
/// let template = Template::parse("{{ inputs.namespace }}/web").unwrap();
/// assert!(!template.is_literal() && !template.is_whole());
/// assert_eq!(template.holes().count(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Arc<[Part]>,
    whole: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Range<usize>, Expression),
}

impl Template {
    /// Parses a text; `{%` and `{#` are nothing special, `{{ '{{' }}` stands for `{{`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        if text.len() > LARGEST_TEMPLATE {
            let message = format!("the template has {} bytes, {LARGEST_TEMPLATE} are allowed", text.len());
            return Err(Mistake::new(message, 0..text.len()));
        }
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some((before, after)) = text.get(at..).and_then(|rest| rest.split_once(OPEN)) {
            let start = at + before.len();
            push_text(&mut parts, before);
            let (range, expression) = hole(after, start)?;
            at = range.end;
            parts.push(Part::Hole(range, expression));
        }
        push_text(&mut parts, text.get(at..).unwrap_or_default());
        Ok(Self::new(parts))
    }

    fn new(mut parts: Vec<Part>) -> Self {
        let blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
        let holes = parts.iter().filter(|part| matches!(part, Part::Hole(..))).count();
        let whole = holes == 1 && parts.iter().all(|part| blank(part) || matches!(part, Part::Hole(..)));
        if whole {
            parts.retain(|part| !blank(part));
        }
        Self { parts: parts.into(), whole }
    }

    /// Whether it has no holes.
    pub fn is_literal(&self) -> bool {
        self.holes().next().is_none()
    }

    /// Whether it is one hole with nothing but white space around: then its value keeps its type.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The holes: each with the place of its braces.
    pub fn holes(&self) -> impl Iterator<Item = (Range<usize>, &Expression)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(range, expression) => Some((range.clone(), expression)),
        })
    }

    /// Whether a hole mentions a name that is secret in this scope.
    pub fn is_tainted(&self, scope: &Scope) -> bool {
        self.holes().any(|(_, expression)| expression.is_tainted(scope))
    }

    /// Whether a hole calls `now`, `random_text` or `uuid`.
    pub fn uses_generators(&self) -> bool {
        self.holes().any(|(_, expression)| expression.uses_generators())
    }

    /// Fills the holes.
    pub fn fill(&self, scope: &Scope) -> Result<Filled, EvaluationError> {
        if let [Part::Hole(_, expression)] = &*self.parts
            && self.whole
        {
            return expression.evaluate(scope);
        }
        let mut text = String::new();
        let mut budget = Budget::default();
        for part in &*self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Hole(range, expression) => {
                    let value = expression.value_within(scope, &mut budget)?;
                    let placed = |refusal: Refusal| refusal.at(range.clone(), expression.written_names());
                    text.push_str(&text_of(&value.0).map_err(placed)?);
                    if text.len() > LARGEST_TEXT {
                        let refusal = Refusal::limit("the text becomes larger than 1 MiB");
                        return Err(placed(refusal));
                    }
                }
            }
        }
        Ok(Filled { value: Json::String(text), tainted: self.is_tainted(scope) })
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

/// Reads the hole whose `{{` stands at `start`, `after` being all that follows.
fn hole(after: &str, start: usize) -> Result<(Range<usize>, Expression), Mistake> {
    let inside = start + OPEN.len();
    if after.starts_with(['-', '+']) {
        return Err(Mistake::new("`{{-` has no meaning here: no white space is trimmed", start..inside + 1)
            .help("write `{{ x }}`, or `{{ -x }}` for a negative number"));
    }
    let never_closed = || {
        Mistake::new("this `{{` is never closed", start..inside)
            .help("close it with `}}`; for a literal `{{` write `{{ '{{' }}`")
    };
    let scan = scan(after).map_err(|mistake| mistake.shifted(inside))?;
    let end = scan.end.ok_or_else(never_closed)?;
    if end.len() > 2 {
        return Err(Mistake::new("`-}}` has no meaning here: no white space is trimmed", end)
            .shifted(inside)
            .help("write `}}`"));
    }
    let expression = Expression::parse_at(after.get(..end.start).unwrap_or_default(), inside)?;
    Ok((start..inside + end.end, expression))
}
