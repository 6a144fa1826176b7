use super::*;

#[test]
fn templates_fill_in_like_this() {
    for (text, expected) in [
        ("plain", json!("plain")),
        ("", json!("")),
        ("{{ inputs.replicas }}", json!(3)),
        ("  {{ inputs.replicas }}\n", json!(3)),
        ("{{ inputs.apps }}", json!(["a", "b"])),
        ("{{ {'a': {'b': 1}} }}", json!({"a": {"b": 1}})),
        ("{{ inputs.namespace }}/{{ item }}", json!("shop/x")),
        ("{{ inputs.replicas }}{{ index }}", json!("30")),
        ("n={{ inputs.ratio }}, {{ inputs.flag }}, {{ vars.nothing }}", json!("n=0.5, true, null")),
        ("x {{ inputs.apps }}", json!("x [\"a\",\"b\"]")),
        ("{{ '}}' ~ '{{' }}", json!("}}{{")),
        ("literal {{ '{{' }} x }}", json!("literal {{ x }}")),
        ("100% {% if %} {# no #} {x} }}", json!("100% {% if %} {# no #} {x} }}")),
        ("{{{'a': 1}}}", json!({"a": 1})),
        ("wait {{ patience }}", json!("wait 90s")),
        ("é{{ 'ü' }}", json!("éü")),
        ("a\n{{ item }}\n", json!("a\nx\n")),
    ] {
        assert_eq!(fill(text), Ok(expected), "{text}");
    }
}

#[test]
fn wrong_templates_are_told_with_their_place() {
    for (text, range, expected) in [
        ("x {{ a", 2..4, "this `{{` is never closed; close it with `}}`; for a literal `{{` write `{{ '{{' }}`"),
        ("{{ }}", 2..3, "the expression is empty"),
        (
            "{{- a }}",
            0..3,
            "`{{-` has no meaning here: no white space is trimmed; write `{{ x }}`, or `{{ -x }}` for a negative number",
        ),
        ("{{ a -}}", 5..8, "`-}}` has no meaning here: no white space is trimmed; write `}}`"),
        ("é {{ a b }}", 8..9, "unexpected input after expression"),
        ("{{.Names}}", 2..3, "unexpected `.`; a name comes before the dot; for a literal `{{` write `{{ '{{' }}`"),
        ("{{ (a }}", 3..4, "this bracket is never closed"),
        ("{{ x|uper }}", 5..9, "no filter `uper`; did you mean `upper`?"),
    ] {
        let mistake = Template::parse(text).unwrap_err();
        assert_eq!((mistake_words(&mistake).as_str(), mistake.range), (expected, range), "{text}");
    }
}

#[test]
fn errors_of_a_template_point_into_its_text() {
    let text = "n is {{ steps.bfore.x }} and";
    let error = Template::parse(text).unwrap().fill(&scope()).unwrap_err();
    assert_eq!(&text[error.range.clone()], "steps.bfore");
    assert_eq!(*error.names, ["steps.bfore".to_owned()]);
    assert_eq!(error.cause, Cause::Undefined);
    let error = Expression::parse("(1 + 2) < later.x").unwrap().test(&scope()).unwrap_err();
    assert_eq!(error.cause, Cause::Unknown { reason: "after step grow".into() });
}

#[test]
fn a_lookup_is_a_map_that_is_asked_late() {
    let value = |text: &str| Expression::parse(text).unwrap().evaluate(&lookup_scope()).map(|filled| filled.value);
    assert_eq!(value("steps.grow.changed").unwrap(), json!(true));
    assert_eq!(value("steps").unwrap(), json!({"grow": {"changed": true}}));
    assert_eq!(value("steps|length").unwrap(), json!(1));
    assert_eq!(value("steps.grw.changed").unwrap_err().to_string(), "no name `steps.grw`; did you mean `grow`?");
}

#[test]
fn a_false_condition_shows_what_its_parts_were() {
    let trace = |text: &str| {
        let truth = Expression::parse(text).unwrap().test(&scope()).unwrap();
        assert!(!truth.holds, "{text}");
        truth.trace.into_iter().map(|operand| format!("{} = {}", operand.text, operand.value)).collect::<Vec<_>>()
    };
    assert_eq!(
        trace("steps.before.outputs.replicas == inputs.replicas"),
        ["steps.before.outputs.replicas = 1", "inputs.replicas = 3"]
    );
    assert_eq!(trace("steps.before.outputs.pods|length == 0"), ["steps.before.outputs.pods|length = 2"]);
    assert_eq!(
        trace("item != '' and not (index == 0)"),
        ["item != '' = true", "item = \"x\"", "index == 0 = true", "index = 0"]
    );
    assert_eq!(trace("steps.before.changed"), ["steps.before.changed = false"]);
    assert_eq!(trace("vars.fresh == 'x'"), ["vars.fresh = \"***\""]);
    assert_eq!(trace("item is not in ['x']"), ["item is not in ['x'] = true"]);
}

#[test]
fn a_condition_that_holds_needs_no_trace() {
    let truth = Expression::parse("inputs.replicas > 1").unwrap().test(&scope()).unwrap();
    assert_eq!(truth, Truth { holds: true, trace: Vec::new() });
    let error = Expression::parse("inputs.replicas").unwrap().test(&scope()).unwrap_err();
    assert_eq!(error.cause, Cause::Mismatch);
    assert!(error.to_string().starts_with("a condition takes true or false, `inputs.replicas` is a number"), "{error}");
}

#[test]
fn a_mistake_becomes_a_complaint_about_its_document() {
    use crate::source::Span;

    let mistake = Template::parse("{{ x|uper }}").unwrap_err();
    let complaint = mistake.diagnostic(Span::new(100, 112));
    assert_eq!((complaint.span, complaint.message.as_str()), (Span::new(105, 109), "no filter `uper`"));
    assert_eq!(complaint.helps, ["did you mean `upper`?"]);
}

#[test]
fn everything_may_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<(Template, Expression, Scope, Value, EvaluationError, Mistake)>();
}
