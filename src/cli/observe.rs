//! `runhub observe`: any action that only reads, by itself.

use clap::Args;

use super::Display;
use super::environment::Environment;
use super::exit::{self, Stop};
use super::look;
use super::output::{self, Output};
use super::terminal::{complain, error_style, fail, say, style};
use crate::console::objects::View;
use crate::console::{Aside, Style, answer};
use crate::document;
use crate::source::{Diagnostic, Source};

/// Which action, and its arguments.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The action: `runhub actions` lists them; those that read will do.
    #[arg(value_name = "ACTION")]
    action: String,
    /// Its arguments as in a step: `{deployment: shop/web, timeout: 2m}`.
    #[arg(value_name = "YAML", default_value = "{}")]
    arguments: String,
    #[command(flatten)]
    output: output::Options,
    #[command(flatten)]
    look: look::Options,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let (style, errors) = (style(display, environment), error_style(display, environment));
    let arguments = match read(&options.arguments, &errors) {
        Ok(arguments) => arguments,
        Err(stop) => {
            fail(stop.message);
            return stop.code;
        }
    };
    let aside = Aside::new(errors, Box::new(std::io::stderr())).telling_waits();
    look::at_beside(&options.look, environment, aside, |look| async move {
        let mut observed = look.observe(&options.action, &arguments).await?;
        look.redactor().value(&mut observed.result);
        let output = &options.output.output;
        let text = match output {
            Output::Table | Output::Wide => {
                let wide = matches!(output, Output::Wide);
                let view = View { namespaces: true, wide, now: look.clock().now() };
                let table = answer::table(&observed.result, &view, &style);
                table.map_or_else(|| output::written(&Output::Yaml, &observed.result), Ok)?
            }
            other => output::written(other, &observed.result)?,
        };
        if text.is_empty() {
            look::remark(display, "nothing found");
        }
        say(&text);
        Ok(exit::PASSED)
    })
}

/// The arguments as a value; a mistake in their YAML is drawn where it stands.
fn read(text: &str, errors: &Style) -> Result<serde_json::Value, Stop> {
    let source = Source::new("arguments", text);
    let (node, complaints) = document::read(&source);
    complain(&source, &complaints, errors);
    if complaints.iter().any(Diagnostic::is_error) {
        return Err(Stop::usage("the arguments are no YAML: write them as in a step, {deployment: shop/web}"));
    }
    Ok(node.map_or_else(|| serde_json::json!({}), |node| node.to_json()))
}
