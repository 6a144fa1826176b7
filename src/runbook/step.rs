//! A step and its parts.

use std::sync::Arc;
use std::time::Duration;

use crate::action::{Action, ActionKind, Changes};
use crate::document::JsonPath;
use crate::expect::Expectation;
use crate::form::Form;
use crate::source::Span;
use crate::template::{Expression, Template};

/// One step of a runbook.
#[derive(Debug)]
pub struct Step {
    /// The written id, or one made from the position (`step-3`), which cannot be referred to.
    pub id: String,
    /// Whether the id was written.
    pub named: bool,
    /// One line for people.
    pub name: Option<Form>,
    /// Runs only when this is true.
    pub when: Option<Expression>,
    /// Runs once for each item.
    pub for_each: Option<ForEach>,
    /// What it does.
    pub body: Body,
    /// What must hold afterwards; a list of expectations.
    pub expect: Option<Form>,
    /// What it keeps for later steps.
    pub outputs: Vec<OutputDeclaration>,
    /// When it is tried again.
    pub retry: Option<Retry>,
    /// Its one clock.
    pub timeout: Option<Duration>,
    /// The clock of one try.
    pub attempt_timeout: Option<Duration>,
    /// The run goes on after it went badly.
    pub continue_on_error: bool,
    /// What is done when it went badly.
    pub on_failure: Option<Branch>,
    /// What is done however it went.
    pub always: Option<Branch>,
    /// How it is taken back.
    pub undo: UndoPolicy,
    /// A question of its own.
    pub confirm: Option<Form>,
    /// For picking.
    pub tags: Vec<String>,
    /// The whole step.
    pub span: Span,
    /// The action's key.
    pub action_span: Span,
}

/// What a step does.
#[derive(Debug)]
pub enum Body {
    /// Something to a target.
    Act(Act),
    /// Something with the run itself.
    Control(Control),
}

/// An action with its arguments.
#[derive(Debug)]
pub struct Act {
    /// The row of the action's table.
    pub kind: &'static ActionKind,
    /// The arguments, with holes.
    pub arguments: Form,
    /// The action, where there are no holes.
    pub ready: Option<Arc<dyn Action>>,
    /// The action as far as it can be told with holes: for its timeout and its words.
    pub outline: Arc<dyn Action>,
}

/// What a step does with the run itself.
#[derive(Debug)]
pub enum Control {
    /// Several steps as one.
    Group {
        /// Its steps.
        steps: Vec<Step>,
        /// What must hold while they run.
        guards: Vec<Guard>,
    },
    /// A line in the report.
    Note(Form),
    /// Conditions that must hold.
    Assert(Form),
    /// A pause.
    Pause(Form),
    /// An end with a message.
    Fail(Form),
    /// Takes back what steps changed.
    UndoSteps(UndoWhich),
    /// Another runbook; not run by this version.
    Use(Form),
    /// A person's approval.
    Approve(Form),
}

impl Control {
    /// The key in the document.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Group { .. } => "group",
            Self::Note(_) => "note",
            Self::Assert(_) => "assert",
            Self::Pause(_) => "pause",
            Self::Fail(_) => "fail",
            Self::UndoSteps(_) => "undo-steps",
            Self::Use(_) => "use",
            Self::Approve(_) => "approve",
        }
    }
}

/// Which steps are taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoWhich {
    /// All.
    All,
    /// Those with these ids, each with its place.
    Ids(Vec<(String, Span)>),
}

/// A loop.
#[derive(Debug)]
pub struct ForEach {
    /// The list, or a template that gives one.
    pub items: Form,
    /// The name of the item; `item` if not given.
    pub name: String,
    /// What names an item in report and journal.
    pub key: Option<Template>,
    /// Where the key stands.
    pub key_span: Span,
    /// How many run at once.
    pub max_parallel: usize,
    /// More items than this fail before the first.
    pub max_items: Option<usize>,
    /// What a bad item does to the rest.
    pub on_error: OnError,
}

/// What a bad item does to the rest of its loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// No new item begins.
    #[default]
    Stop,
    /// All are tried, then the step fails.
    Finish,
}

/// A list of steps that answers for an end.
#[derive(Debug, Default)]
pub struct Branch {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Whether the failure counts as handled when they all pass.
    pub handles: bool,
}

