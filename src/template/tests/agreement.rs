//! Wherever minijinja and we both have an answer, it is the same.

use minijinja::Environment;
use proptest::prelude::*;

use super::*;

/// Expressions of a few kinds, so that many have a value.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-20_i64..20).prop_map(|number| number.to_string()),
        (-8_i32..8).prop_map(|number| format!("{:?}", f64::from(number) / 4.0)),
        "[a-c]{0,3}".prop_map(|text| format!("'{text}'")),
        Just("true".to_owned()),
        Just("none".to_owned()),
        Just("inputs.replicas".to_owned()),
        Just("inputs.apps".to_owned()),
        Just("inputs.namespace".to_owned()),
        Just("steps.before.outputs.pods".to_owned()),
        Just("steps.before.changed".to_owned()),
        Just("nope.nope".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operators =
            ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in"];
        let filters = [
            "length",
            "upper",
            "abs",
            "first",
            "last",
            "sort",
            "reverse",
            "list",
            "int",
            "round",
            "unique",
            "trim",
            "sum",
            "default(1)",
            "min",
            "max",
        ];
        prop_oneof![
            (inner.clone(), proptest::sample::select(operators.to_vec()), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (inner.clone(), proptest::sample::select(filters.to_vec()))
                .prop_map(|(a, filter)| format!("({a})|{filter}")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            inner.clone().prop_map(|a| format!("(-{a})")),
            inner.clone().prop_map(|a| format!("({a})[0]")),
            inner.clone().prop_map(|a| format!("({a})[:2]")),
            inner.clone().prop_map(|a| format!("(({a}) is defined)")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} < {b} < {c})")),
            proptest::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
        ]
    })
}

fn theirs(text: &str) -> Option<Json> {
    let mut names = scope();
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    names.bind("unused", json!(1).into());
    let context = minijinja::Value::from_pairs(
        ["inputs", "vars", "steps", "item", "index"].map(|name| (name, names.get(name).expect("bound").0.clone())),
    );
    let value = environment.compile_expression(text).ok()?.eval(context).ok()?;
    serde_json::to_value(value).ok()
}

fn near(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)),
        _ => a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(1.0)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_strict_walk_agrees_with_minijinja(text in expressions()) {
        if let (Ok(ours), Some(theirs)) = (evaluate(&text), theirs(&text)) {
            prop_assert!(near(&ours, &theirs), "{}: ours {}, theirs {}", text, ours, theirs);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = evaluate(&text);
        let _ = fill(&text);
        let _ = fill(&format!("x {{{{ {text} }}}}"));
    }

    #[test]
    fn no_shuffled_tokens_make_it_panic(
        tokens in proptest::collection::vec(
            proptest::sample::select(vec![
                "inputs", ".replicas", "[", "]", "(", ")", "{", "}", "{{", "}}", "'a'", "1", "-", "not ", " and ", "|",
                "default", "length", "~", ":", ",", " is ", "defined", " if ", " else ", "==", "<", " in ", "é", "é'", "\\", "'",
            ]),
            0..24,
        ),
    ) {
        let text = tokens.concat();
        let _ = evaluate(&text);
        let _ = fill(&text);
    }

    #[test]
    fn a_text_without_holes_fills_to_itself(text in "[^{]{0,40}") {
        prop_assert_eq!(fill(&text), Ok(json!(text)));
    }

    #[test]
    fn places_lie_on_characters_of_the_text(text in "\\PC{0,40}") {
        if let Err(mistake) = Expression::parse(&text) {
            prop_assert!(text.get(mistake.range.clone()).is_some(), "{:?}", mistake);
        }
        if let Err(mistake) = Template::parse(&text) {
            prop_assert!(text.get(mistake.range.clone()).is_some(), "{:?}", mistake);
        }
    }
}
