//! `approve`: what a person is asked, and what they fill in.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::inputs::{Declared, Given, InputDeclaration, resolve};
use crate::document::{self, DurationText, Literal, Mode, Node};
use crate::source::{Diagnostic, Source, Span};

/// What a person is asked to approve.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ApproveArguments {
    /// What is to be approved.
    message: String,
    /// What the person must fill in, typed like inputs.
    #[serde(default)]
    fields: BTreeMap<String, Declared>,
    /// How long to wait.
    #[serde(default)]
    timeout: Option<Literal<DurationText>>,
    /// Who may approve.
    #[serde(default)]
    by: Option<Vec<String>>,
}

/// What a person is asked to approve, without holes.
#[derive(Debug)]
pub struct Approval {
    /// What is to be approved.
    pub message: String,
    /// How long to wait.
    pub timeout: Option<Duration>,
    by: Option<Vec<String>>,
    fields: Vec<InputDeclaration>,
}

impl Approval {
    /// Reads the arguments of an `approve`, all holes filled.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn of(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut out = Vec::new();
        let arguments: Option<ApproveArguments> = document::decode(node, Mode::Whole, &mut out);
        let Some(ApproveArguments { message, fields, timeout, by }) =
            arguments.filter(|_| !out.iter().any(Diagnostic::is_error))
        else {
            return Err(out);
        };
        let fields = fields
            .into_iter()
            .map(|(name, declared)| InputDeclaration::new(&name, Span::default(), declared, &mut out))
            .collect();
        if out.iter().any(Diagnostic::is_error) {
            return Err(out);
        }
        Ok(Self { message, timeout: timeout.map(|limit| limit.0.duration()), by, fields })
    }

    /// Whether someone (`user@host`) may approve: named whole, or by the user alone.
    pub fn may_be_given_by(&self, actor: &str) -> bool {
        let user = actor.split('@').next().unwrap_or_default();
        self.by.as_ref().is_none_or(|names| names.iter().any(|name| name == actor || name == user))
    }

    /// Who may approve, in words.
    pub fn by(&self) -> String {
        self.by.as_ref().map(|names| names.join(", ")).unwrap_or_default()
    }

    /// The names of the fields, each with what it takes.
    pub fn fields(&self) -> Vec<(String, String)> {
        let word = |field: &InputDeclaration| match serde_json::to_value(field.kind()) {
            Ok(Value::String(word)) => word,
            _ => String::new(),
        };
        self.fields.iter().map(|field| (field.name.clone(), word(field))).collect()
    }

    /// Reads what a person filled in, by the declared types.
    ///
    /// # Errors
    /// All that is wrong or missing, a line each.
    pub fn read(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>, Vec<String>> {
        let set = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let given = Given { set, ..Given::default() };
        match resolve(&Source::new("approve", ""), &self.fields, &given) {
            Ok(inputs) => Ok(inputs.values),
            Err(wrong) => {
                let line = |complaint: &Diagnostic| complaint.message.replacen("input `", "field `", 1);
                Err(wrong.iter().map(|(_, complaint)| line(complaint)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn approval(text: &str) -> Approval {
        let (node, _) = document::read(&Source::new("a", text));
        Approval::of(&node.expect("a document")).expect("a legal approve")
    }

    #[test]
    fn fields_are_read_by_their_types_and_all_that_is_wrong_is_named() {
        let approval = approval("{message: go?, fields: {ticket: {type: string}, count: {type: integer, default: 2}}}");
        let given = BTreeMap::from([("ticket".to_owned(), "OPS-7".to_owned())]);
        let read = approval.read(&given).unwrap();
        assert_eq!(read["ticket"], json!("OPS-7"));
        assert_eq!(read["count"], json!(2));
        let wrong = approval.read(&BTreeMap::from([("count".to_owned(), "many".to_owned())])).unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert_eq!(approval.fields()[1], ("ticket".to_owned(), "string".to_owned()));
    }

    #[test]
    fn those_who_may_approve_are_named_with_or_without_their_host() {
        let approval = approval("{message: go?, by: [alice, bob@ops]}");
        assert!(approval.may_be_given_by("alice@laptop") && approval.may_be_given_by("bob@ops"));
        assert!(!approval.may_be_given_by("bob@laptop"));
        assert_eq!(approval.by(), "alice, bob@ops");
    }
}
