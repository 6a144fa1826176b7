//! Consent, once a run: what will be changed is shown and one question is asked.

use super::run::{Run, fill};
use super::step::words;
use super::tags;
use crate::action::Effect;
use crate::document::{Kind, Node};
use crate::event::{Answer, Class, Consent, EffectLine, EventKind, Failure, Phase, Plan, Question};
use crate::runbook::{Body, Control, FailureBranch, Step, UndoPolicy};
use crate::template::Scope;

/// Asks, where the book has effects that need consent and `--yes` was not given.
///
/// `plan` is what is shown of the changes, where somebody looked.
pub(super) async fn ask(run: &Run, scope: &Scope, plan: Option<Plan>) -> Result<(), Failure> {
    if run.order.options.yes {
        return Ok(());
    }
    let effects = effects(run, scope);
    if effects.is_empty() {
        return Ok(());
    }
    let target = &run.order.target;
    let consent = Consent {
        book: run.order.book.name.clone(),
        target: format!("{} as {}", target.name, target.user),
        effects,
        budget: run.shared.gate.account(&run.shared.made),
        plan: plan.map(Box::new),
    };
    let question = asked(&consent);
    let answer = run.asker.ask(&Question::Consent(consent)).await;
    run.shared.fan.tell(EventKind::Asked { question, answer: words(&answer) });
    match answer {
        Answer::Yes => Ok(()),
        Answer::No(_) | Answer::Filled(_) | Answer::Chosen(_) => {
            Err(Failure::new(Class::Consent, "the changes were not agreed to; nothing was sent"))
        }
        Answer::Nobody(hint) => Err(Failure::new(
            Class::Consent,
            "this book changes things, and nobody is there to agree; nothing was sent",
        )
        .help(hint)),
    }
}

/// The question as the record keeps it: with all that was agreed to, or not.
fn asked(consent: &Consent) -> String {
    let line = |effect: &EffectLine| match &effect.not_undoable {
        Some(reason) => format!("{}: {} (cannot be taken back: {reason})", effect.step, effect.what),
        None => format!("{}: {}", effect.step, effect.what),
    };
    let lines: Vec<String> = consent.effects.iter().map(line).collect();
    format!("may these changes be made: {}?", lines.join("; "))
}

/// Whether a person will be asked before the first change.
pub(super) fn is_asked(run: &Run, scope: &Scope) -> bool {
    !run.order.options.yes && run.asker.is_there() && !effects(run, scope).is_empty()
}

/// The changes of `steps` and `on-failure` that need consent; undo and `always` need none.
fn effects(run: &Run, scope: &Scope) -> Vec<EffectLine> {
    let book = &run.order.book;
    let mut lines = Vec::new();
    for step in book.steps.iter().filter(|step| tags::is_picked(step, Phase::Steps, &run.order.options)) {
        gather(step, scope, &mut lines);
    }
    if let Some(FailureBranch::Steps(branch)) = &book.on_failure {
        branch.steps.iter().for_each(|step| gather(step, scope, &mut lines));
    }
    lines
}

fn gather(step: &Step, scope: &Scope, lines: &mut Vec<EffectLine>) {
    match &step.body {
        Body::Act(act) if act.kind.consent && step.may_change() => {
            let not_undoable = match (&step.undo, act.outline.effect()) {
                (UndoPolicy::Never(reason), _) => Some(reason.clone()),
                (UndoPolicy::Auto, Effect::Final(reason)) => Some(reason),
                _ => None,
            };
            lines.push(EffectLine { step: step.id.clone(), what: Run::describe(step, scope), not_undoable });
        }
        Body::Control(Control::Group { steps, .. }) => steps.iter().for_each(|step| gather(step, scope, lines)),
        Body::Act(_) | Body::Control(_) => {}
    }
    for branch in [&step.on_failure, &step.always].into_iter().flatten() {
        branch.steps.iter().for_each(|step| gather(step, scope, lines));
    }
}

impl Run {
    /// The changes that come after a step of the book, up to the next `approve`.
    pub(super) fn effects_after(&self, step: &Step, scope: &Scope) -> Vec<EffectLine> {
        let asks = |step: &Step| matches!(step.body, Body::Control(Control::Approve(_)));
        let rest = self.order.book.steps.iter().skip_while(|other| other.id != step.id).skip(1);
        let mut lines = Vec::new();
        for step in rest.take_while(|step| !asks(step)) {
            gather(step, scope, &mut lines);
        }
        lines
    }

    /// The step's line for people: its name, else what it does.
    pub(super) fn title(&self, step: &Step, scope: &Scope) -> String {
        let Some(name) = &step.name else { return Self::describe(step, scope) };
        match fill(name, scope, &self.shared.fan) {
            Ok((value, _)) => value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned),
            Err(_) => name.node().as_text().unwrap_or_default().to_owned(),
        }
    }

    /// What a step does, in words: its action and the plain values of its arguments.
    fn describe(step: &Step, scope: &Scope) -> String {
        let form = match &step.body {
            Body::Act(act) => &act.arguments,
            Body::Control(Control::Note(form) | Control::Pause(form)) => form,
            Body::Control(Control::Group { steps, .. }) => return format!("group of {}", steps.len()),
            Body::Control(control) => return control.name().to_owned(),
        };
        let filled = form.fill(scope).ok().filter(|filled| filled.secrets.is_empty());
        let node = filled.as_ref().map_or(form.node(), |filled| &filled.node);
        let words = in_words(node);
        if words.is_empty() { step.action().to_owned() } else { format!("{} {words}", step.action()) }
    }
}

/// What a step's line may hold before it is cut.
const LONGEST_LINE: usize = 120;

/// `deployment shop/web, replicas 3`, `pods (in shop, selector app web)`; lists only by their key.
fn in_words(node: &Node) -> String {
    let text = words_of(node);
    if text.chars().count() <= LONGEST_LINE {
        return text;
    }
    text.chars().take(LONGEST_LINE - 1).chain(['…']).collect()
}

fn words_of(node: &Node) -> String {
    match &node.kind {
        Kind::Null => String::new(),
        Kind::Scalar(scalar) => scalar.text.lines().next().unwrap_or_default().to_owned(),
        Kind::Sequence(items) => format!("({})", items.len()),
        Kind::Mapping(entries) => {
            let words: Vec<String> =
                entries.iter().map(|entry| words_of_entry(&entry.key.text, &entry.value)).collect();
            words.join(", ")
        }
    }
}

fn words_of_entry(key: &str, value: &Node) -> String {
    match &value.kind {
        Kind::Null | Kind::Sequence(_) => key.to_owned(),
        Kind::Scalar(_) => format!("{key} {}", words_of(value)),
        Kind::Mapping(entries) if entries.len() == 1 => format!("{key} {}", words_of(value)),
        Kind::Mapping(_) => format!("{key} ({})", words_of(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::source::Source;

    fn said(text: &str) -> String {
        let (node, _) = document::read(&Source::new("book.yaml", text));
        in_words(&node.expect("a document"))
    }

    #[test]
    fn arguments_are_told_in_one_line() {
        assert_eq!(said("{deployment: shop/web, replicas: 3}"), "deployment shop/web, replicas 3");
        assert_eq!(said("{pods: {of: {job: shop/migrate}}}"), "pods of job shop/migrate");
        assert_eq!(said("{pods: {in: shop, selector: {app: web}}}"), "pods (in shop, selector app web)");
        assert_eq!(said("{http: {url: a}, until: [{path: $.status}]}"), "http url a, until");
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(said(&"x".repeat(200)).chars().count(), LONGEST_LINE);
    }
}
