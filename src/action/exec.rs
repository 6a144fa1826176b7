//! `exec`: a command in a container.
//!
//! What it does to the world only its author knows and says (`effect`); one
//! that says nothing of it is taken to change something each time. It is
//! journaled as a change of its pod, so that budget and consent know of it.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::ended::{Ended, KEPT, spoken};
use super::execute::{Done, Execution};
use super::row::{aimed, schema_of};
use super::says::Says;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook, failure};
use crate::cluster::exec::{Exec as Call, Executed};
use crate::cluster::resource::{Address, POD};
use crate::document::{Container, Mode, Node, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};
use crate::source::Diagnostic;

const RULE: TargetRule = TargetRule { kinds: &[], sets: false, container: true, object: false, required: true };

/// Runs a command in a container, without a shell of ours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The program and its arguments, a list.
    command: Vec<String>,
    /// What it reads; the place for a secret.
    #[serde(default)]
    stdin: Option<String>,
    /// `none`, `repeatable` or `once` (where nothing is written).
    #[serde(default)]
    effect: Says,
    /// Exit codes that are well; 0 where nothing is written.
    #[serde(default = "zero")]
    ok_exit_codes: Vec<u8>,
}

/// The exit codes that are well where none are written.
pub(super) fn zero() -> Vec<u8> {
    vec![0]
}

#[derive(Debug)]
struct Exec {
    container: Container,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "exec",
    help: "a command in a container",
    target: &RULE,
    changes: Changes::Says,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &["command"],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        needs_words("command", node, mode, out);
        let Target::Container(container) = target? else { return None };
        Some(Box::new(Exec { container, arguments }))
    },
    schema: schema_of::<Arguments>,
};

/// A list of words is not empty, and neither is its first.
pub(super) fn needs_words(key: &str, node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) {
    let Some(words) = node.get(key).filter(|words| !(mode == Mode::Holes && words.is_template())) else { return };
    if words.items().first().is_none_or(|first| first.as_text() == Some("")) {
        let complaint = Diagnostic::error(format!("`{key}` names no program"), words.span);
        out.push(complaint.help("write the program and its arguments as a list: [psql, -Atc, select 1]"));
    }
}

#[async_trait]
impl Action for Exec {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.address(&self.container.pod).await?;
        let pod = context.get(&address).await?;
        must_run(&pod, &self.container.container)?;
        let what = format!("{} in {address}/{}", spoken(&self.arguments.command), self.container.container);
        let started = Instant::now();
        let done = match self.effect() {
            Effect::Nothing => self.run(context, &address, &what).await.map_err(|(failure, _)| failure)?,
            effect => {
                let summary = format!("run {}", spoken(&self.arguments.command));
                let execution = Execution::with(&effect, ObjectId::of(&pod), summary);
                context.execute(execution, async { Done::of(self.run(context, &address, &what).await) }).await?
            }
        };
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let cut = done.stdout.cut || done.stderr.cut;
        if cut {
            context.warn(format!("{what} said more than {KEPT} bytes; only the first were kept"));
        }
        let (stdout, stderr) = (done.stdout.text(), done.stderr.text());
        Ended { what: &what, exit_code: done.exit_code, stdout, stderr, cut, took }
            .judged(&self.arguments.ok_exit_codes, self.effect().changes())
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("a command in a container is only run by a run".into()))
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::beside("create", &Target::Container(self.container.clone()), &POD, Some("exec"))]
    }

    fn effect(&self) -> Effect {
        self.arguments.effect.effect("the command")
    }

    fn waits(&self) -> bool {
        true
    }
}

impl Exec {
    /// Runs it; a failure comes with whether the command may have run all the same.
    async fn run(&self, context: &Context, pod: &Address, what: &str) -> Result<Executed, (Failure, bool)> {
        let call = Call {
            container: self.container.container.clone(),
            command: self.arguments.command.clone(),
            stdin: self.arguments.stdin.clone().map(String::into_bytes),
            limit: KEPT,
        };
        context.waiting(&format!("{what} runs"), Vec::new());
        let done = context.client().exec(pod, &call).await;
        done.map_err(|error| (failure::of_error(&error, what), error.may_have_applied()))
    }
}

