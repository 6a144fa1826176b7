//! How the terminal is to be written to, from flags and environment.

use std::io::Write as _;

use super::environment::Environment;
use super::{Colour, Display};
use crate::console::colour::{Choice, Wishes, decide};
use crate::console::{Loudness, Style, diagnostics};
use crate::source::{Diagnostic, Source};

/// The style of the standard output.
pub(super) fn style(display: &Display, environment: &Environment) -> Style {
    styled(display, environment, environment.stdout_is_terminal)
}

/// The style of the standard error.
pub(super) fn error_style(display: &Display, environment: &Environment) -> Style {
    styled(display, environment, environment.stderr_is_terminal)
}

fn styled(display: &Display, environment: &Environment, is_terminal: bool) -> Style {
    let choice = match display.color {
        Colour::Auto => Choice::Auto,
        Colour::Always => Choice::Always,
        Colour::Never => Choice::Never,
    };
    let wishes = Wishes {
        choice,
        no_color: environment.get("NO_COLOR"),
        clicolor_force: environment.get("CLICOLOR_FORCE"),
        clicolor: environment.get("CLICOLOR"),
        term: environment.get("TERM"),
        is_terminal,
    };
    let loudness = match (display.quiet, display.verbose) {
        (true, _) => Loudness::Quiet,
        (_, true) => Loudness::Verbose,
        _ => Loudness::Normal,
    };
    let dumb = environment.get("TERM") == Some("dumb");
    Style {
        colour: decide(&wishes),
        unicode: speaks_unicode(environment),
        width: is_terminal.then(|| width(environment)),
        interactive: is_terminal && environment.stderr_is_terminal && !dumb && !display.quiet,
        loudness,
    }
}

/// Whether the locale takes more than ASCII; without a locale a pipe does, a C locale does not.
fn speaks_unicode(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn width(environment: &Environment) -> usize {
    let told = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
    told.or_else(|| console_width().filter(|columns| *columns > 0)).unwrap_or(80)
}

fn console_width() -> Option<usize> {
    let (_, columns) = ::console::Term::stdout().size_checked()?;
    Some(usize::from(columns))
}

/// Draws complaints on the standard error.
pub(super) fn complain(source: &Source, complaints: &[Diagnostic], style: &Style) {
    say_error(&diagnostics::draw(source, complaints, style));
}

/// Writes to the standard output; a reader that went away is no error of ours.
pub(super) fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes to the standard error.
pub(super) fn say_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// One line of an error that ends a command.
pub(super) fn fail(message: impl std::fmt::Display) {
    say_error(&format!("error: {message}\n"));
}
