use super::*;

fn names(text: &str) -> Vec<(String, String, bool)> {
    let expression = Expression::parse(text).expect("an expression");
    expression
        .names()
        .iter()
        .map(|name| (name.path.join("."), text[name.range.clone()].to_owned(), name.guarded))
        .collect()
}

#[test]
fn every_name_is_known_with_its_chain_and_place() {
    for (text, expected) in [
        ("steps.a.outputs.x", vec![("steps.a.outputs.x", "steps.a.outputs.x", false)]),
        (
            "steps['get pods'].body[0].name",
            vec![("steps.get pods.body.0.name", "steps['get pods'].body[0].name", false)],
        ),
        ("(a.b).c + (d)", vec![("a.b.c", "(a.b).c", false), ("d", "d", false)]),
        ("a[b.c].d", vec![("a", "a", false), ("b.c", "b.c", false)]),
        ("a.b|default(c.d)", vec![("a.b", "a.b", true), ("c.d", "c.d", false)]),
        ("(a + b)|default(1)", vec![("a", "a", true), ("b", "b", true)]),
        ("a.b is defined and a.b > 1", vec![("a.b", "a.b", true), ("a.b", "a.b", false)]),
        ("a is not defined", vec![("a", "a", true)]),
        ("x|map(attribute='y')|select('eq', z)", vec![("x", "x", false), ("z", "z", false)]),
        ("a if b else c", vec![("a", "a", false), ("b", "b", false), ("c", "c", false)]),
        ("{'k': v}[:n]", vec![("v", "v", false), ("n", "n", false)]),
        ("a < b <= c", vec![("a", "a", false), ("b", "b", false), ("c", "c", false)]),
        ("range(n)", vec![("n", "n", false)]),
        ("1 + 2", vec![]),
    ] {
        let expected: Vec<_> =
            expected.into_iter().map(|(path, place, guarded)| (path.to_owned(), place.to_owned(), guarded)).collect();
        assert_eq!(names(text), expected, "{text}");
    }
}

#[test]
fn places_in_a_template_count_from_its_beginning() {
    let text = "é {{ a }} and {{ b.c }}";
    let template = Template::parse(text).unwrap();
    let places: Vec<_> = template
        .holes()
        .map(|(range, expression)| (&text[range], &text[expression.names()[0].range.clone()]))
        .collect();
    assert_eq!(places, [("{{ a }}", "a"), ("{{ b.c }}", "b.c")]);
    assert!(!template.is_whole() && !template.is_literal());
    assert!(Template::parse(" {{ a }} ").unwrap().is_whole());
    assert!(Template::parse("{{ a }}{{ b }}").unwrap().holes().count() == 2);
    assert!(Template::parse("a }} {% b %}").unwrap().is_literal());
}

#[test]
fn taint_is_known_before_evaluating() {
    let mut scope = scope();
    scope.taint(&["steps", "login", "outputs"]);
    let tainted = |text: &str| Expression::parse(text).unwrap().is_tainted(&scope);
    for text in [
        "vars.fresh",
        "vars",
        "vars['fresh']|b64encode",
        "vars[item]",
        "1 if vars.fresh == 'x' else 2",
        "steps.login",
        "x|default(vars.fresh)",
    ] {
        assert!(tainted(text), "{text}");
    }
    for text in ["vars.web", "steps.before.outputs", "item", "'vars.fresh'"] {
        assert!(!tainted(text), "{text}");
    }
    let filled = Template::parse("pw={{ vars.fresh }}").unwrap().fill(&scope).unwrap();
    assert!(filled.tainted);
    assert!(!format!("{filled:?}").contains("hunter2"), "{filled:?}");
}

#[test]
fn errors_never_hold_a_tainted_value() {
    let mut scope = scope();
    scope.bind("key", json!({"hunter2hunter2": 1, "text": "hunter2hunter2 {"}).into());
    scope.taint(&["key"]);
    for text in [
        "vars.fresh|int",
        "vars.fresh|json",
        "vars.fresh|b64decode",
        "vars.fresh|duration",
        "key.hunter2hunter",
        "key.text|regex_replace(key.text ~ '(', '')",
        "'a'|regex_replace(vars.fresh ~ '(', '')",
        "vars.fresh < 3",
        "{}|jsonpath(vars.fresh)",
        "{}|jsonpath('$.' ~ vars.fresh)",
        "[]|map(attribute=vars.fresh)|first",
        "[{}]|map(attribute=vars.fresh)",
        "[1]|map(vars.fresh)",
        "[1]|select(vars.fresh)",
        "inputs[vars.fresh]",
        "vars.fresh and true",
        "{vars.fresh: 1}.x",
    ] {
        let error = Expression::parse(text).unwrap().evaluate(&scope).expect_err(text);
        assert!(!error.to_string().contains("hunter2hunter2"), "{text}: {error}");
        assert!(!format!("{error:?}").contains("hunter2hunter2"), "{text}: {error:?}");
    }
}

#[test]
fn generators_divisions_and_paths_are_found_wherever_they_hide() {
    let parse = |text: &str| Expression::parse(text).unwrap();
    for text in ["now()", "[uuid()]", "x|default(random_text(3))", "{'a': 1 + (now()|length)}"] {
        assert!(parse(text).uses_generators(), "{text}");
    }
    assert!(!parse("range(3)").uses_generators());
    assert!(parse("(a / b)|int").divides() && !parse("a // b").divides());
    let text = "x|jsonpath('$.a') ~ (y|jsonpath(z))";
    let found = parse(text);
    let paths: Vec<_> = found.json_paths().into_iter().map(|(range, path)| (&text[range], path)).collect();
    assert_eq!(paths, [("'$.a'", "$.a")]);
    assert!(Template::parse("a {{ now() }}").unwrap().uses_generators());
}
