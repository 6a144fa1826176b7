//! The tests behind `is`: `defined` and `undefined` are forms of their own, all others stand here.

use minijinja::Value as Raw;

use super::arguments::Arguments;
use super::compare;
use super::error::Refusal;
use super::tree::Comparison;
use super::value::{Kind, kind_of};

/// A row of [`PREDICATES`].
#[derive(Debug)]
pub(super) struct Predicate {
    name: &'static str,
    run: fn(&Raw, &mut Arguments) -> Result<bool, Refusal>,
}

/// Every test; to add one, write it below and name it here.
const PREDICATES: &[Predicate] = &[
    Predicate { name: "!=", run: not_equal },
    Predicate { name: "<", run: less },
    Predicate { name: "<=", run: at_most },
    Predicate { name: "==", run: equal },
    Predicate { name: ">", run: greater },
    Predicate { name: ">=", run: at_least },
    Predicate { name: "boolean", run: |value, _| Ok(kind_of(value) == Kind::Boolean) },
    Predicate { name: "divisibleby", run: divisible_by },
    Predicate { name: "endingwith", run: ending_with },
    Predicate { name: "eq", run: equal },
    Predicate { name: "equalto", run: equal },
    Predicate { name: "even", run: |value, _| remainder(value, 2).map(|rest| rest == 0) },
    Predicate { name: "false", run: |value, _| Ok(kind_of(value) == Kind::Boolean && !value.is_true()) },
    Predicate { name: "float", run: |value, _| Ok(kind_of(value) == Kind::Number && !value.is_integer()) },
    Predicate { name: "ge", run: at_least },
    Predicate { name: "greaterthan", run: greater },
    Predicate { name: "gt", run: greater },
    Predicate { name: "in", run: is_in },
    Predicate { name: "integer", run: |value, _| Ok(value.is_integer()) },
    Predicate { name: "iterable", run: |value, _| Ok(matches!(kind_of(value), Kind::List | Kind::Map | Kind::Text)) },
    Predicate { name: "le", run: at_most },
    Predicate { name: "lessthan", run: less },
    Predicate { name: "lower", run: |value, _| text(value).map(|text| text == text.to_lowercase()) },
    Predicate { name: "lt", run: less },
    Predicate { name: "mapping", run: |value, _| Ok(kind_of(value) == Kind::Map) },
    Predicate { name: "ne", run: not_equal },
    Predicate { name: "none", run: |value, _| Ok(kind_of(value) == Kind::None) },
    Predicate { name: "number", run: |value, _| Ok(kind_of(value) == Kind::Number) },
    Predicate { name: "odd", run: |value, _| remainder(value, 2).map(|rest| rest != 0) },
    Predicate { name: "sequence", run: |value, _| Ok(kind_of(value) == Kind::List) },
    Predicate { name: "startingwith", run: starting_with },
    Predicate { name: "string", run: |value, _| Ok(kind_of(value) == Kind::Text) },
    Predicate { name: "true", run: |value, _| Ok(kind_of(value) == Kind::Boolean && value.is_true()) },
    Predicate { name: "upper", run: |value, _| text(value).map(|text| text == text.to_uppercase()) },
];

pub(super) fn find(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|predicate| predicate.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|predicate| predicate.name).chain(["defined", "undefined"])
}

impl Predicate {
    /// Whether the value passes.
    pub(super) fn holds(&self, value: &Raw, mut arguments: Arguments) -> Result<bool, Refusal> {
        let holds = (self.run)(value, &mut arguments)?;
        arguments.finish().map(|()| holds)
    }
}

fn equal(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::Equal, value, &arguments.need("other")?)
}

fn not_equal(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::NotEqual, value, &arguments.need("other")?)
}

fn less(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::Less, value, &arguments.need("other")?)
}

fn at_most(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::AtMost, value, &arguments.need("other")?)
}

fn greater(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::Greater, value, &arguments.need("other")?)
}

fn at_least(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::AtLeast, value, &arguments.need("other")?)
}

fn is_in(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    compare::holds(Comparison::In, value, &arguments.need("container")?)
}

fn starting_with(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    Ok(text(value)?.starts_with(&arguments.need_text("start")?))
}

fn ending_with(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    Ok(text(value)?.ends_with(&arguments.need_text("end")?))
}

fn divisible_by(value: &Raw, arguments: &mut Arguments) -> Result<bool, Refusal> {
    match arguments.integer("divisor")? {
        Some(divisor) if divisor != 0 => remainder(value, divisor).map(|rest| rest == 0),
        _ => Err(Refusal::failed("the divisor must be a whole number other than 0")),
    }
}

fn remainder(value: &Raw, divisor: i64) -> Result<i128, Refusal> {
    let whole = if value.is_integer() { i128::try_from(value.clone()).ok() } else { None };
    let whole = whole.ok_or_else(|| Refusal::mismatch(format!("this takes a whole number, not {}", kind_of(value))))?;
    whole.checked_rem(i128::from(divisor)).ok_or_else(|| Refusal::failed("the number is too large"))
}

fn text(value: &Raw) -> Result<&str, Refusal> {
    value.as_str().ok_or_else(|| Refusal::mismatch(format!("this takes text, not {}", kind_of(value))))
}
