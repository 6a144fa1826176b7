//! Reading as a whole: every diagnostic of the reader, the books, round trips.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::source::{Diagnostic, Source};

/// Diagnostics as text: place, message, what is underlined, helps, the line as mended.
pub(super) fn show(source: &Source, found: &[Diagnostic]) -> String {
    let mut out = String::new();
    for complaint in found {
        let kind = if complaint.is_error() { "error" } else { "warning" };
        let underlined = source.slice(complaint.span).escape_debug();
        line(&mut out, &format!("{} {kind}: {} [{underlined}]", place(source, complaint.span), complaint.message));
        if !complaint.label.is_empty() {
            line(&mut out, &format!("  label: {}", complaint.label));
        }
        for label in &complaint.labels {
            line(&mut out, &format!("  also {} {}", place(source, label.span), label.text));
        }
        complaint.helps.iter().for_each(|help| line(&mut out, &format!("  help: {help}")));
        for patch in &complaint.patches {
            let mut text = source.text().to_owned();
            text.replace_range(patch.span.range(), &patch.replacement);
            let mended = text.lines().nth(source.place(patch.span.start).line - 1).unwrap_or_default();
            line(&mut out, &format!("  patch: {mended}"));
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").unwrap();
}

fn place(source: &Source, span: crate::source::Span) -> String {
    let place = source.place(span.start);
    format!("{}:{}", place.line, place.column)
}

/// Reads each text and shows what was said and what was understood.
fn read_all(texts: &[&str]) -> String {
    let mut out = String::new();
    for text in texts {
        let source = Source::new("t.yaml", *text);
        let (node, found) = read(&source);
        let tree = node.map_or("none".to_owned(), |node| node.to_json().to_string());
        write!(out, "--- {text:?}\n{}tree: {tree}\n", show(&source, &found)).unwrap();
    }
    out
}

#[test]
fn slips_have_their_own_words_and_do_not_stop_the_reading() {
    insta::assert_snapshot!(read_all(&[
        "a: {path: $.x[0].y, b: 1}\nc: d\n",
        "a: {path: $.items[?@.a=='b,c'].z}\n",
        "x: [a b, c: d, {e: f}, g[0]]\n",
        "when: a == 'b: c'\nx: y\n",
        "steps:\n  - when: a ? b : c\n    x: y\n",
        "a: {that: x == 'a: b', m: 1}\n",
        "a: {that: f(a, b), m: 1}\n",
        "{a, b}\n",
        "when: x == ' #1'\nn: it's # isn't\na: b # c 'd'\n",
        "d: {{ vars.web }}\nx: 1\n",
        "d: {{ vars.web }}/x\nx: 1\n",
        "d: {{ a['b'] }}\nx: 1\n",
        "d: {{ a }}:{{ b }}\n",
        "d: {x: {{ a }}, y: 1}\n",
        "d: {x: a{{ b }}, y: 1}\n",
        "d: x{{ b }}\n",
        "d: [{{ a }}, b]\n",
        "p: {.status.phase}\n",
        "p: {.items[0].x}\nq: 1\n",
    ]));
}

#[test]
fn several_slips_are_all_reported_at_their_places() {
    insta::assert_snapshot!(read_all(&[
        "- when: {{ a }}\n  x: {{ b }}:{{ c }}\n  p: {path: $.a[0], q: {.x[1].y}}\n  when: a: b\n  1: é\n  n: {path: $.é[0]}\n",
    ]));
}

#[test]
fn mistakes_of_syntax_are_explained() {
    insta::assert_snapshot!(read_all(&[
        "a:\n\tb: 1\n",
        "a:\n  b: 1\n\tc: 2\n",
        "a:\n  - b: 1\n\t  c: 2\n",
        "a: \"xyz\nb: 1\nc: 2\n",
        "steps:\n  - id: x\n    name: 'abc\n    y: z\n",
        "a: 'abc",
        "a: 'abc' d\n",
        "a\nb: 1\n",
        "b: 1\na\nc: 2\n",
        "key:value\nb: 1\n",
        "a: b\n c: d\n",
        "a:\n  - b\n c\n",
        "a: [1, 2\nb: 3\n",
        "a: {x: 1\nb: 3\n",
        "a: {x: 1, b: [2, 3}\n",
        "a: [1, 2",
        "steps:\n  - id: a\n   name: b\n",
        "steps:\n  - id: a\n     name: b\n",
        "a: @foo\nb: `x`\nc: %d\ne: *\n",
        "%YAML 1.1\n---\na: 1\n",
        "a: - b\n",
        "b: \"^a\\.\\d+$\"\n",
        "a: }\n",
        "a: {b: c]}\n",
    ]));
}

#[test]
fn keys_aliases_tags_and_documents_are_checked() {
    insta::assert_snapshot!(read_all(&[
        "1: a\ntrue: b\nnull: c\n'4': d\non: e\n{{ x }}: f\n\"{{ y }}\": g\n*a : b\n? [a]\n: b\n",
        "a: 1\na: 2\n",
        "a: 1\n---\nb: 2\n",
        "a: !foo x\nwhen: !x.y and z\nb: !!str 3\n",
        "a: &x [1]\nb: *x\nc: *y\n",
        "a: &x [*x]\n",
        "b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\nd:\n  <<: [*b, {z: 1}]\ne: {<<: 3}\n",
    ]));
}

#[test]
fn an_empty_text_is_null_and_blocks_are_text() {
    insta::assert_snapshot!(read_all(&["", "# only\n", "a:\n", "- \n- a\n", "a: |\n  1\n  2\nb: >-\n  c\n  d\n"]));
}

#[test]
fn an_alias_bomb_and_bottomless_nesting_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = level - 1;
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{before}"); 9].join(", ")).unwrap();
    }
    let complain = |text: String| {
        let (node, found) = read(&Source::new("t.yaml", text));
        assert!(node.is_none());
        found.into_iter().map(|complaint| complaint.message).collect::<Vec<_>>()
    };
    assert_eq!(complain(bomb), ["aliases copy too much: the document would grow beyond measure"]);
    assert_eq!(complain("[".repeat(70) + &"]".repeat(70)), ["lists and mappings nest deeper than 64 levels"]);
    assert_eq!(complain("[".repeat(5_000)), ["lists and mappings nest deeper than 64 levels"]);
    assert_eq!(
        complain((0..70).map(|depth| " ".repeat(depth) + "a:\n").collect()),
        ["lists and mappings nest deeper than 64 levels"]
    );
}

