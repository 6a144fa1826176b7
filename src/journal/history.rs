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
        return Err(Error::NoRun {
            run: run.clone(),
            folder: places.runs(),
        });
    }
    let lock = folder.join(LOCK);
    let _lock = folder
        .is_dir()
        .then(|| Lock::take(&lock, &format!("run {run}"), &Holder::here(run, clock)))
        .transpose()?;
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
        Ok((header, head, end)) => RunSummary {
            id,
            at: Some(header.at),
            head,
            state: state(&folder, end),
            has_key,
        },
        Err(error) => RunSummary {
            id,
            at: None,
            head: None,
            state: RunState::Unreadable(error.to_string()),
            has_key,
        },
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
    let first = lines
        .next()
        .transpose()
        .map_err(Error::disk(path, "read"))?;
    let line = Line::of(first.as_deref().unwrap_or_default())
        .ok()
        .filter(|line| line.kind == Kind::Header)
        .ok_or_else(|| Error::damaged(path, 1, "it does not begin as a journal"))?;
    let header = header(path, &line)?;
    let head = lines
        .map_while(Result::ok)
        .find_map(|line| match event(&line)?.kind {
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
            Some(Event {
                kind: EventKind::RunFinished(end),
                ..
            }) => return Ok(Some(end)),
            Some(_) | None => return Ok(None),
        }
    }
}

fn event(line: &[u8]) -> Option<Event> {
    let line = Line::of(line)
        .ok()
        .filter(|line| line.kind == Kind::Event)?;
    data(Path::new(""), &line).ok()
}