/// The book's `on-failure`.
#[derive(Debug)]
pub enum FailureBranch {
    /// Steps.
    Steps(Branch),
    /// The run stops and waits for a decision.
    Pause(Span),
}

impl FailureBranch {
    /// Its steps, if it is a list.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Steps(branch) => &branch.steps,
            Self::Pause(_) => &[],
        }
    }
}

/// How a step is taken back.
#[derive(Debug, Default)]
pub enum UndoPolicy {
    /// From what was written before it.
    #[default]
    Auto,
    /// By steps of its own.
    Steps(Vec<Step>),
    /// Not at all, and why.
    Never(String),
}

/// What a step keeps for later ones.
#[derive(Debug)]
pub struct OutputDeclaration {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Where it comes from.
    pub from: OutputSource,
    /// It may be missing.
    pub optional: bool,
    /// What stands for it when the path selects nothing.
    pub default: Option<Form>,
    /// Its value is never shown.
    pub secret: bool,
    /// All nodes, as a list.
    pub many: bool,
}

/// Where an output comes from.
#[derive(Debug)]
pub enum OutputSource {
    /// A path into the result.
    Path(JsonPath),
    /// A template.
    Value(Form),
}

/// When a step is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Tries in all.
    pub attempts: u32,
    /// The pause after the first try; it doubles.
    pub backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// The part of a pause that is random, from 0 to 1.
    pub jitter: f64,
    /// After which troubles.
    pub on: Vec<RetryOn>,
    /// Where it stands; nothing when inherited.
    pub span: Span,
}

/// A trouble after which a step may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetryOn {
    /// No answer.
    Transport,
    /// The server asks to slow down.
    Throttle,
    /// Someone else changed the object.
    Conflict,
    /// The server failed.
    Server,
    /// An expectation did not hold.
    Expectation,
}

/// What every step of a book inherits.
#[derive(Debug, Default)]
pub struct Defaults {
    /// The namespace of names without one.
    pub namespace: Option<Form>,
    /// The clock of one try.
    pub attempt_timeout: Option<Duration>,
    /// When a step is tried again.
    pub retry: Option<Retry>,
    /// How often a wait looks when it cannot watch.
    pub every: Option<Duration>,
}

/// A value that is computed once.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What it is.
    pub value: Form,
    /// It is never shown.
    pub secret: bool,
}

/// A name with a value that may have holes.
#[derive(Debug)]
pub struct NamedForm {
    /// The name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// The value.
    pub value: Form,
}

/// How much a run may touch (runbook-format §8).
#[derive(Debug)]
pub struct Budget {
    /// The mapping, with holes.
    pub limits: Form,
}

/// What must hold while steps run.
#[derive(Debug)]
pub struct Guard {
    /// The mapping, with holes.
    pub form: Form,
}

impl Step {
    /// The lists of steps inside it.
    pub fn lists(&self) -> Vec<&[Step]> {
        let mut lists: Vec<&[Step]> = Vec::new();
        if let Body::Control(Control::Group { steps, .. }) = &self.body {
            lists.push(steps);
        }
        lists.extend([&self.on_failure, &self.always].into_iter().flatten().map(|branch| branch.steps.as_slice()));
        if let UndoPolicy::Steps(steps) = &self.undo {
            lists.push(steps);
        }
        lists
    }

    /// Whether it may change something by itself.
    pub fn may_change(&self) -> bool {
        match &self.body {
            Body::Act(act) => match act.kind.changes {
                Changes::No => false,
                Changes::Yes => true,
                Changes::Says => act.outline.effect().changes(),
            },
            Body::Control(Control::UndoSteps(_)) => true,
            Body::Control(_) => false,
        }
    }

    /// The key of its action.
    pub fn action(&self) -> &'static str {
        match &self.body {
            Body::Act(act) => act.kind.name,
            Body::Control(control) => control.name(),
        }
    }

    /// The expectations, where they have no holes.
    pub fn constant_expectations(&self) -> Option<Vec<Expectation>> {
        let form = self.expect.as_ref().filter(|form| form.is_whole())?;
        let mut out = Vec::new();
        Expectation::list(form.node(), crate::document::Mode::Whole, &mut out)
    }
}

pub(super) fn gather<'a>(steps: &'a [Step], found: &mut Vec<&'a Step>) {
    for step in steps {
        found.push(step);
        for list in step.lists() {
            gather(list, found);
        }
    }
}
