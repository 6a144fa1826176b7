//! Outputs and expectations of a step.

use super::Parser;
use crate::document::{self, Entry, JsonPath, Kind, Mode, Node};
use crate::expect::Expectation;
use crate::form::Form;
use crate::runbook::OutputDeclaration;
use crate::runbook::step::OutputSource;

const OUTPUT_KEYS: [&str; 6] = ["path", "value", "optional", "default", "secret", "many"];

impl Parser {
    /// A list of expectations: its form, after it was read once with holes.
    pub(super) fn expectations(&mut self, node: &Node) -> Option<Form> {
        let form = Form::new(node.clone(), &mut self.out);
        Expectation::list(form.node(), Mode::Holes, &mut self.out)?;
        Some(form)
    }

    pub(super) fn outputs(&mut self, node: &Node) -> Vec<OutputDeclaration> {
        let entries = self.mapping(node, "`outputs`");
        entries.iter().map(|entry| self.output(entry)).collect()
    }

    fn output(&mut self, entry: &Entry) -> OutputDeclaration {
        self.identifier(entry, "an output");
        let mut output = OutputDeclaration {
            name: entry.key.text.clone(),
            span: entry.key.span,
            from: OutputSource::Value(Form::empty()),
            optional: false,
            default: None,
            secret: false,
            many: false,
        };
        let Kind::Mapping(keys) = &entry.value.kind else {
            self.output_path(&mut output, &entry.value);
            return output;
        };
        for key in keys {
            self.output_key(&mut output, key);
        }
        match (entry.value.get("path"), entry.value.get("value")) {
            (Some(_), Some(value)) => self.error("an output has a `path` or a `value`, not both", value.span),
            (None, None) => {
                self.error(format!("output `{}` needs a `path` or a `value`", output.name), entry.value.span);
            }
            _ => {}
        }
        output
    }

    fn output_key(&mut self, output: &mut OutputDeclaration, entry: &Entry) {
        match entry.key.text.as_str() {
            "path" => self.output_path(output, &entry.value),
            "value" => output.from = OutputSource::Value(Form::new(entry.value.clone(), &mut self.out)),
            "optional" => output.optional = self.literal(&entry.value).unwrap_or(false),
            "default" => output.default = Some(Form::new(entry.value.clone(), &mut self.out)),
            "secret" => output.secret = self.literal(&entry.value).unwrap_or(false),
            "many" => output.many = self.literal(&entry.value).unwrap_or(false),
            _ => self.unknown_key(&entry.key, &OUTPUT_KEYS, "an output"),
        }
    }

    fn output_path(&mut self, output: &mut OutputDeclaration, node: &Node) {
        if let Some(path) = document::decode::<JsonPath>(node, Mode::Whole, &mut self.out) {
            output.from = OutputSource::Path(path);
        }
    }
}
