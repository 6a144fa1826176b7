//! The form of a journal's line, and the chain that binds each to the one before.
//!
//! `{"n":4,"prev":"…","kind":"event","data":…,"hash":"…"}`: the hash is the
//! SHA-256 of the line's own bytes up to `,"hash"`, so that a check needs no
//! canonical JSON. A number stands in each line and `prev` is the hash of the
//! line before: an altered, dropped, added or moved line breaks the chain.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

/// What a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The journal's format and run; the first line.
    Header,
    /// Something that happened.
    Event,
    /// A change that is about to be sent.
    Intent,
    /// What came of an intent.
    Settled,
    /// A value in the vault that a resume must find.
    Record,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Header, "header"),
    (Kind::Event, "event"),
    (Kind::Intent, "intent"),
    (Kind::Settled, "settled"),
    (Kind::Record, "record"),
];

impl Kind {
    fn word(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    fn of(word: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is not a line of a journal")]
    Shape,
    #[error("its content does not match its hash")]
    Hash,
    #[error("it has number {found} where {due} is due")]
    Number { due: u64, found: u64 },
    #[error("it does not follow from the line before it")]
    Prev,
}

/// Where a chain stands: the next number and the last hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) next: u64,
    pub(super) root: String,
}

impl Chain {
    /// Before the first line.
    pub(super) fn start() -> Self {
        Self { next: 0, root: "0".repeat(HEX) }
    }

    /// Writes the next line into `out`, and says where the chain stands once it is on disk.
    pub(super) fn forge(&self, kind: Kind, data: &str, out: &mut String) -> Self {
        out.clear();
        // Writing into a String cannot fail.
        let _ = write!(out, r#"{{"n":{},"prev":"{}","kind":"{}","data":{data}"#, self.next, self.root, kind.word());
        let root = hash(out.as_bytes());
        out.push_str(HASH);
        out.push_str(&root);
        out.push_str(END);
        out.push('\n');
        Self { next: self.next + 1, root }
    }

    /// Checks that a line is the next one, and takes it.
    fn follow(&mut self, line: &Line<'_>) -> Result<(), Flaw> {
        if line.n != self.next {
            return Err(Flaw::Number { due: self.next, found: line.n });
        }
        if line.prev != self.root {
            return Err(Flaw::Prev);
        }
        self.next += 1;
        line.hash.clone_into(&mut self.root);
        Ok(())
    }
}

/// One line, taken apart; its hash is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) n: u64,
    pub(super) kind: Kind,
    /// JSON.
    pub(super) data: &'a str,
    prev: &'a str,
    hash: &'a str,
}

/// The length of a hash in hex.
const HEX: usize = 64;
const HASH: &str = r#","hash":""#;
const END: &str = r#""}"#;

impl<'a> Line<'a> {
    /// Takes a line without its newline apart.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Shape)?;
        let (body, own) = text
            .strip_suffix(END)
            .and_then(|text| text.split_at_checked(text.len().checked_sub(HEX)?))
            .and_then(|(front, own)| Some((front.strip_suffix(HASH)?, own)))
            .ok_or(Flaw::Shape)?;
        if hash(body.as_bytes()) != own {
            return Err(Flaw::Hash);
        }
        Self::apart(body, own).ok_or(Flaw::Shape)
    }

