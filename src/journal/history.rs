//! The runs of this machine, and forgetting what one of them has sealed.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::Serialize;

use super::chain::{Kind, Line};
use super::entry::Header;
use super::error::Error;
use super::files;
use super::lock::{Holder, Lock};
use super::places::{JOURNAL, LOCK, Places};
use super::read::{data, header};
use crate::clock::{Clock, Timestamp};
use crate::event::{Event, EventKind, RunEnd, RunHead, RunId};

/// One run of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// When it was begun; absent where its journal cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How it began; absent where it did not get so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Box<RunHead>>,
    /// How it stands.
    pub state: RunState,
    /// Whether its vault can still be opened.
    pub has_key: bool,
}

/// How a run of the history stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "with")]
pub enum RunState {
    /// A process is at it now.
    Running(Holder),
    /// It has ended, or waits (outcome `paused`).
    Ended(Box<RunEnd>),
    /// It broke off without an end: killed, or the machine went down.
    BrokenOff,
    /// Its journal cannot be read, and why.
    Unreadable(String),
}

/// The runs of this machine, newest first. Of each journal only the two ends are read.
///
/// # Errors
/// When the folder of runs cannot be read; a run that cannot is listed as such.
pub fn list(places: &Places) -> Result<Vec<RunSummary>, Error> {
    let folder = places.runs();
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(Error::disk(&folder, "read"))?;
    let mut runs: Vec<RunSummary> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| summary(places, RunId(name)))
        .collect();
    runs.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    Ok(runs)
}

/// Deletes the key of a run: nobody will ever read its vault again. Says whether there was a key.
///
/// # Errors
/// [`Error::Held`] while the run is at work; else when there is no such run or the key cannot be deleted.
pub fn forget(places: &Places, run: &RunId, clock: Clock) -> Result<bool, Error> {
    let (folder, key) = (places.run(run)?, places.key(run)?);
    if !folder.is_dir() && !key.exists() {
        return Err(Error::NoRun { run: run.clone(), folder: places.runs() });
    }
    let lock = folder.join(LOCK);
    let _lock =
        folder.is_dir().then(|| Lock::take(&lock, &format!("run {run}"), &Holder::here(run, clock))).transpose()?;
    match std::fs::remove_file(&key) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(false),
        removed => {
            removed.map_err(Error::disk(&key, "delete"))?;
            files::sync_folder(&places.keys())?;
            Ok(true)
        }
    }
}

/// What the two ends of a run's journal say; nothing where the name is no run's.
fn summary(places: &Places, id: RunId) -> Option<RunSummary> {
    let folder = places.run(&id).ok().filter(|folder| folder.is_dir())?;
    let has_key = places.key(&id).is_ok_and(|key| key.exists());
    Some(match ends(&folder.join(JOURNAL)) {
        Ok((header, head, end)) => RunSummary { id, at: Some(header.at), head, state: state(&folder, end), has_key },
        Err(error) => RunSummary { id, at: None, head: None, state: RunState::Unreadable(error.to_string()), has_key },
    })
}

fn state(folder: &Path, end: Option<Box<RunEnd>>) -> RunState {
    if let Some(holder) = Lock::holder(&folder.join(LOCK)) {
        return RunState::Running(holder);
    }
    end.map_or(RunState::BrokenOff, RunState::Ended)
}

type Ends = (Header, Option<Box<RunHead>>, Option<Box<RunEnd>>);

fn ends(path: &Path) -> Result<Ends, Error> {
    let mut file = File::open(path).map_err(Error::disk(path, "open"))?;
    let (header, head) = front(path, &file)?;
    let end = back(&mut file).map_err(Error::disk(path, "read"))?;
    Ok((header, head, end))
}

/// The run's start is told before its first step; so many lines are looked at for it.
const FRONT: usize = 16;

fn front(path: &Path, file: &File) -> Result<(Header, Option<Box<RunHead>>), Error> {
    let mut lines = BufReader::new(file).split(b'\n').take(FRONT);
    let first = lines.next().transpose().map_err(Error::disk(path, "read"))?;
    let line = Line::of(first.as_deref().unwrap_or_default())
        .ok()
        .filter(|line| line.kind == Kind::Header)
        .ok_or_else(|| Error::damaged(path, 1, "it does not begin as a journal"))?;
    let header = header(path, &line)?;
    let head = lines.map_while(Result::ok).find_map(|line| match event(&line)?.kind {
        EventKind::RunStarted(head) => Some(head),
        _ => None,
    });
    Ok((header, head))
}

/// The run's end is the last event; so many bytes are looked at first.
const BACK: u64 = 64 * 1024;

