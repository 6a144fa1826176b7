//! The matchers, by what authors write.

use serde_json::{Value, json};

use super::Expectation;
use crate::clock::Clock;
use crate::document::{self, JsonPath, Mode};
use crate::source::Source;
use crate::template::{Functions, Scope};

fn scope() -> Scope {
    Scope::new(Functions {
        jsonpath: |value, path| Ok(JsonPath::parse(path)?.select(value).into_iter().cloned().collect()),
        clock: Clock::system(),
    })
}

/// The mismatch's line, or nothing when the expectation holds.
fn look(expectation: &str, result: &Value) -> Option<String> {
    let source = Source::new("t.yaml", format!("- {expectation}\n"));
    let (node, complaints) = document::read(&source);
    assert!(complaints.is_empty(), "{complaints:?}");
    let mut out = Vec::new();
    let list = Expectation::list(&node.unwrap(), Mode::Whole, &mut out).unwrap();
    assert!(out.is_empty(), "{out:?}");
    list[0].check(result, &scope()).unwrap().map(|mismatch| mismatch.to_string())
}

fn mistakes(expectation: &str) -> Vec<String> {
    let source = Source::new("t.yaml", format!("- {expectation}\n"));
    let mut out = Vec::new();
    Expectation::list(&document::read(&source).0.unwrap(), Mode::Holes, &mut out);
    out.into_iter().map(|complaint| complaint.message).collect()
}

#[test]
fn what_holds_says_nothing() {
    let result =
        json!({"n": 3, "t": "web-1", "l": [1, 2], "o": {"a": 1, "b": 2}, "q": "500m", "when": "2026-01-02T00:00:00Z"});
    for expectation in [
        "{path: $.n, equals: 3}",
        "{path: $.n, at-least: 3, at-most: 3}",
        "{path: $.n, between: [1, 3]}",
        "{path: $.n, one-of: [1, 3]}",
        "{path: $.t, matches: '^web-[0-9]$', not-contains: db}",
        "{path: $.l, length: 2, contains: 2}",
        "{path: '$.l[*]', every: {at-least: 1}}",
        "{path: '$.l[*]', any: {equals: 2}}",
        "{path: '$.l[*]', none: {equals: 3}}",
        "{path: '$.l[*]', count: 2}",
        "{path: '$.l[*]', count: {at-least: 1}}",
        "{path: $.o, subset: {a: 1}, type: object}",
        "{path: $.missing, exists: false}",
        "{path: $.missing, default: 0, equals: 0}",
        "{path: $.q, less-than: 1, quantity: true}",
        "{path: $.when, less-than: '2026-01-03T00:00:00Z', time: true}",
        "{path: '$.none[*]', none: {equals: 1}, allow-empty: true}",
        "{that: 1 + 1 == 2}",
    ] {
        assert_eq!(look(expectation, &result), None, "{expectation}");
    }
}

#[test]
fn what_does_not_hold_says_why() {
    let result = json!({"n": "3", "l": [1, 2], "o": {"a": 1, "b": 2}});
    let cases = [
        ("{path: $.n, equals: 3}", "$.n should be: equals 3; found \"3\" (text \"3\" is not the number 3)"),
        ("{path: $.x, equals: 3}", "$.x should be: equals 3; found nothing (the path selects nothing)"),
        ("{path: $.x, not-equals: 3}", "$.x should be: does not equal 3; found nothing (the path selects nothing)"),
        (
            "{path: '$.l[*]', equals: 1}",
            "$.l[*] should be: equals 1; found 2 (the path selects 2 nodes: say `every`, `any`, `none` or `count`)",
        ),
        ("{path: '$.l[*]', every: {at-least: 2}}", "$.l[*] should be: every node at least 2; found 1 (node 1 of 2)"),
        ("{path: '$.l[*]', none: {equals: 2}}", "$.l[*] should be: no node equals 2; found 2"),
        (
            "{path: '$.z[*]', every: {equals: 2}}",
            "$.z[*] should be: equals 2; found nothing (the path selects nothing; `allow-empty: true` would let that pass)",
        ),
        ("{path: '$.l[*]', count: 3}", "$.l[*] should be: number of nodes is 3; found 2"),
        (
            "{path: $.l, length: 3, message: too short}",
            "too short: $.l should be: has length 3; found [1,2] (its length is 2)",
        ),
        (
            "{path: $.n, at-least: 2}",
            "$.n should be: at least 2; found \"3\" (text cannot be compared with a number; there is no conversion (`quantity: true` or `time: true` read texts))",
        ),
    ];
    for (expectation, line) in cases {
        assert_eq!(look(expectation, &result).as_deref(), Some(line), "{expectation}");
    }
}

#[test]
fn objects_are_compared_field_by_field() {
    let source = Source::new("t.yaml", "- {path: $.o, equals: {a: 1, c: 3}}\n");
    let list = Expectation::list(&document::read(&source).0.unwrap(), Mode::Whole, &mut Vec::new()).unwrap();
    let mismatch = list[0].check(&json!({"o": {"a": 2, "b": 2}}), &scope()).unwrap().unwrap();
    let fields: Vec<&str> = mismatch.diff.iter().map(|diff| diff.field.as_str()).collect();
    assert_eq!(fields, ["/a", "/c", "/b"]);
}

#[test]
fn mistakes_are_named_with_a_near_miss() {
    assert_eq!(mistakes("{path: $.n, eqals: 3}"), ["unknown matcher `eqals`"]);
    assert_eq!(mistakes("{path: $.n, matches: '['}").len(), 1);
    assert_eq!(mistakes("{path: $.n}"), ["this expectation expects nothing"]);
    assert_eq!(mistakes("{equals: 3}"), ["an expectation needs `path` with a matcher, or `that` with a condition"]);
    assert_eq!(mistakes("{path: $.n, one-of: 3}"), ["`one-of` takes a list"]);
    assert_eq!(mistakes("{path: $.n, one-of: '{{ vars.x }}'}"), Vec::<String>::new());
}
