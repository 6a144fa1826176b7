//! What a step does with the run itself.

use super::Parser;
use crate::document::{self, DurationText, Entry, Kind, Mode, Node};
use crate::form::Form;
use crate::runbook::approve::ApproveArguments;
use crate::runbook::{Control, Guard, UndoWhich};
use crate::source::Diagnostic;

impl Parser {
    pub(super) fn control(&mut self, entry: &Entry, id: &str) -> Option<Control> {
        let value = &entry.value;
        match entry.key.text.as_str() {
            "group" => Some(self.group(value, id)),
            "note" => Some(Control::Note(self.text_form(value))),
            "fail" => Some(Control::Fail(self.text_form(value))),
            "assert" => self.assert(value),
            "pause" => Some(Control::Pause(self.pause(value))),
            "undo-steps" => self.undo_which(value).map(Control::UndoSteps),
            "use" => Some(Control::Use(Form::new(value.clone(), &mut self.out))),
            "approve" => Some(Control::Approve(self.approve(value))),
            other => {
                self.error(format!("`{other}` is no action"), entry.key.span);
                None
            }
        }
    }

    fn assert(&mut self, value: &Node) -> Option<Control> {
        if matches!(&value.kind, Kind::Sequence(items) if items.is_empty()) {
            let complaint = Diagnostic::error("this asserts nothing", value.span);
            self.out.push(complaint.help("write `- {that: \"steps.look.outputs.replicas == 3\"}`"));
        }
        self.expectations(value).map(Control::Assert)
    }

    fn group(&mut self, value: &Node, id: &str) -> Control {
        let (mut steps, mut guards) = (Vec::new(), Vec::new());
        for entry in self.mapping(value, "`group`") {
            match entry.key.text.as_str() {
                "steps" => steps = self.steps(&entry.value, &format!("{id}-step")),
                "guards" => guards = self.guards(&entry.value),
                _ => self.unknown_key(&entry.key, &["steps", "guards"], "`group`"),
            }
        }
        if matches!(value.kind, Kind::Mapping(_)) && steps.is_empty() {
            let place = value.get("steps").map_or(value.span, |steps| steps.span);
            self.out.push(Diagnostic::error("a group needs `steps`", place).help("write at least one step into it"));
        }
        Control::Group { steps, guards }
    }

    pub(super) fn guard(&mut self, item: Node) -> Guard {
        let form = Form::new(item, &mut self.out);
        crate::action::check_guard(form.node(), &mut self.out);
        Guard { form }
    }

    /// A text that may hold templates.
    fn text_form(&mut self, value: &Node) -> Form {
        if value.scalar().is_none() {
            self.error(format!("this takes text, not {}", value.describe()), value.span);
        }
        Form::new(value.clone(), &mut self.out)
    }

    fn pause(&mut self, value: &Node) -> Form {
        if !value.is_template() {
            document::decode::<DurationText>(value, Mode::Whole, &mut self.out);
        }
        Form::new(value.clone(), &mut self.out)
    }

    fn undo_which(&mut self, value: &Node) -> Option<UndoWhich> {
        if value.as_text() == Some("all") {
            return Some(UndoWhich::All);
        }
        if value.items().is_empty() {
            let complaint = Diagnostic::error(
                format!("`undo-steps` takes `all` or a list of ids, not {}", value.describe()),
                value.span,
            );
            self.out.push(complaint.help("write `undo-steps: all` or `undo-steps: [grow, nightly_off]`"));
            return None;
        }
        let ids = value.items().iter().filter_map(|item| Some((self.literal::<String>(item)?, item.span))).collect();
        Some(UndoWhich::Ids(ids))
    }

    fn approve(&mut self, value: &Node) -> Form {
        document::decode::<ApproveArguments>(value, Mode::Holes, &mut self.out);
        Form::new(value.clone(), &mut self.out)
    }
}
