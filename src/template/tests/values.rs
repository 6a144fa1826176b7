//! A table of expressions and their values.

use super::*;

/// An expression, and its value as JSON.
const VALUES: &[(&str, &str)] = &[
    // operators
    ("1 + 2 * 3", "7"),
    ("7 // 2", "3"),
    ("-7 // 2", "-4"),
    ("-7 % 3", "2"),
    ("4 / 2", "2.0"),
    ("2 ** 10", "1024"),
    ("2 ** -1", "0.5"),
    ("1.5 + 1", "2.5"),
    ("'a' + 'b'", r#""ab""#),
    ("[1] + [2]", "[1, 2]"),
    ("'a' ~ 1 ~ true ~ none ~ 1.5 ~ [1]", r#""a1truenull1.5[1]""#),
    ("(1 + 2) * 3", "9"),
    ("- inputs.replicas", "-3"),
    ("not inputs.flag", "false"),
    ("inputs.flag and not steps.before.changed", "true"),
    ("false and missing", "false"),
    ("true or missing", "true"),
    ("'yes' if inputs.flag else missing", r#""yes""#),
    ("1 < 2 < 3", "true"),
    ("1 < 3 < 2", "false"),
    ("1 == 1.0", "true"),
    ("'a' < 'b'", "true"),
    ("vars.nothing == none", "true"),
    ("inputs.replicas != none", "true"),
    ("[1, {'a': 2}] == [1, {'a': 2}]", "true"),
    ("[true] == [1]", "false"),
    ("'a' in ['a', 'b']", "true"),
    ("'3' in [3]", "false"),
    ("'a' not in inputs.apps", "false"),
    ("'hop' in inputs.namespace", "true"),
    ("'before' in steps", "true"),
    // names
    ("steps.before.outputs.replicas < inputs.replicas", "true"),
    ("steps['before'].outputs['want']", r#""3""#),
    ("steps.before.outputs.pods[0].name", r#""web-1""#),
    ("steps.before.outputs.pods[-1].name", r#""web-2""#),
    ("steps.before.outputs.pods.1.name", r#""web-2""#),
    ("inputs[item ~ ''] | default('none')", r#""none""#),
    ("steps.before.outputs.pods[:1]|length", "1"),
    ("'abcdef'[1:5:2]", r#""bd""#),
    ("'abcdef'[-2:]", r#""ef""#),
    ("[1, 2, 3][:100]", "[1, 2, 3]"),
    ("{'a': {'b': 1}}", r#"{"a": {"b": 1}}"#),
    ("(1, 2)", "[1, 2]"),
    ("inputs.big", "18446744073709551615"),
    // undefined and none
    ("missing|default(1)", "1"),
    ("steps.nope.outputs.x|default('n')", r#""n""#),
    (
        "steps.pause.each|default([])|rejectattr('status', 'eq', 'passed')|map(attribute='item')|list",
        "[]",
    ),
    ("steps.before.outputs.pods[9].name|default('n')", r#""n""#),
    ("[]|first|default('n')", r#""n""#),
    ("vars.empty|default('n')", r#""""#),
    ("vars.empty|default('n', true)", r#""n""#),
    ("vars.nothing|default('n')", "null"),
    ("inputs.health is defined", "false"),
    ("inputs.flag is defined and inputs.flag", "true"),
    ("a.b.c is undefined", "true"),
    ("a.b.c is not defined", "true"),
    // filters
    ("steps.before.outputs.pods|length == 2", "true"),
    (
        "steps.before.outputs.pods|map(attribute='name')|join(', ')",
        r#""web-1, web-2""#,
    ),
    (
        "steps.before.outputs.pods|join('+', attribute='age')",
        r#""3+1""#,
    ),
    (
        "steps.before.outputs.pods|selectattr('ready')|map(attribute='name')|list",
        r#"["web-1"]"#,
    ),
    (
        "steps.before.outputs.pods|selectattr('reason', 'eq', 'Evicted')|map(attribute='name')",
        r#"["web-2"]"#,
    ),
    (
        "steps.before.outputs.pods|rejectattr('reason', 'defined')|map(attribute='name')",
        r#"["web-1"]"#,
    ),
    (
        "steps.before.outputs.pods|map(attribute='reason', default='-')",
        r#"["-", "Evicted"]"#,
    ),
    (
        "steps.before.outputs.pods|sort(attribute='age')|map(attribute='name')",
        r#"["web-2", "web-1"]"#,
    ),
    (
        "(steps.before.outputs.pods|max(attribute='age')).name",
        r#""web-1""#,
    ),
    ("steps.before.outputs.pods|sum(attribute='age')", "4"),
    (
        "steps.before.outputs.pods|map(attribute='cpu')|map('quantity')|sum",
        r#""1250m""#,
    ),
    ("[3, 1, 2]|select('gt', 1)|sort", "[2, 3]"),
    ("[3, 1, 2]|reject('odd')", "[2]"),
    ("['a', 'b']|map('upper')", r#"["A", "B"]"#),
    ("[1, 1, 2]|unique", "[1, 2]"),
    ("[1, 2, 3]|batch(2, 0)", "[[1, 2], [3, 0]]"),
    ("{'b': 1, 'a': 2}|dictsort", r#"[["a", 2], ["b", 1]]"#),
    ("{'b': 1, 'a': 2}|items|first|last", "1"),
    ("{'b': 1, 'a': 2}|list", r#"["b", "a"]"#),
    ("'a,b'|split(',')", r#"["a", "b"]"#),
    ("'a-b'|replace('-', '_')|upper", r#""A_B""#),
    ("'xaxx'|trim('x')", r#""a""#),
    ("'42'|int + 1", "43"),
    ("'n/a'|int(default=0)", "0"),
    ("3.7|round|int", "4"),
    ("'false'|bool", "false"),
    ("true|string", r#""true""#),
    ("{'a': [1, '<']}|tojson", r#""{\"a\":[1,\"<\"]}""#),
    ("[1]|tojson(indent=2)", r#""[\n  1\n]""#),
    ("('{\"a\": [1]}'|json).a[0]", "1"),
    ("{'a': {'b': 3}}|jsonpath('$.a.b')", "3"),
    ("{'a': [1, 2]}|jsonpath('$.a.*')", "[1, 2]"),
    ("{}|jsonpath('$.a')|default(7)", "7"),
    ("'90s'|duration", "90"),
    ("'1h30m'|duration > '90s'|duration", "true"),
    ("'300ms'|duration", "0.3"),
    ("patience|duration", "90"),
    ("patience", r#""90s""#),
    ("memory > '500Mi'|quantity", "true"),
    ("'1000m'|quantity == '1'|quantity", "true"),
    ("vars.b64|b64decode", r#""hello""#),
    ("'hello'|b64encode", r#""aGVsbG8=""#),
    (
        "'abc'|sha256",
        r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
    ),
    ("'web-12'|regex_replace('-(\\\\d+)$', '/$1')", r#""web/12""#),
    ("range(1, 8, 3)", "[1, 4, 7]"),
    ("now()[:10]", r#""2026-01-02""#),
    ("random_text(40)|length", "40"),
    ("uuid()|length", "36"),
    // tests
    ("3 is odd and 4 is even and 9 is divisibleby 3", "true"),
    (
        "'abc' is startingwith 'ab' and 'abc' is endingwith('bc')",
        "true",
    ),
    (
        "1 is number and 'a' is string and [] is sequence and {} is mapping",
        "true",
    ),
    ("vars.nothing is none", "true"),
    ("item is in ['x']", "true"),
];

#[test]
fn expressions_have_these_values() {
    for (text, expected) in VALUES {
        let expected: Json = serde_json::from_str(expected).expect(expected);
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}
