//! The way back: a journal's file, read and checked.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::chain::{Chain, Kind, Line, Walk};
use super::entry::{Header, IntentEntry, JOURNAL_VERSION, Remembered, Sealed, SettledEntry};
use super::error::Error;
use super::files;
use super::places::JOURNAL;
use crate::event::{Change, Event, FORMAT_VERSION, Settled};

/// What a journal holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Journaled {
    /// Its first line.
    pub header: Header,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What was about to be changed, in order, and what came of it.
    pub intents: Vec<Intended>,
    /// The values in the vault, in order.
    pub records: Vec<Remembered>,
    /// Events, intents and records in the order in which they were written.
    pub order: Vec<Mark>,
    /// Whether something behind the last good line is left out: half a line, or what a power cut spared.
    pub torn_tail: bool,
    chain: Chain,
    length: usize,
}

/// One line of a journal, by its place in the list of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// An event.
    Event(usize),
    /// An intent.
    Intent(usize),
    /// A record.
    Record(usize),
}

/// A change that was journaled before it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Intended {
    /// The number of its ticket.
    pub number: u64,
    /// The change without the values it writes; the vault has those.
    pub change: Change,
    /// Where in the vault the whole intent lies.
    pub vault: Sealed,
    /// What came of it, as told last; absent: nobody came to tell.
    pub settled: Option<Settled>,
}

impl Intended {
    /// Whether it is not known if the change was made.
    pub fn is_in_flight(&self) -> bool {
        matches!(self.settled, None | Some(Settled::Unknown(_)))
    }
}

impl Journaled {
    /// The intents of which it is not known whether the change was made.
    pub fn in_flight(&self) -> impl Iterator<Item = &Intended> {
        self.intents.iter().filter(|intended| intended.is_in_flight())
    }

    /// The number of the last event; 0 where there is none.
    pub fn last_seq(&self) -> u64 {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// The hash of the last line, in hex.
    pub fn root(&self) -> &str {
        &self.chain.root
    }

    /// Where the chain stands.
    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The bytes of the good lines.
    pub(super) fn length(&self) -> u64 {
        self.length as u64
    }
}

/// Reads a journal, given its file or its run's folder. Half a line at its end is left out.
///
/// # Errors
/// When it cannot be read, is of a later format, or is damaged before its end.
pub fn read(path: &Path) -> Result<Journaled, Error> {
    let path = file(path);
    fold(&path, &files::content(&path)?)
}

/// The journal's file, where a run's folder was given.
pub(super) fn file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(JOURNAL) } else { path.to_path_buf() }
}

/// Reads a journal up to the first line whose vault record a power cut took.
///
/// Records are synced with the next change. So a line may name one that is not
/// there only where no change follows; behind a change it is damage.
pub(super) fn backed(path: &Path, last_sealed: u64) -> Result<Journaled, Error> {
    let bytes = files::content(path)?;
    let (mut good, mut bare) = (0, None);
    let mut walk = Walk::over(&bytes);
    while let Some(Ok(line)) = walk.next() {
        match (line.kind, bare) {
            (Kind::Intent | Kind::Settled, Some(number)) => {
                return Err(Error::damaged(path, number, "its vault record is missing"));
            }
            (Kind::Record, None) if sealed(path, &line)?.number > last_sealed => {
                bare = Some(row(&line));
            }
            (Kind::Header | Kind::Event | Kind::Intent | Kind::Settled | Kind::Record, _) => {}
        }
        if bare.is_none() {
            good = walk.good();
        }
    }
    let kept = if bare.is_some() { bytes.get(..good) } else { Some(bytes.as_slice()) };
    let journaled = fold(path, kept.unwrap_or_default())?;
    Ok(Journaled { torn_tail: journaled.torn_tail || bare.is_some(), ..journaled })
}

fn sealed(path: &Path, line: &Line<'_>) -> Result<Sealed, Error> {
    Ok(data::<Remembered>(path, line)?.vault)
}

fn fold(path: &Path, bytes: &[u8]) -> Result<Journaled, Error> {
    let mut walk = Walk::over(bytes);
    let header = match walk.next() {
        Some(Ok(line)) if line.kind == Kind::Header => header(path, &line)?,
        Some(Err(flaw)) => return Err(Error::damaged(path, 1, flaw.to_string())),
        Some(Ok(_)) | None => {
            return Err(Error::damaged(path, 1, "it does not begin as a journal"));
        }
    };
    let mut journaled = Journaled {
        header,
        events: Vec::new(),
        intents: Vec::new(),
        records: Vec::new(),
        order: Vec::new(),
        torn_tail: false,
        chain: Chain::start(),
        length: 0,
    };
    while let Some(line) = walk.next() {
        let due = usize::try_from(walk.reached().next).unwrap_or(usize::MAX);
        let line = line.map_err(|flaw| Error::damaged(path, due.saturating_add(1), flaw.to_string()))?;
        journaled.take(path, &line)?;
    }
    journaled.torn_tail = walk.torn();
    journaled.length = walk.good();
    journaled.chain = walk.reached().clone();
    Ok(journaled)
}

impl Journaled {
    fn take(&mut self, path: &Path, line: &Line<'_>) -> Result<(), Error> {
        match line.kind {
            Kind::Header => return Err(Error::damaged(path, row(line), "a second header")),
            Kind::Event => {
                self.order.push(Mark::Event(self.events.len()));
                self.events.push(data(path, line)?);
            }
            Kind::Record => {
                self.order.push(Mark::Record(self.records.len()));
                self.records.push(data(path, line)?);
            }
            Kind::Intent => {
                self.order.push(Mark::Intent(self.intents.len()));
                let IntentEntry { change, vault } = data(path, line)?;
                let number = line.n;
                self.intents.push(Intended { number, change, vault, settled: None });
            }
            Kind::Settled => {
                let SettledEntry { ticket, settled } = data(path, line)?;
                self.settle(ticket, settled).ok_or_else(|| {
                    let why = format!("it settles intent {ticket}, which is not open");
                    Error::damaged(path, row(line), why)
                })?;
            }
        }
        Ok(())
    }

    fn settle(&mut self, ticket: u64, settled: Settled) -> Option<()> {
        let at = self.intents.binary_search_by_key(&ticket, |intended| intended.number).ok()?;
        let intended = self.intents.get_mut(at).filter(|intended| intended.is_in_flight())?;
        intended.settled = Some(settled);
        Some(())
    }
}

/// The first line; its versions are looked at before its shape, which a later version may change.
pub(super) fn header(path: &Path, line: &Line<'_>) -> Result<Header, Error> {
    let value: serde_json::Value = data(path, line)?;
    for (key, known) in [("journal-version", JOURNAL_VERSION), ("event-version", FORMAT_VERSION)] {
        let version = value.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
        if version > u64::from(known) {
            return Err(Error::Newer { path: path.to_path_buf(), version, known });
        }
    }
    data(path, line)
}

/// What a good line holds.
pub(super) fn data<T: DeserializeOwned>(path: &Path, line: &Line<'_>) -> Result<T, Error> {
    serde_json::from_str(line.data)
        .map_err(|why| Error::damaged(path, row(line), format!("this runhub cannot read it: {why}")))
}

/// Where a line stands in its file, counted from 1.
pub(super) fn row(line: &Line<'_>) -> usize {
    usize::try_from(line.n).map_or(usize::MAX, |n| n.saturating_add(1))
}

#[cfg(test)]
mod tests;
