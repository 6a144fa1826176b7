//! The filters behind `|`: a table, ours strict and capped, minijinja's where they are harmless.
//!
//! To add one of ours: write it in the file of its family and name it in
//! [`FILTERS`]. `default` is a form of its own and stands in `evaluate`.
//! Not offered, because they can be made to eat all memory or make no sense
//! outside HTML: [`WITHHELD`].

mod data;
mod lists;
mod text;

use std::ops::Range;

use minijinja::Value as Raw;

use super::arguments::Arguments;
use super::error::{Mistake, Refusal};
use super::evaluate::Walk;
use super::lower::unknown;
use super::predicates;
use super::tree::{Form, Given, Node};
use super::value::{Kind, cost, items_of, kind_of, known};

/// A row of [`FILTERS`].
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    run: Run,
    check: Option<Check>,
}

/// Looks at constant arguments before a run.
type Check = fn(&Given) -> Result<(), Mistake>;

type Ours = fn(&mut Walk<'_>, &Raw, Arguments) -> Result<Raw, Refusal>;

#[derive(Debug)]
enum Run {
    Ours(Ours),
    /// minijinja's filter of the same name, for values of these kinds.
    Theirs(&'static [Kind]),
}

const fn ours(name: &'static str, run: Ours) -> Filter {
    Filter { name, run: Run::Ours(run), check: None }
}

const fn checked(name: &'static str, run: Ours, check: fn(&Given) -> Result<(), Mistake>) -> Filter {
    Filter { name, run: Run::Ours(run), check: Some(check) }
}

const fn theirs(name: &'static str, takes: &'static [Kind]) -> Filter {
    Filter { name, run: Run::Theirs(takes), check: None }
}

const TEXT: &[Kind] = &[Kind::Text];
const NUMBER: &[Kind] = &[Kind::Number];
const LIST: &[Kind] = &[Kind::List];
const MAP: &[Kind] = &[Kind::Map];
const SCALAR: &[Kind] = &[Kind::Boolean, Kind::Number, Kind::Text];
const SEVERAL: &[Kind] = &[Kind::List, Kind::Text];
const ANY_SEVERAL: &[Kind] = &[Kind::List, Kind::Map, Kind::Text];

/// Every filter.
const FILTERS: &[Filter] = &[
    theirs("abs", NUMBER),
    ours("b64decode", text::b64decode),
    ours("b64encode", text::b64encode),
    ours("batch", lists::batch),
    ours("bool", data::bool),
    theirs("capitalize", TEXT),
    ours("count", lists::length),
    theirs("dictsort", MAP),
    ours("duration", data::duration),
    theirs("first", SEVERAL),
    theirs("float", SCALAR),
    theirs("int", SCALAR),
    theirs("items", MAP),
    ours("join", text::join),
    ours("json", data::json),
    ours("jsonpath", data::jsonpath),
    theirs("last", SEVERAL),
    ours("length", lists::length),
    theirs("lines", TEXT),
    theirs("list", ANY_SEVERAL),
    theirs("lower", TEXT),
    checked("map", lists::map, check_map),
    theirs("max", LIST),
    theirs("min", LIST),
    ours("quantity", data::quantity),
    checked("regex_replace", text::regex_replace, check_pattern),
    checked("reject", lists::reject, |given| check_test(given.positional.first())),
    checked("rejectattr", lists::rejectattr, |given| check_test(given.positional.get(1))),
    ours("replace", text::replace),
    theirs("reverse", SEVERAL),
    theirs("round", NUMBER),
    checked("select", lists::select, |given| check_test(given.positional.first())),
    checked("selectattr", lists::selectattr, |given| check_test(given.positional.get(1))),
    ours("sha256", text::sha256),
    theirs("sort", LIST),
    theirs("split", TEXT),
    ours("string", text::string),
    ours("sum", lists::sum),
    theirs("title", TEXT),
    ours("tojson", data::tojson),
    ours("trim", text::trim),
    theirs("unique", LIST),
    theirs("upper", TEXT),
];

/// Filters that minijinja has and we do not, with what to do.
const WITHHELD: &[(&str, &str)] = &[
    ("attr", "write `x['name']`"),
    ("chain", "write `a + b`"),
    ("e", "nothing is escaped here"),
    ("escape", "nothing is escaped here"),
    ("format", "join the parts with `~`"),
    ("groupby", "write one `selectattr` a group"),
    ("indent", "use `tojson` for nested values"),
    ("pprint", "use `tojson`"),
    ("safe", "nothing is escaped here"),
    ("slice", "write `x[0:10]`"),
    ("zip", "index both lists"),
];

pub(super) fn find(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.name == name)
}

/// The mistake of naming a filter that there is not.
pub(super) fn missing(name: &str, range: Range<usize>) -> Mistake {
    match WITHHELD.iter().find(|(withheld, _)| *withheld == name) {
        Some((_, help)) => Mistake::new(format!("the filter `{name}` is not offered"), range).help(*help),
        None => unknown("filter", name, &range, FILTERS.iter().map(|filter| filter.name).chain(["default"])),
    }
}

/// Looks at constant arguments before a run.
pub(super) fn check(filter: &Filter, given: &Given) -> Result<(), Mistake> {
    filter.check.map_or(Ok(()), |check| check(given))
}

/// Applies a filter and pays for what it reads and makes.
pub(super) fn apply(walk: &mut Walk<'_>, filter: &Filter, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    walk.budget.spend(1 + cost(value) + arguments.cost())?;
    let result = match filter.run {
        Run::Ours(run) => run(walk, value, arguments),
        Run::Theirs(takes) => {
            expect(filter.name, value, takes)?;
            call_theirs(walk, filter.name, value, arguments)
        }
    };
    known(result?)
}

/// Refuses a value of a kind that a filter does not take.
fn expect(name: &str, value: &Raw, takes: &[Kind]) -> Result<(), Refusal> {
    let kind = kind_of(value);
    if takes.contains(&kind) {
        return Ok(());
    }
    let wanted: Vec<String> = takes.iter().map(Kind::to_string).collect();
    Err(Refusal::mismatch(format!("`{name}` takes {}, not {kind}", wanted.join(" or "))))
}

fn call_theirs(walk: &mut Walk<'_>, name: &str, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    if kind_of(value) == Kind::List {
        items_of(value)?.into_iter().try_for_each(|item| known(item).map(drop))?;
    }
    let mut environment = minijinja::Environment::new();
    environment.set_debug(false);
    let result = environment.empty_state().apply_filter(name, &arguments.with_subject(value));
    let result = result.map_err(|error| {
        let words = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        Refusal::failed(format!("`{name}` failed")).detail(words)
    })?;
    settled(walk, name, result)
}

