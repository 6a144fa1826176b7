//! `runhub completions`: the words of the command line, for a shell to complete.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::exit;
use super::terminal::say;

/// Which shell.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell; `source <(runhub completions bash)` tries it at once.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn command(options: &Options) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut super::Arguments::command(), "runhub", &mut script);
    say(&String::from_utf8_lossy(&script));
    exit::PASSED
}