#[test]
fn bytes_become_a_source_or_say_why_not() {
    assert_eq!(from_bytes("a", b"\xEF\xBB\xBFa: 1").unwrap().text(), "a: 1");
    assert_eq!(from_bytes("a", b"a: \xFFb").unwrap_err().message, "the file is not UTF-8: byte 3 begins no character");
    assert!(from_bytes("a", &vec![b' '; MAX_BYTES + 1]).unwrap_err().message.contains("at most 8 MiB"));
}

#[test]
fn block_and_flow_nodes_know_their_places() {
    let source = Source::new("t.yaml", "a:\n  - b: 'c'\n    d: [e, {f: g}]\n  # comment\n\nh: |\n  i\n");
    let node = read(&source).0.unwrap();
    let slice = |node: &Node| source.slice(node.span).to_owned();
    let list = node.get("a").unwrap();
    assert_eq!(slice(list), "- b: 'c'\n    d: [e, {f: g}]");
    assert_eq!(slice(&list.items()[0]), "b: 'c'\n    d: [e, {f: g}]");
    assert_eq!(slice(list.items()[0].get("d").unwrap()), "[e, {f: g}]");
    assert_eq!(source.slice(list.items()[0].entry("b").unwrap().key.span), "b");
    assert_eq!(slice(node.get("h").unwrap()), "i\n");
}

/// The runbooks that the format was designed with.
const BOOKS: [&str; 8] = [
    include_str!("testdata/canary-image.yaml"),
    include_str!("testdata/db-maintenance.yaml"),
    include_str!("testdata/drain-node.yaml"),
    include_str!("testdata/incident-triage.yaml"),
    include_str!("testdata/nightly-pause.yaml"),
    include_str!("testdata/rerun-failed-job.yaml"),
    include_str!("testdata/restart-app.yaml"),
    include_str!("testdata/rotate-postgres-password.yaml"),
];

#[test]
fn whole_runbooks_are_read_without_a_word() {
    for text in BOOKS {
        let (node, found) = read(&Source::new("book.yaml", text));
        assert_eq!(found, []);
        let node = node.unwrap();
        assert_eq!(node.look_alikes(), []);
        assert_eq!(node.get("runbook").and_then(Node::as_text), Some("v1"));
        assert!(paths(&node).iter().all(|path| JsonPath::parse(path).is_ok()), "{:?}", paths(&node));
    }
}

/// The texts under every key `path`.
fn paths(node: &Node) -> Vec<&str> {
    let below = node.entries().iter().map(|entry| &entry.value).chain(node.items());
    let here = node.get("path").and_then(Node::as_text);
    here.into_iter().chain(below.flat_map(paths)).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        "[-+.0-9_:eExo]{0,8}",
        proptest::sample::select(vec![
            "no", "on", "yes", "null", "~", "true", "010", "12:30", "- a", "a: b", "a #b", "{{ x }}", "<<", "", " ",
            "\t", "é\n"
        ])
        .prop_map(str::to_owned),
    ];
    let key = "[a-z<{#: -]{1,6}".prop_filter("a key without a template", |key| !key.contains("{{"));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_written_as_yaml_is_read_as_the_same_json(value in any_json()) {
        let text = serde_saphyr::to_string(&value).unwrap();
        let (node, found) = read(&Source::new("t.yaml", text.as_str()));
        prop_assert_eq!(found, vec![], "{}", &text);
        prop_assert_eq!(node.map(|node| node.to_json()), Some(value), "{}", text);
    }

    #[test]
    fn no_text_panics_and_every_place_is_in_it(text in r#"([ -]{0,3}[a-c{}\[\]:,#'"&*!|>%@`~$.\\\téx ]{0,9}\n?){0,6}"#) {
        let source = Source::new("t.yaml", text.as_str());
        let (node, found) = read(&source);
        let fits = |span: crate::source::Span| text.get(span.range()).is_some();
        for complaint in &found {
            prop_assert!(fits(complaint.span) && complaint.labels.iter().all(|label| fits(label.span)), "{:?}", complaint);
            prop_assert!(complaint.patches.iter().all(|patch| fits(patch.span)), "{:?}", complaint);
        }
        prop_assert!(node.is_some() || found.iter().any(Diagnostic::is_error));
        if let Some(node) = node {
            prop_assert!(fits(node.span));
            drop(node.to_json());
        }
    }
}

#[test]
fn a_merged_value_does_not_override_a_written_one() {
    let (node, found) = read(&Source::new("t.yaml", "base: &b {a: 1, c: 2}\nx:\n  <<: *b\n  a: 3\n"));
    assert_eq!(found, []);
    assert_eq!(node.unwrap().get("x").unwrap().to_json(), json!({"a": 3, "c": 2}));
}
