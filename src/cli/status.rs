//! `runhub status`: an application space at a glance.

use clap::Args;
use serde_json::json;

use super::Display;
use super::environment::Environment;
use super::exit::{self, Stop};
use super::look;
use super::output::{self, Output};
use super::terminal::{say, style};
use crate::console::space;

/// Which space.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The namespace; `--namespace` says the same.
    #[arg(value_name = "NAMESPACE")]
    space: Option<String>,
    /// How many of the newest events.
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    events: usize,
    #[command(flatten)]
    output: output::Options,
    #[command(flatten)]
    look: look::Options,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let style = style(display, environment);
    look::at(&options.look, display, environment, |look| async move {
        let space = options.space.as_ref().or(options.look.namespace.as_ref());
        let space = space.ok_or_else(|| Stop::usage("say which namespace: runhub status shop"))?;
        let mut observed = look.observe("status", &json!({"namespace": space, "events": options.events})).await?;
        look.redactor().value(&mut observed.result);
        look.redactor().value(&mut observed.info);
        let text = match &options.output.output {
            Output::Table | Output::Wide => {
                space::show(space, (&observed.result, &observed.info), look.clock().now(), &style)
            }
            other => output::written(other, &observed.result)?,
        };
        say(&text);
        Ok(exit::PASSED)
    })
}