/// A result without laziness: texts paid for, iterators made lists, nothing undefined, nothing infinite.
fn settled(walk: &mut Walk<'_>, name: &str, result: Raw) -> Result<Raw, Refusal> {
    if result.is_undefined() {
        return Err(Refusal::undefined(format!("`{name}` found nothing: there are no items"))
            .help("give a value for that case: `|default(…)`"));
    }
    match kind_of(&result) {
        Kind::Text => walk.budget.write(result.as_str().map_or(0, str::len)).map(|()| result),
        Kind::List => {
            let items = items_of(&result)?;
            walk.budget.fill(items.len())?;
            Ok(Raw::from(items))
        }
        Kind::Number if !result.is_integer() && !f64::try_from(result.clone()).is_ok_and(f64::is_finite) => {
            Err(Refusal::failed(format!("`{name}` gives no finite number")))
        }
        _ => Ok(result),
    }
}

fn constant_text(node: Option<&Node>) -> Option<(&str, Range<usize>)> {
    match node.map(|node| (&node.kind, &node.range)) {
        Some((Form::Constant(constant), range)) => Some((constant.as_str()?, range.clone())),
        _ => None,
    }
}

fn check_map(given: &Given) -> Result<(), Mistake> {
    match constant_text(given.positional.first()) {
        Some(("default" | "d", range)) => {
            Err(Mistake::new("`default` cannot be mapped", range).help("write `map(attribute='x', default=…)`"))
        }
        Some((name, range)) if find(name).is_none() => Err(missing(name, range)),
        _ => Ok(()),
    }
}

fn check_test(node: Option<&Node>) -> Result<(), Mistake> {
    match constant_text(node) {
        Some((name, range)) if !predicates::names().any(|known| known == name) => {
            Err(unknown("test", name, &range, predicates::names()))
        }
        _ => Ok(()),
    }
}

fn check_pattern(given: &Given) -> Result<(), Mistake> {
    match constant_text(given.positional.first()) {
        Some((pattern, range)) => {
            let refused = |error: regex::Error| Mistake::new(text::regex_words(&error), range);
            text::compiled(pattern).map(drop).map_err(refused)
        }
        None => Ok(()),
    }
}
