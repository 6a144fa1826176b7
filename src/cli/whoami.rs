//! `runhub whoami`: who we are to the target.

use clap::Args;
use serde_json::{Value, json};

use super::Display;
use super::environment::Environment;
use super::exit;
use super::look;
use super::output::{self, Output};
use super::terminal::{say, style};
use crate::console::age::age;
use crate::console::space;

/// Whom to ask.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    output: output::Options,
    #[command(flatten)]
    look: look::Options,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let style = style(display, environment);
    look::at(&options.look, display, environment, |look| async move {
        let mut observed = look.observe("context", &json!({})).await?;
        look.redactor().value(&mut observed.result);
        let text = match &options.output.output {
            Output::Table | Output::Wide => {
                let login = observed.info.get("login").cloned().unwrap_or(Value::Null);
                let ends = look.expires().map(|end| format!("in {}", age(look.clock().now(), end)));
                space::facts(&[("login", login), ("token ends", json!(ends))], &observed.result, &style)
            }
            other => output::written(other, &observed.result)?,
        };
        say(&text);
        Ok(exit::PASSED)
    })
}
