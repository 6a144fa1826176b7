//! Filters that make texts; each asks for the room before it writes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::Value as Raw;
use regex::{Regex, RegexBuilder};

use super::super::arguments::Arguments;
use super::super::budget::LARGEST_TEXT;
use super::super::error::Refusal;
use super::super::evaluate::Walk;
use super::super::lookup::deep_field;
use super::super::value::{items_of, text_of};
use super::{LIST, TEXT, expect};

/// Steps that compiling a pattern counts for.
const COMPILING: usize = 10_000;

fn subject<'a>(name: &str, value: &'a Raw) -> Result<&'a str, Refusal> {
    expect(name, value, TEXT)?;
    Ok(value.as_str().unwrap_or_default())
}

/// The value as it would stand in a text.
pub(super) fn string(walk: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    let text = text_of(value)?;
    walk.budget.write(text.len())?;
    Ok(Raw::from(text))
}

/// The text without white space, or without these characters, at both ends.
pub(super) fn trim(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let text = subject("trim", value)?;
    let characters = arguments.text("chars")?;
    arguments.finish()?;
    let trimmed = match characters {
        None => text.trim(),
        Some(set) if set.len() > 256 => {
            return Err(Refusal::limit("`trim` takes 256 characters at most"));
        }
        Some(set) => text.trim_matches(|c| set.contains(c)),
    };
    walk.budget.write(trimmed.len())?;
    Ok(Raw::from(trimmed))
}

/// The items as texts, with a text between them.
pub(super) fn join(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    expect("join", value, LIST)?;
    let between = arguments.text("d")?.unwrap_or_default();
    let attribute = arguments.text("attribute")?;
    arguments.finish()?;
    let mut parts = Vec::new();
    let mut length = 0_usize;
    for item in items_of(value)? {
        let item = match &attribute {
            None => item,
            Some(path) => deep_field(&item, path)?.ok_or_else(|| super::lists::no_field(path))?,
        };
        let part = text_of(&item)?;
        length += part.len() + between.len();
        if length > LARGEST_TEXT {
            break;
        }
        parts.push(part);
    }
    walk.budget.write(length)?;
    Ok(Raw::from(parts.join(&between)))
}

/// Each occurrence of one text replaced by another.
pub(super) fn replace(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let text = subject("replace", value)?;
    let old = arguments.need_text("old")?;
    let new = arguments.need_text("new")?;
    arguments.finish()?;
    let times = text.matches(&old).count();
    walk.budget.write((text.len() - times * old.len()).saturating_add(times.saturating_mul(new.len())))?;
    Ok(Raw::from(text.replace(&old, &new)))
}

/// Each match of a pattern replaced; `$1` and `$name` stand for groups, `$$` for a dollar.
pub(super) fn regex_replace(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let text = subject("regex_replace", value)?;
    let pattern = arguments.need_text("pattern")?;
    let new = arguments.need_text("replacement")?;
    arguments.finish()?;
    walk.budget.spend(COMPILING + pattern.len() * text.len() / 64)?;
    let pattern =
        compiled(&pattern).map_err(|error| Refusal::failed("the pattern is wrong").detail(regex_words(&error)))?;
    let groups = new.matches('$').count();
    let mut result = String::new();
    let mut at = 0;
    for found in pattern.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        result.push_str(text.get(at..whole.start()).unwrap_or_default());
        // The most that the groups can add: asked before it is made.
        let most = result.len() + new.len() + groups.saturating_mul(whole.len());
        if most > LARGEST_TEXT {
            return Err(Refusal::limit("the expression makes a text of more than 1 MiB"));
        }
        found.expand(&new, &mut result);
        at = whole.end();
    }
    result.push_str(text.get(at..).unwrap_or_default());
    walk.budget.write(result.len())?;
    Ok(Raw::from(result))
}

/// A pattern that cannot grow large in memory.
pub(super) fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(256 * 1_024).build()
}

/// What is wrong with a pattern, in one line.
pub(super) fn regex_words(error: &regex::Error) -> String {
    let words = error.to_string();
    let last = words.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// The text in base64.
pub(super) fn b64encode(walk: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    let text = subject("b64encode", value)?;
    arguments.finish()?;
    walk.budget.write(text.len().div_ceil(3) * 4)?;
    Ok(Raw::from(STANDARD.encode(text)))
}

/// The text that base64 stands for.
pub(super) fn b64decode(walk: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    let text = subject("b64decode", value)?;
    arguments.finish()?;
    walk.budget.write(text.len())?;
    let bytes = STANDARD.decode(text.trim()).map_err(|error| Refusal::failed("this is not base64").detail(error))?;
    String::from_utf8(bytes).map(Raw::from).map_err(|_| Refusal::failed("the base64 holds bytes that are not text"))
}

/// The SHA-256 of the text, in hexadecimal.
pub(super) fn sha256(walk: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    let text = subject("sha256", value)?;
    arguments.finish()?;
    walk.budget.write(64)?;
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut text = String::with_capacity(64);
    for byte in digest.as_ref() {
        write!(text, "{byte:02x}").map_err(|_| Refusal::failed("the digest cannot be written"))?;
    }
    Ok(Raw::from(text))
}