/// The run's end. A window that holds no line whole is made larger.
fn back(file: &mut File) -> std::io::Result<Option<Box<RunEnd>>> {
    let length = file.metadata()?.len();
    let mut window = BACK;
    loop {
        file.seek(SeekFrom::Start(length.saturating_sub(window)))?;
        let mut bytes = Vec::new();
        file.take(window).read_to_end(&mut bytes)?;
        let last = bytes.rsplit(|byte| *byte == b'\n').find_map(event);
        match last {
            None if window < length => window = window.saturating_mul(8),
            Some(Event { kind: EventKind::RunFinished(end), .. }) => return Ok(Some(end)),
            Some(_) | None => return Ok(None),
        }
    }
}

fn event(line: &[u8]) -> Option<Event> {
    let line = Line::of(line).ok().filter(|line| line.kind == Kind::Event)?;
    data(Path::new(""), &line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Ledger as _, Outcome, TargetHead};
    use crate::journal::Vault;
    use crate::journal::kit::{Bench, Left, bench, clock, finished, intent, redactor};
    use crate::journal::{Journal, read};

    fn started(bench: &Bench) {
        bench.fan.tell(EventKind::RunStarted(Box::new(RunHead {
            format_version: 1,
            runhub_version: "0".into(),
            book: "scale-web".into(),
            description: None,
            labels: std::collections::BTreeMap::default(),
            owner: None,
            links: std::collections::BTreeMap::default(),
            file: "a.yaml".into(),
            book_hash: "h".into(),
            inputs: std::collections::BTreeMap::default(),
            target: TargetHead::default(),
            actor: "a@b".into(),
            steps: 1,
        })));
    }

    fn only(places: &Places) -> RunSummary {
        let runs = list(places).unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().unwrap()
    }

    /// Ended, with an event far larger than the window that is looked at first.
    fn ended() -> Left {
        let bench = bench();
        started(&bench);
        bench.note(&"x".repeat(200_000));
        let mut end = finished(Outcome::Handled);
        if let EventKind::RunFinished(end) = &mut end {
            end.outputs.insert("log".into(), "y".repeat(100_000).into());
        }
        bench.fan.tell(end);
        bench.stop()
    }

    #[test]
    fn a_run_is_listed_as_running_broken_off_and_ended() {
        let bench = bench();
        assert!(only(&bench.places).head.is_none());
        started(&bench);
        let running = only(&bench.places);
        assert_eq!(running.head.unwrap().book, "scale-web");
        let RunState::Running(holder) = running.state else { panic!("{:?}", running.state) };
        assert_eq!(holder.pid, std::process::id());
        let left = bench.stop();
        assert_eq!(only(&left.places).state, RunState::BrokenOff);
        let left = ended();
        let RunState::Ended(end) = only(&left.places).state else { panic!("not ended") };
        assert_eq!(end.outcome, Outcome::Handled);
    }

    #[test]
    fn the_newest_run_comes_first_and_a_broken_one_is_listed_as_such() {
        let left = ended();
        for (id, second) in [("late", "2026-11-22T00:00:00Z"), ("early", "2026-11-20T00:00:00Z")] {
            let clock = Clock::starting_at(second.parse().unwrap());
            drop(Journal::create(&left.places, &RunId(id.into()), &redactor(), clock).unwrap());
        }
        std::fs::create_dir(left.places.runs().join("broken")).unwrap();
        let runs = list(&left.places).unwrap();
        let ids: Vec<&str> = runs.iter().map(|run| run.id.0.as_str()).collect();
        assert_eq!(ids, ["late", left.run.0.as_str(), "early", "broken"]);
        assert!(matches!(runs[3].state, RunState::Unreadable(_)));
        assert!(list(&Places::new("/nowhere")).unwrap().is_empty());
    }

    #[test]
    fn a_forgotten_vault_is_shut_for_good_and_the_journal_still_reads() {
        let bench = bench();
        let _ticket = bench.ledger.intend(&intent("a")).unwrap();
        let busy = forget(&bench.places, &bench.run, clock()).unwrap_err();
        assert!(matches!(busy, Error::Held(_)), "{busy}");
        let left = bench.stop();
        assert!(only(&left.places).has_key);
        assert!(forget(&left.places, &left.run, clock()).unwrap());
        assert!(!forget(&left.places, &left.run, clock()).unwrap());
        assert!(!only(&left.places).has_key);
        let error = Vault::open(&left.places, &left.run).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Forgotten { .. }), "{text}");
        assert!(text.contains("was forgotten or lost") && text.contains(".key"), "{text}");
        assert!(matches!(left.reopen().unwrap_err(), Error::Forgotten { .. }));
        assert_eq!(read(&left.journal()).unwrap().intents.len(), 1);
    }

    #[test]
    fn a_run_that_never_was_is_said_so() {
        let left = ended();
        let run = RunId("20990101-000000-0000".into());
        for error in [
            forget(&left.places, &run, clock()).unwrap_err(),
            Vault::open(&left.places, &run).unwrap_err(),
            Journal::reopen(&left.places, &run, &redactor(), clock()).unwrap_err(),
        ] {
            assert!(matches!(error, Error::NoRun { .. }), "{error}");
        }
    }
}
