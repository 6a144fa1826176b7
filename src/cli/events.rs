//! `runhub events`: what happened to an object and what it owns, or in a namespace.

use clap::Args;
use serde_json::{Value, json};

use super::Display;
use super::environment::Environment;
use super::exit::{self, Stop};
use super::look;
use super::output::{self, Output};
use super::subject;
use super::terminal::{say, style};
use crate::console::objects;

/// Whose events.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// An object, `deployment shop/web`; without one all events of the namespace.
    #[arg(num_args = 0..=2, value_name = "[KIND] NAME")]
    words: Vec<String>,
    #[command(flatten)]
    output: output::Options,
    #[command(flatten)]
    look: look::Options,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let style = style(display, environment);
    look::at(&options.look, display, environment, |look| async move {
        let target = target(options)?;
        let mut observed = look.observe("events", &target).await?;
        look.redactor().value(&mut observed.result);
        let items = observed.result.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = match &options.output.output {
            Output::Table | Output::Wide if items.is_empty() => {
                look::remark(display, "no events");
                String::new()
            }
            Output::Table | Output::Wide => {
                let wide = matches!(options.output.output, Output::Wide);
                let view = objects::View { namespaces: false, wide, now: look.clock().now() };
                objects::table("Event", &items, &view, &style)
            }
            Output::Name => items.iter().map(objects::name).map(|name| name + "\n").collect(),
            other => output::written(other, &json!({"apiVersion": "v1", "kind": "List", "items": items}))?,
        };
        say(&text);
        Ok(exit::PASSED)
    })
}

fn target(options: &Options) -> Result<Value, Stop> {
    let namespace = options.look.namespace.as_deref();
    if options.words.is_empty() {
        let namespace = namespace.ok_or_else(|| Stop::usage("say whose: KIND NAME, or --namespace for all in it"))?;
        return Ok(json!({"namespace": namespace}));
    }
    Ok(subject::one(&options.words, "pod")?.target(namespace)?.unwrap_or_default())
}