    fn apart(body: &'a str, hash: &'a str) -> Option<Self> {
        let (n, rest) = body.strip_prefix(r#"{"n":"#)?.split_once(r#","prev":""#)?;
        let (prev, rest) = rest.split_once(r#"","kind":""#)?;
        let (kind, data) = rest.split_once(r#"","data":"#)?;
        Some(Self { n: n.parse().ok()?, kind: Kind::of(kind)?, data, prev, hash })
    }
}

/// The whole lines of a file in order, each checked against the one before; ends at the first flaw.
pub(super) struct Walk<'a> {
    rest: &'a [u8],
    chain: Chain,
    good: usize,
    flawed: bool,
}

impl<'a> Walk<'a> {
    /// Walks over the bytes of a journal.
    pub(super) fn over(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, chain: Chain::start(), good: 0, flawed: false }
    }

    /// Where the chain stands after the lines so far.
    pub(super) fn reached(&self) -> &Chain {
        &self.chain
    }

    /// The bytes of the good lines so far.
    pub(super) fn good(&self) -> usize {
        self.good
    }

    /// Whether half a line stands behind the good ones.
    pub(super) fn torn(&self) -> bool {
        !self.flawed && !self.rest.is_empty()
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Line<'a>, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.flawed {
            return None;
        }
        let (bytes, rest) = first_line(self.rest)?;
        let line = Line::of(bytes).and_then(|line| self.chain.follow(&line).map(|()| line));
        self.flawed = line.is_err();
        if line.is_ok() {
            self.rest = rest;
            self.good += bytes.len() + 1;
        }
        Some(line)
    }
}

/// The first whole line without its newline, and what follows; nothing where no newline is left.
pub(super) fn first_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let newline = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes.get(..newline)?, bytes.get(newline + 1..)?))
}

/// The SHA-256 of some bytes, in hex.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(items: &[String]) -> (String, Chain) {
        let (mut all, mut line, mut chain) = (String::new(), String::new(), Chain::start());
        for item in items {
            let data = serde_json::Value::from(item.as_str()).to_string();
            chain = chain.forge(Kind::Event, &data, &mut line);
            all.push_str(&line);
        }
        (all, chain)
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Option<Flaw>, Chain) {
        let mut walk = Walk::over(bytes);
        let (mut items, mut flaw) = (Vec::new(), None);
        for line in walk.by_ref() {
            match line {
                Ok(line) => items.push(serde_json::from_str(line.data).unwrap()),
                Err(found) => flaw = Some(found),
            }
        }
        (items, flaw, walk.reached().clone())
    }

    fn three() -> Vec<String> {
        ["one", "two", "three"].map(String::from).to_vec()
    }

    #[test]
    fn the_hash_is_the_known_one() {
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_line_is_json_for_other_readers() {
        let (text, chain) = written(&three());
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["n"], 2);
        assert_eq!(last["data"], "three");
        assert_eq!(last["hash"], chain.root);
    }

    #[test]
    fn a_dropped_a_moved_and_a_doubled_line_are_found() {
        let (text, _) = written(&three());
        let lines: Vec<&str> = text.lines().collect();
        for order in [vec![0, 2], vec![1, 2], vec![0, 2, 1], vec![0, 1, 1, 2]] {
            let picked: Vec<&str> = order.iter().map(|line| lines[*line]).collect();
            let text = picked.join("\n") + "\n";
            let (_, flaw, _) = read(text.as_bytes());
            assert!(matches!(flaw, Some(Flaw::Number { .. })), "{order:?}: {flaw:?}");
        }
    }

    #[test]
    fn lines_of_another_journal_do_not_follow() {
        let (ours, _) = written(&three());
        let (other, _) = written(&["eins", "two", "three"].map(String::from));
        let mixed: String =
            ours.lines().take(1).chain(other.lines().skip(1)).fold(String::new(), |text, line| text + line + "\n");
        assert_eq!(read(mixed.as_bytes()).1, Some(Flaw::Prev));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(items in prop::collection::vec(".{0,40}", 0..12)) {
            let (text, chain) = written(&items);
            prop_assert_eq!(read(text.as_bytes()), (items, None, chain));
        }

        #[test]
        fn any_changed_byte_is_found(at in 0_usize..10_000, flip in 1_u8..=255) {
            let mut bytes = written(&three()).0.into_bytes();
            let at = at % (bytes.len() - 1);
            bytes[at] ^= flip;
            let (items, flaw, _) = read(&bytes);
            prop_assert!(flaw.is_some() || items.len() < 3);
        }
    }
}
