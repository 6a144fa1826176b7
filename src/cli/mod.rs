//! Arguments, commands, exit codes.
//!
//! The roof: it alone reads the environment, prints what is not an event, and
//! turns every ending into an exit code. One file a command. To add one: its
//! file, a variant of `Command`, its arm in `dispatch`.

mod accept;
mod action_page;
mod actions;
mod answers;
mod approve;
mod carry;
mod check;
mod completions;
mod connect;
mod diff;
mod environment;
mod events;
mod exit;
mod forget;
mod get;
mod given;
mod login;
mod logout;
mod logs;
mod look;
mod man;
mod observe;
mod open;
mod output;
mod past_run;
mod plan;
mod profile;
mod report;
mod resume;
mod run;
mod runs;
mod runtime;
mod schema;
mod show;
mod signal;
mod sim;
mod started;
mod status;
mod subject;
mod terminal;
mod undo;
mod verify;
mod whoami;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use environment::Environment;

/// Runs declarative runbooks against clusters: checked, step by step, proven, reported.
#[derive(Debug, Parser)]
#[command(name = "runhub", version, about, max_term_width = 100, after_help = exit::HELP)]
struct Arguments {
    #[command(flatten)]
    display: Display,
    #[command(subcommand)]
    command: Command,
}

/// Where the help lists how things are shown.
const DISPLAY: &str = "Display";

/// How things are shown.
#[derive(Debug, Args)]
struct Display {
    /// Colour: where the place can show it, always, or never.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = DISPLAY)]
    color: Colour,
    /// Only what went badly.
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = DISPLAY)]
    quiet: bool,
    /// Every request too.
    #[arg(long, short, global = true, help_heading = DISPLAY)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a runbook.
    Run(Box<run::Options>),
    /// Go on with a run that broke off or waits.
    Resume(Box<resume::Options>),
    /// Approve what a run waits for, and go on with it.
    Approve(Box<approve::Approve>),
    /// Reject what a run waits for, and go on with it: the step fails.
    Reject(Box<approve::Reject>),
    /// Say what a run would do; changes nothing.
    Plan(Box<plan::Options>),
    /// Take back what a run has changed, newest first.
    Undo(Box<undo::Options>),
    /// Say everything that is wrong with runbooks; sends nothing.
    Check(check::Options),
    /// List the actions, or show one.
    Actions(actions::Options),
    /// List past runs, newest first.
    Runs(runs::Options),
    /// Show a past run.
    Show(show::Options),
    /// Say what two past runs did differently.
    Diff(diff::Options),
    /// Check that the record of a run is as it was written.
    Verify(verify::Options),
    /// Delete the key of a run: what it sealed is never read again.
    Forget(forget::Options),
    /// Write reports of a past run.
    Report(report::Options),
    /// Serve the embedded ControlHub alone, for kubectl and other clients.
    Sim(sim::Options),
    /// Show objects: one, several, or all of a kind.
    Get(get::GetOptions),
    /// List the objects of a kind.
    List(get::ListOptions),
    /// Show what containers wrote.
    Logs(logs::Options),
    /// Show what happened to an object and what it owns, oldest first.
    Events(events::Options),
    /// Show an application space at a glance.
    Status(status::Options),
    /// Show who we are to the target.
    Whoami(whoami::Options),
    /// Carry out any action that only reads, by itself.
    Observe(observe::Options),
    /// Log in to Olares, with the same files and locks as olares-cli.
    Login(Box<login::Options>),
    /// Take a stored login away.
    Logout(logout::Options),
    /// List, show and choose profiles.
    Profile(profile::Options),
    /// Print a JSON Schema.
    Schema(schema::Options),
    /// Print the completions of a shell.
    Completions(completions::Options),
    /// Print a page of the manual, or write all of them.
    Man(man::Options),
}

/// Does what the command line says, and comes back with the exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes; clap prints all three in the right place.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::PASSED });
        }
    };
    let environment = Environment::read();
    ExitCode::from(dispatch(arguments, &environment))
}

fn dispatch(arguments: Arguments, environment: &Environment) -> u8 {
    let display = &arguments.display;
    match arguments.command {
        Command::Run(options) => run::command(*options, display, environment),
        Command::Resume(options) => resume::command(*options, display, environment),
        Command::Approve(options) => approve::approve(*options, display, environment),
        Command::Reject(options) => approve::reject(*options, display, environment),
        Command::Plan(options) => plan::command(&options, display, environment),
        Command::Undo(options) => undo::command(*options, display, environment),
        Command::Check(options) => check::command(&options, display, environment),
        Command::Actions(options) => actions::command(&options),
        Command::Runs(options) => runs::command(&options, environment),
        Command::Diff(options) => diff::command(&options, environment),
        Command::Verify(options) => verify::command(&options, environment),
        Command::Forget(options) => forget::command(&options, environment),
        Command::Show(options) => show::command(&options, display, environment),
        Command::Report(options) => report::command(&options, environment),
        Command::Sim(options) => sim::command(&options, display),
        Command::Get(options) => get::get(&options, display, environment),
        Command::List(options) => get::list(&options, display, environment),
        Command::Logs(options) => logs::command(&options, display, environment),
        Command::Events(options) => events::command(&options, display, environment),
        Command::Status(options) => status::command(&options, display, environment),
        Command::Observe(options) => observe::command(&options, display, environment),
        Command::Whoami(options) => whoami::command(&options, display, environment),
        Command::Login(options) => login::command(&options, display, environment),
        Command::Logout(options) => logout::command(&options, display, environment),
        Command::Profile(options) => profile::command(&options, display, environment),
        Command::Schema(options) => schema::command(&options),
        Command::Completions(options) => completions::command(&options),
        Command::Man(options) => man::command(&options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_of_all_commands_fit_together() {
        super::Arguments::command().debug_assert();
    }
}
