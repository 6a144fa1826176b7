use proptest::prelude::*;
use serde_json::json;

use super::*;

fn select(path: &str, value: &Value) -> Value {
    let path = JsonPath::read(path).unwrap_or_else(|mistake| panic!("{path}: {mistake}"));
    path.select(value).into_iter().cloned().collect()
}

#[test]
fn paths_select_as_rfc_9535_says() {
    let value = json!({"a": [1, 2, 3, {"b": "x"}, {"b": "y", "c": null}], "d-e": {"f": [4]}, "é": true});
    for (path, selected) in [
        ("$", json!([value])),
        ("$.a[0]", json!([1])),
        ("$.a[-1].b", json!(["y"])),
        ("$.a[*].b", json!(["x", "y"])),
        ("$.a[1:3]", json!([2, 3])),
        ("$.a[::-1].b", json!(["y", "x"])),
        ("$['d-e']['f'][0]", json!([4])),
        ("$.a[0, 2]", json!([1, 3])),
        ("$..b", json!(["x", "y"])),
        ("$.a[?@.b == 'x'].b", json!(["x"])),
        ("$.a[?@.b && @.c == null].b", json!(["y"])),
        ("$.a[?!@.c && @.b].b", json!(["x"])),
        ("$.a[?@ > 1]", json!([2, 3])),
        ("$.a[?match(@.b, '[a-x]')].b", json!(["x"])),
        ("$.a[?length(@.b) == 1].b", json!(["x", "y"])),
        ("$[?count(@.*) > 4][0]", json!([1])),
        ("$.é", json!([true])),
        ("$.missing.x", json!([])),
    ] {
        assert_eq!(select(path, &value), selected, "{path}");
    }
}

#[test]
fn nested_filters_of_the_shipped_books_work() {
    let node = |name: &str, ready: &str| json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
    let list = json!({"items": [node("a", "True"), node("b", "False")]});
    assert_eq!(
        select("$.items[?@.status.conditions[?@.type=='Ready' && @.status!='True']].metadata.name", &list),
        json!(["b"])
    );
    let pods = json!({"items": [{"metadata": {"name": "p", "ownerReferences": [{"kind": "DaemonSet"}]}}, {"metadata": {"name": "q"}}]});
    let path = "$.items[?!@.metadata.ownerReferences[?@.kind=='DaemonSet' || @.kind=='Node']].metadata.name";
    assert_eq!(select(path, &pods), json!(["q"]));
}

#[test]
fn selected_values_have_normalized_places_that_select_them_again() {
    let value = json!({"a": [{"b'c": 1}]});
    let path = JsonPath::read("$..*").unwrap();
    for selected in path.located(&value) {
        assert_eq!(JsonPath::read(&selected.path).unwrap().select(&value), [selected.value], "{}", selected.path);
    }
    assert!(JsonPath::read("$.a[0]['b']").unwrap().is_singular());
    assert!(!path.is_singular());
}

#[test]
fn what_the_library_accepts_or_evaluates_wrongly_is_refused() {
    for path in [
        "$[?length(@.*) < 3]",
        "$[?count(@.a)]",
        "$[?length(@.a)]",
        "$[?value(@.a)]",
        "$[?@[?@ > 1]]",
        "$[?@..[?@ > 1]]",
        "$[?in(@.a, $.b)]",
        "$[?match(@.*, 'a')]",
    ] {
        assert!(JsonPath::read(path).is_err(), "{path}");
    }
}

#[test]
fn common_mistakes_come_with_the_path_that_was_meant() {
    for (text, meant) in [
        ("{.status.phase}", "$.status.phase"),
        ("{.items[0].metadata.name}", "$.items[0].metadata.name"),
        (".status.phase", "$.status.phase"),
        ("status.phase", "$.status.phase"),
        ("[0].a", "$[0].a"),
        (" $.a ", "$.a"),
        ("$.metadata.labels.app-name", "$.metadata.labels['app-name']"),
        ("$.a-b.c", "$['a-b'].c"),
        ("$.metadata.annotations.kubernetes.io/name", "$.metadata.annotations['kubernetes.io/name']"),
        (r"{.metadata.labels.app\.kubernetes\.io/name}", "$.metadata.labels['app.kubernetes.io/name']"),
        ("$.items[?@.phase = 'Running']", "$.items[?@.phase == 'Running']"),
        ("$.items[?@.name =~ /web-.*/].x", "$.items[?search(@.name, 'web-.*')].x"),
        ("$.items[?@.a == 'x' and not @.b]", "$.items[?@.a == 'x' && !@.b]"),
        ("$.items[@.a == 1]", "$.items[?@.a == 1]"),
    ] {
        let mistake = JsonPath::read(text).expect_err(text);
        assert_eq!(mistake.replacement.as_deref(), Some(meant), "{text}");
    }
}

#[test]
fn a_path_that_cannot_be_mended_shows_where_it_breaks() {
    let mistake = JsonPath::read("$.a[1x].b").unwrap_err();
    assert_eq!(mistake.message, "`$.a[1x].b` is no JSONPath: it breaks at `1x].b`");
    assert_eq!(mistake.range, Some(4..9));
    for text in ["", "$.", "$.a[", "$[?@.a ==]", "$$", "$.a[99999999999999999999]"] {
        let mistake = JsonPath::read(text).expect_err(text);
        assert!(mistake.replacement.is_none_or(|path| is_valid(&path)), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics_and_every_offer_is_a_path(text in r#"[$@.\[\]{}?*a-c0-9'"=~/()!&|:,\\ -]{0,24}"#) {
        match JsonPath::read(&text) {
            Ok(path) => drop(path.select(&json!({"a": [{"b": 1}, "c"], "b": {"c": [1, 2]}}))),
            Err(mistake) => prop_assert!(mistake.replacement.is_none_or(|path| is_valid(&path))),
        }
    }
}
