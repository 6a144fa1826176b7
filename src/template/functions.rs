//! The functions an expression may call; `now`, `random_text` and `uuid` make something new each time.

use chrono::SecondsFormat;
use minijinja::Value as Raw;
use ring::rand::{SecureRandom, SystemRandom};

use super::arguments::Arguments;
use super::error::Refusal;
use super::evaluate::Walk;

/// A row of [`FUNCTIONS`].
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Whether two calls may differ, so that it belongs in `vars` alone.
    pub(super) generates: bool,
    pub(super) run: fn(&mut Walk<'_>, Arguments) -> Result<Raw, Refusal>,
}

/// Every function; to add one, write it below and name it here.
const FUNCTIONS: &[Function] = &[
    Function { name: "now", generates: true, run: now },
    Function { name: "random_text", generates: true, run: random_text },
    Function { name: "range", generates: false, run: range },
    Function { name: "uuid", generates: true, run: uuid },
];

/// The most characters that `random_text` makes, and the most items that `range` makes.
const MOST_CHARACTERS: i64 = 1_024;
const MOST_ITEMS: i64 = 10_000;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

fn now(walk: &mut Walk<'_>, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    Ok(Raw::from(walk.scope.functions().clock.now().to_rfc3339_opts(SecondsFormat::Millis, true)))
}

fn random_text(_: &mut Walk<'_>, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let length = arguments.integer("length")?.ok_or_else(|| Refusal::failed("say how many characters"))?;
    arguments.finish()?;
    let length = usize::try_from(length).ok().filter(|_| (1..=MOST_CHARACTERS).contains(&length));
    let length =
        length.ok_or_else(|| Refusal::failed(format!("the length must lie between 1 and {MOST_CHARACTERS}")))?;
    characters(length).map(Raw::from)
}

/// Draws characters without a bias: bytes past the last whole alphabet are drawn again.
fn characters(length: usize) -> Result<String, Refusal> {
    let source = SystemRandom::new();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0_u8; 64];
        source.fill(&mut bytes).map_err(|_| Refusal::failed("the machine gives no random numbers"))?;
        let fair = bytes.into_iter().filter(|byte| *byte < 248);
        let drawn = fair.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
        text.extend(drawn.take(length - text.len()).map(|byte| char::from(*byte)));
    }
    Ok(text)
}

fn uuid(_: &mut Walk<'_>, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    Ok(Raw::from(uuid::Uuid::new_v4().to_string()))
}

/// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`, as a list.
fn range(walk: &mut Walk<'_>, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let first = arguments.integer("start")?.ok_or_else(|| Refusal::failed("say where the numbers end"))?;
    let second = arguments.integer("stop")?;
    let stride = arguments.integer("step")?.unwrap_or(1);
    arguments.finish()?;
    let (from, to) = second.map_or((0, first), |second| (first, second));
    if stride == 0 {
        return Err(Refusal::failed("the step must not be 0"));
    }
    let more = |number: &i64| {
        if stride > 0 { *number < to } else { *number > to }
    };
    let numbers = std::iter::successors(Some(from), |number| number.checked_add(stride)).take_while(more);
    let mut list = Vec::new();
    for (count, number) in (0_i64..).zip(numbers) {
        if count >= MOST_ITEMS {
            return Err(Refusal::limit(format!("a range holds {MOST_ITEMS} numbers at most")));
        }
        list.push(Raw::from(number));
    }
    walk.budget.fill(list.len())?;
    Ok(Raw::from(list))
}