/// The container is there and runs: said in words of our own, because servers say it in those of their runtime.
fn must_run(pod: &Value, container: &str) -> Result<(), Failure> {
    let id = ObjectId::of(pod);
    let named = |list: &str| {
        let containers = pod.pointer(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        containers.iter().filter(|one| one.get("name").is_some()).collect::<Vec<_>>()
    };
    let known: Vec<&str> = ["/spec/containers", "/spec/initContainers", "/spec/ephemeralContainers"]
        .into_iter()
        .flat_map(named)
        .filter_map(|one| one.get("name")?.as_str())
        .collect();
    if !known.contains(&container) {
        let message = format!("{id} has no container `{container}`");
        return Err(Failure::new(Class::NotFound, message).help(format!("it has: {}", known.join(", "))));
    }
    let statuses = ["/status/containerStatuses", "/status/initContainerStatuses", "/status/ephemeralContainerStatuses"];
    let state = statuses
        .into_iter()
        .flat_map(named)
        .find(|status| status.get("name").is_some_and(|name| name == container))
        .and_then(|status| status.get("state"));
    match state {
        Some(state) if state.get("running").is_none() => {
            let word = state.as_object().and_then(|state| state.keys().next()).map_or("waiting", String::as_str);
            let message = format!("the container `{container}` of {id} does not run: it is {word}");
            Err(Failure::new(Class::Hopeless, message).help("`wait` until it runs, or look at its `logs` and `events`"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{Stage, complaints, decoded, pod, ready};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_container_that_is_not_there_or_does_not_run_is_refused_before_anything_is_sent() {
        let stage = Stage::new([pod("shop", "db-0", "u")]);
        let absent = ready(&ROW, "{container: shop/db-0/dbb, command: [ls]}").act(&stage.context()).await.unwrap_err();
        assert_eq!((absent.class, absent.help.as_deref()), (Class::NotFound, Some("it has: web")));
        let mut broken = pod("shop", "db-0", "u");
        broken["status"]["containerStatuses"] =
            json!([{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        let stage = Stage::new([broken]);
        let waiting = ready(&ROW, "{container: shop/db-0/web, command: [ls]}").act(&stage.context()).await.unwrap_err();
        assert_eq!(waiting.message, "the container `web` of Pod shop/db-0 does not run: it is waiting");
        assert!(stage.writes().is_empty() && stage.made().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_never_reached_the_container_is_no_change() {
        let stage = Stage::new([pod("shop", "db-0", "u")]);
        let lost = ready(&ROW, "{container: shop/db-0/web, command: [ls]}").act(&stage.context()).await.unwrap_err();
        assert_eq!(lost.class, Class::Transport);
        let made = stage.made();
        assert_eq!((made.len(), made[0].change.object.to_string()), (1, "Pod shop/db-0".into()));
        assert!(!made[0].stands(), "{made:?}");
    }

    #[test]
    fn the_author_says_what_it_does() {
        let effect = |says: &str| ready(&ROW, &format!("{{container: a/b/c, command: [ls], effect: {says}}}")).effect();
        assert_eq!(effect("none"), Effect::Nothing);
        assert_eq!(effect("repeatable"), Effect::Passing);
        assert!(matches!(effect("once"), Effect::Final(_)));
        assert!(matches!(
            ready(&ROW, "{container: {pod: a/b, container: c}, command: [ls]}").effect(),
            Effect::Final(_)
        ));
    }

    #[test]
    fn a_command_is_a_list_of_words_or_a_whole_template() {
        assert!(complaints(&ROW, "{container: a/b/c, command: []}")[0].message.contains("names no program"));
        assert!(complaints(&ROW, "{container: a/b/c, command: ls -l}")[0].message.contains("a list"));
        assert!(complaints(&ROW, "{container: a/b/c}")[0].message.contains("command"));
        let (_, holes) = decoded(&ROW, "{container: a/b/c, command: '{{ vars.verify }}'}", Mode::Holes);
        assert!(holes.is_empty());
    }
}
