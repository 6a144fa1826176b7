use super::*;

/// Runs on a stack as small as that of a worker.
fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).expect("a thread");
    thread.join().expect("no overflow")
}

fn chain(prefix: &str, link: &str, suffix: &str) -> String {
    let times = (LONGEST_EXPRESSION - prefix.len() - suffix.len()) / link.len();
    format!("{prefix}{}{suffix}", link.repeat(times))
}

#[test]
fn no_chain_of_the_longest_expression_overflows_the_stack() {
    let chains = [
        chain("", "-", "1"),
        chain("", "not ", "a"),
        chain("a", ".a", ""),
        chain("1", "|int", ""),
        chain("1", "+1", ""),
        chain("1", "~1", ""),
        chain("1", "**1", ""),
        chain("true", " and true", ""),
        chain("true", " or true", ""),
        chain("1", "<1", ""),
        chain("1", " is odd", ""),
        chain("1", " if 1 else 1", ""),
        chain("a", "[0]", ""),
        chain("a", "[:1]", ""),
        chain("a", "()", ""),
        "(".repeat(1_024),
        "[".repeat(1_024),
        "{".repeat(1_024),
        format!("{}1{}", "(".repeat(500), ")".repeat(500)),
        format!("{}1{}", "[".repeat(500), "]".repeat(500)),
        format!("{}1{}", "-(".repeat(300), ")".repeat(300)),
        format!("{}1{}", "{'a':".repeat(150), "}".repeat(150)),
        format!("a{}", "|default(a".repeat(90)),
    ];
    on_a_small_stack(move || {
        for text in chains {
            if let Ok(expression) = Expression::parse(&text) {
                let _ = expression.test(&scope());
            }
            let _ = Template::parse(&format!("{{{{ {text} }}}}"));
        }
    });
}

#[test]
fn the_deepest_legal_expression_evaluates_on_a_small_stack() {
    let deep = format!("{}1{}", "[".repeat(31), "]".repeat(31));
    let long = format!("1{}", " + 1".repeat(120));
    let nested = format!("{}1{}", "(1 + ".repeat(31), ")".repeat(31));
    on_a_small_stack(move || {
        assert!(evaluate(&deep).is_ok());
        assert_eq!(evaluate(&long), Ok(json!(121)));
        assert_eq!(evaluate(&nested), Ok(json!(32)));
    });
}

#[test]
fn what_is_too_long_or_too_deep_is_refused_with_its_reason() {
    let long = format!("'{}'", "é".repeat(1_023));
    assert_eq!(
        evaluate(&long),
        Err("the expression has 1025 characters, 1024 are allowed; compute a part of it in `vars` first".to_owned())
    );
    assert!(evaluate(&format!("'{}'", "é".repeat(1_022))).is_ok());
    let deep = "the expression nests too deep; compute a part of it in `vars` first".to_owned();
    assert_eq!(evaluate(&chain("", "-", "1")), Err(deep.clone()));
    assert_eq!(evaluate(&chain("1", "+1", "")), Err(deep));
    let template = Template::parse(&"x".repeat(LARGEST_TEMPLATE + 1)).unwrap_err();
    assert_eq!(template.message, "the template has 65537 bytes, 65536 are allowed");
}

#[test]
fn every_runaway_is_stopped() {
    let mut scope = scope();
    scope.bind("megabyte", json!("a".repeat(1_000_000)).into());
    scope.bind("many", json!((0..100_000).collect::<Vec<_>>()).into());
    for text in [
        "'%1000000000d'|format(1)",
        "'a'|indent(1000000000)",
        "'x' * 100000000",
        "[1] * 100000000",
        "range(10 ** 8)",
        "range(100000)|map('string')",
        "megabyte ~ megabyte",
        "megabyte + megabyte",
        "megabyte|replace('a', megabyte)",
        "megabyte|replace('', 'aaaa')",
        "megabyte|regex_replace('a', 'aaaaaa')",
        "many|join(megabyte)",
        "many|map('replace', '', megabyte)",
        "[1]|batch(1000000000, 0)",
        "{'a': 1}|tojson(indent=1000000000)",
        "random_text(1000000000)",
        "megabyte|regex_replace('.+', '$0$0')",
        "megabyte|list|list",
        "'a'|regex_replace('\\\\w{1000}' ~ item, '')",
        "many|select('in', many)",
        "many|map('string')|join('-----------------')",
        "10 ** 10 ** 10",
        "range(10000)|map('replace', '', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
    ] {
        let result = Expression::parse(text).map_err(|mistake| mistake.message).map(|it| it.value(&scope).map(drop));
        assert!(!matches!(result, Ok(Ok(()))), "{text}");
    }
    let many = "{{ many == many }}".repeat(3_000);
    let error = Template::parse(&many).unwrap().fill(&scope).unwrap_err();
    assert_eq!(&*error.message, "the expression takes too much work");
    let holes = "{{ megabyte }} {{ megabyte }}";
    let error = Template::parse(holes).unwrap().fill(&scope).unwrap_err();
    assert_eq!((error.cause, &*error.message), (Cause::Limit, "the text becomes larger than 1 MiB"));
}
