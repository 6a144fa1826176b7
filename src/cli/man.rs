//! `runhub man`: the manual, a page for each command.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use super::exit::{self, Stop};
use super::terminal::{fail, say};
use crate::source::nearest;

/// Which page, and where to.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// A command; without one the page of runhub itself: `runhub man run | man -l -`.
    #[arg(value_name = "COMMAND", num_args = 0..=2)]
    words: Vec<String>,
    /// Write every page into this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "words")]
    out: Option<PathBuf>,
}

pub(super) fn command(options: &Options) -> u8 {
    let mut root = super::Arguments::command();
    root.build();
    let done = match &options.out {
        Some(folder) => write_all(&root, folder),
        None => page_of(&root, &options.words).map(|page| say(&page)),
    };
    match done {
        Ok(()) => exit::PASSED,
        Err(stop) => {
            fail(stop.message);
            stop.code
        }
    }
}

fn page_of(root: &Command, words: &[String]) -> Result<String, Stop> {
    let found = words.iter().try_fold((root.clone(), "runhub".to_owned()), |(command, name), word| {
        let next = command.find_subcommand(word).cloned().ok_or_else(|| unknown(&command, word))?;
        Ok::<_, Stop>((next, format!("{name}-{word}")))
    })?;
    page(&found.0, &found.1)
}

fn unknown(command: &Command, word: &str) -> Stop {
    let near = nearest(word, command.get_subcommands().map(Command::get_name));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Stop::usage(format!("`{}` has no command `{word}`{hint}", command.get_name()))
}

fn page(command: &Command, name: &str) -> Result<String, Stop> {
    let mut text = Vec::new();
    let titled = command.clone().version(env!("CARGO_PKG_VERSION"));
    let rendered = Man::new(titled).title(name).manual("runhub").render(&mut text);
    rendered.map_err(|error| Stop::failed(&error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Every page below a command, its own first: `runhub-profile-list.1`.
fn pages(command: &Command, name: &str) -> Vec<(String, Command)> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set());
    let below = below.flat_map(|below| pages(below, &format!("{name}-{}", below.get_name())));
    std::iter::once((name.to_owned(), command.clone())).chain(below).collect()
}

fn write_all(root: &Command, folder: &Path) -> Result<(), Stop> {
    let failed = |error: std::io::Error| Stop::new(exit::FAILED, format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, command) in pages(root, "runhub") {
        std::fs::write(folder.join(format!("{name}.1")), page(&command, &name)?).map_err(failed)?;
    }
    Ok(())
}
