//! Reading as a whole: every diagnostic of the reader, the books, round trips.

use std::fmt::Write as _;

use super::*;
use crate::source::{Diagnostic, Source};

/// The diagnostics as text: place, message, helps, patched lines.
pub(super) fn show(source: &Source, found: &[Diagnostic]) -> String {
    let mut out = String::new();
    for complaint in found {
        let place = source.place(complaint.span.start);
        let kind = if complaint.is_error() { "error" } else { "warning" };
        writeln!(
            out,
            "{}:{} {kind}: {} [{}]",
            place.line,
            place.column,
            complaint.message,
            source.slice(complaint.span)
        )
        .unwrap();
        if !complaint.label.is_empty() {
            writeln!(out, "  label: {}", complaint.label).unwrap();
        }
        for label in &complaint.labels {
            let place = source.place(label.span.start);
            writeln!(out, "  also {}:{} {}", place.line, place.column, label.text).unwrap();
        }
        for help in &complaint.helps {
            writeln!(out, "  help: {help}").unwrap();
        }
        for patch in &complaint.patches {
            let mut text = source.text().to_owned();
            text.replace_range(patch.span.range(), &patch.replacement);
            let line = source.place(patch.span.start).line;
            writeln!(out, "  patch: {}", text.lines().nth(line - 1).unwrap_or_default()).unwrap();
        }
    }
    out
}

fn complaints(text: &str) -> String {
    let source = Source::new("t.yaml", text);
    let (node, found) = read(&source);
    let tree = node.map_or("none".to_owned(), |node| node.to_json().to_string());
    format!("{}tree: {tree}\n", show(&source, &found))
}

#[test]
fn scratch() {
    let cases = [
        "a: {path: $.x[0].y, b: 1}\nc: d\n",
        "a: {path: $.items[?@.a=='b'].z}\n",
        "when: a == 'b: c'\nx: y\n",
        "steps:\n  - when: a ? b : c\n    x: y\n",
        "a: {that: x == 'a: b', m: 1}\n",
        "a: {that: f(a, b), m: 1}\n",
        "when: x == ' #1'\n",
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
        "a:\n\tb: 1\n",
        "a:\n  b: 1\n\tc: 2\n",
        "a:\n  - b: 1\n\t  c: 2\n",
        "a: \"xyz\nb: 1\nc: 2\n",
        "steps:\n  - id: x\n    name: 'abc\n    y: z\n  - id: b\n    k: v\n",
        "a: 'abc",
        "a: 'abc' d\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\na: 2\n",
        "a: !foo x\n",
        "when: !x.y and z\n",
        "a: &x [1]\nb: *x\nc: *y\n",
        "a: &x [*x]\n",
        "a\nb: 1\n",
        "b: 1\na\nc: 2\n",
        "b:\n  x: 1\n  y\nc: 2\n",
        "a: b\n c: d\n",
        "a:\n  - b\n c\n",
        "a: |\n  text\n  more\nb: >-\n  fold\n  ed\n",
        "a: [1, 2\nb: 3\n",
        "a: {x: 1\nb: 3\n",
        "a: {x: 1, b: [2, 3}\n",
        "a: [1, 2",
        "a: {x: 1",
        "steps:\n  - id: a\n   name: b\n",
        "steps:\n  - id: a\n     name: b\n",
        "steps:\n  - id: a\n    b:\n      c: 1\n     name: b\n",
        "a: @foo\n",
        "a: `x`, b: c\n",
        "a: %x\n",
        "%YAML 1.1\n---\na: 1\n",
        "a: *\n",
        "",
        "# only\n",
        "a:\n",
        "- \n- a\n",
        "{a, b}\n",
        "? [a]\n: b\n",
        "a: - b\n",
        "key:value\nb: 1\n",
        "a: 'it''s'\nb: \"a\\qb\"\n",
        "a: }\n",
        "a: b]\n",
        "a: {b: c]}\n",
        "1: a\ntrue: b\nnull: c\n'4': d\non: e\n{{ x }}: f\n\"{{ y }}\": g\n*a : b\n",
        "b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\nd:\n  <<: [*b, {z: 1}]\ne: {<<: 3}\n",
        "a: b # c 'd'\nn: it's # isn't\nx: y == 'a # b'\n",
        "x: [a b, c: d, {e: f}, g[0]]\n",
        "- when: {{ a }}\n  x: {{ b }}:{{ c }}\n  p: {path: $.a[0], q: {.x[1].y}}\n  when: a: b\n",
    ];
    let mut out = String::new();
    for case in cases {
        out.push_str(&format!("=== {case:?}\n{}", complaints(case)));
    }
    std::fs::write("/tmp/scratch/out.txt", out).unwrap();
}
