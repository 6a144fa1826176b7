//! What the library accepts and RFC 9535 does not, or what it gets wrong.

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction,
};

use super::super::mistake::Mistake;

/// Refuses what must not be evaluated.
pub(super) fn check(query: &JpQuery) -> Result<(), Mistake> {
    segments(&query.segments)
}

fn segments(all: &[Segment]) -> Result<(), Mistake> {
    all.iter().try_for_each(segment)
}

fn segment(segment: &Segment) -> Result<(), Mistake> {
    match segment {
        Segment::Descendant(inner) => self::segment(inner),
        Segment::Selector(one) => selector(one),
        Segment::Selectors(several) => several.iter().try_for_each(selector),
    }
}

fn selector(selector: &Selector) -> Result<(), Mistake> {
    match selector {
        Selector::Filter(inner) => filter(inner),
        Selector::Name(_) | Selector::Wildcard | Selector::Index(_) | Selector::Slice(..) => Ok(()),
    }
}

fn filter(filter: &Filter) -> Result<(), Mistake> {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => parts.iter().try_for_each(self::filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => self::filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => test(expr),
        Filter::Atom(FilterAtom::Comparison(comparison)) => compare(comparison),
    }
}

fn test(test: &Test) -> Result<(), Mistake> {
    match test {
        Test::RelQuery(path) => relative(path),
        Test::AbsQuery(query) => segments(&query.segments),
        Test::Function(call) => match call.as_ref() {
            TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => {
                Err(Mistake::new(format!("`{}` gives a value, which alone is neither true nor false", name(call)))
                    .help(format!("compare it: `{}(…) > 0`", name(call))))
            }
            TestFunction::Custom(..) | TestFunction::Search(..) | TestFunction::Match(..) => function(call),
        },
    }
}

/// A query that starts at `@`. The library takes a filter directly behind `@`
/// for a condition on the item itself and selects nothing.
fn relative(path: &[Segment]) -> Result<(), Mistake> {
    let first = match path.first() {
        Some(Segment::Descendant(inner)) => Some(inner.as_ref()),
        other => other,
    };
    let filters = |selector: &Selector| matches!(selector, Selector::Filter(_));
    let direct = match first {
        Some(Segment::Selector(one)) => filters(one),
        Some(Segment::Selectors(several)) => several.iter().any(filters),
        Some(Segment::Descendant(_)) | None => false,
    };
    if direct {
        return Err(Mistake::new("a filter cannot stand directly behind `@`")
            .help("name the list first: `@.conditions[?@.status=='True']`"));
    }
    segments(path)
}

fn compare(comparison: &Comparison) -> Result<(), Mistake> {
    let (left, right) = comparison.vals();
    [left, right].into_iter().try_for_each(|side| match side {
        Comparable::Function(call) => function(call),
        Comparable::Literal(_) | Comparable::SingularQuery(_) => Ok(()),
    })
}

fn function(call: &TestFunction) -> Result<(), Mistake> {
    match call {
        TestFunction::Length(argument) => value(call, argument),
        TestFunction::Count(argument) | TestFunction::Value(argument) => nodes(call, argument),
        TestFunction::Search(text, pattern) | TestFunction::Match(text, pattern) => {
            value(call, text)?;
            value(call, pattern)
        }
        TestFunction::Custom(name, _) => Err(Mistake::new(format!("`{name}` is no function of RFC 9535"))
            .help("there are `length`, `count`, `value`, `match` and `search`")),
    }
}

/// An argument that must be one value.
fn value(call: &TestFunction, argument: &FnArg) -> Result<(), Mistake> {
    let refuse = || {
        Err(Mistake::new(format!("`{}` takes one value, and this may be several", name(call)))
            .help("`count(…)` counts several"))
    };
    match argument {
        FnArg::Literal(_) => Ok(()),
        FnArg::Filter(_) => refuse(),
        FnArg::Test(test) => match test.as_ref() {
            Test::RelQuery(path) if is_singular(path) => Ok(()),
            Test::AbsQuery(query) if is_singular(&query.segments) => Ok(()),
            Test::Function(inner) if inner.is_comparable() => function(inner),
            Test::RelQuery(_) | Test::AbsQuery(_) | Test::Function(_) => refuse(),
        },
    }
}

/// An argument that must be a query.
fn nodes(call: &TestFunction, argument: &FnArg) -> Result<(), Mistake> {
    let refuse = || Err(Mistake::new(format!("`{}` takes a path such as `@.items[*]`", name(call))));
    match argument {
        FnArg::Test(test) => match test.as_ref() {
            Test::RelQuery(path) => relative(path),
            Test::AbsQuery(query) => segments(&query.segments),
            Test::Function(_) => refuse(),
        },
        FnArg::Literal(_) | FnArg::Filter(_) => refuse(),
    }
}

fn is_singular(path: &[Segment]) -> bool {
    path.iter().all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))))
}

fn name(call: &TestFunction) -> &str {
    match call {
        TestFunction::Custom(name, _) => name,
        TestFunction::Length(_) => "length",
        TestFunction::Value(_) => "value",
        TestFunction::Count(_) => "count",
        TestFunction::Search(..) => "search",
        TestFunction::Match(..) => "match",
    }
}
