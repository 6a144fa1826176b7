//! Label selectors, in text and in mappings, and field selectors.

mod fields;

use serde_json::{Map, Value};

use super::object;
pub use fields::FieldSelector;

/// Requirements on labels, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Lacks,
    Above(i64),
    Below(i64),
}

impl Selector {
    /// Reads the text form, as in `app=web,tier in (a, b),!canary`.
    ///
    /// # Errors
    /// With the reason, when the text is not a selector.
    pub fn parse(text: &str) -> Result<Self, String> {
        split_terms(text)
            .into_iter()
            .map(str::trim)
            .filter(|term| !term.is_empty())
            .map(requirement)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads the form of `spec.selector`: `matchLabels` and `matchExpressions`.
    pub fn of(selector: &Value) -> Self {
        let labels = object::map(selector, "/matchLabels").iter().map(|(key, value)| Requirement {
            key: key.clone(),
            test: Test::In(vec![value.as_str().unwrap_or_default().to_owned()]),
        });
        let expressions = object::list(selector, "/matchExpressions").iter().filter_map(expression);
        Self(labels.chain(expressions).collect())
    }

    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels meet all requirements.
    pub fn matches(&self, labels: &Map<String, Value>) -> bool {
        self.0.iter().all(|requirement| {
            let label = labels.get(&requirement.key).and_then(Value::as_str);
            requirement.test.holds(label)
        })
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let terms: Vec<_> = self.0.iter().map(Requirement::text).collect();
        formatter.write_str(&terms.join(","))
    }
}

impl Requirement {
    fn text(&self) -> String {
        let key = &self.key;
        match &self.test {
            Test::In(values) => match values.as_slice() {
                [one] => format!("{key}={one}"),
                many => format!("{key} in ({})", many.join(",")),
            },
            Test::NotIn(values) => match values.as_slice() {
                [one] => format!("{key}!={one}"),
                many => format!("{key} notin ({})", many.join(",")),
            },
            Test::Exists => key.clone(),
            Test::Lacks => format!("!{key}"),
            Test::Above(bound) => format!("{key}>{bound}"),
            Test::Below(bound) => format!("{key}<{bound}"),
        }
    }
}

impl Test {
    fn holds(&self, label: Option<&str>) -> bool {
        let number = || label.and_then(|text| text.parse::<i64>().ok());
        match self {
            Self::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
            Self::NotIn(values) => label.is_none_or(|label| values.iter().all(|value| value != label)),
            Self::Exists => label.is_some(),
            Self::Lacks => label.is_none(),
            Self::Above(bound) => number().is_some_and(|number| number > *bound),
            Self::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Splits at commas outside of parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
    .collect()
}

fn requirement(term: &str) -> Result<Requirement, String> {
    if let Some(sign) = term.chars().next().filter(|sign| "=<>(".contains(*sign)) {
        return Err(format!("found '{sign}', expected: !, identifier, or 'end of string'"));
    }
    if let Some(key) = term.strip_prefix('!').filter(|rest| !rest.contains('=')) {
        return Ok(Requirement { key: checked_key(key)?, test: Test::Lacks });
    }
    if let Some((key, values)) = set_term(term, " notin ") {
        return Ok(Requirement { key: checked_key(key)?, test: Test::NotIn(listed(key, values)?) });
    }
    if let Some((key, values)) = set_term(term, " in ") {
        return Ok(Requirement { key: checked_key(key)?, test: Test::In(listed(key, values)?) });
    }
    for (sign, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = term.split_once(sign) {
            let name = checked_key(key)?;
            let values = vec![checked_value(key, value)?];
            let test = if negated { Test::NotIn(values) } else { Test::In(values) };
            return Ok(Requirement { key: name, test });
        }
    }
    for (sign, test) in [('>', Test::Above as fn(i64) -> Test), ('<', Test::Below)] {
        if let Some((key, bound)) = term.split_once(sign) {
            let bound = bound.trim().parse().map_err(|_| format!("not a number: {bound}"))?;
            return Ok(Requirement { key: checked_key(key)?, test: test(bound) });
        }
    }
    if let [_, "in" | "notin", word, ..] = term.split_whitespace().collect::<Vec<_>>().as_slice() {
        return Err(format!("unable to parse requirement: found '{word}' expected: '('"));
    }
    Ok(Requirement { key: checked_key(term)?, test: Test::Exists })
}

fn set_term<'a>(term: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (key, rest) = term.split_once('(')?;
    let key = format!("{key} ").contains(word).then(|| key.trim().strip_suffix(word.trim()))??;
    Some((key, rest.trim_end().strip_suffix(')')?))
}

fn listed(key: &str, values: &str) -> Result<Vec<String>, String> {
    values.split(',').map(|value| checked_value(key, value)).collect()
}

fn checked_key(key: &str) -> Result<String, String> {
    let key = key.trim();
    let wrong = key_errors(key);
    if wrong.is_empty() {
        return Ok(key.to_owned());
    }
    Err(format!("unable to parse requirement: invalid label key \"{key}\": {}", wrong.join("; ")))
}

fn checked_value(key: &str, value: &str) -> Result<String, String> {
    let (key, value) = (key.trim(), value.trim());
    if value.len() <= 63 && (value.is_empty() || is_label_text(value)) {
        return Ok(value.to_owned());
    }
    let why = if value.len() > 63 { "must be no more than 63 characters" } else { VALUE_RULE };
    Err(format!("unable to parse requirement: invalid label value: \"{value}\": at key: \"{key}\": {why}"))
}

const NAME_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// What the value of a label may be, in the API server's words.
pub const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const PREFIX_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// What is wrong with the key of a label or annotation, in the API server's words.
pub fn key_errors(key: &str) -> Vec<String> {
    let parts: Vec<_> = key.split('/').collect();
    let (prefix, name) = match parts.as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => {
            let rule = NAME_RULE.strip_prefix("must ").unwrap_or_default();
            return vec![format!(
                "a qualified name must {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    let mut wrong = Vec::new();
    match prefix {
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) if !is_label_text(prefix) || prefix.contains('_') || prefix.chars().any(char::is_uppercase) => {
            wrong.push(format!("prefix part {PREFIX_RULE}"));
        }
        _ => {}
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        wrong.push("name part must be no more than 63 characters".to_owned());
    }
    if !is_label_text(name) {
        wrong.push(format!("name part {NAME_RULE}"));
    }
    wrong
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
pub fn is_label_text(text: &str) -> bool {
    let ends = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        && ends(text.chars().next())
        && ends(text.chars().last())
}

fn expression(expression: &Value) -> Option<Requirement> {
    let values = || -> Vec<String> {
        let listed = object::list(expression, "/values").iter().filter_map(Value::as_str);
        listed.map(str::to_owned).collect()
    };
    let test = match object::text(expression, "/operator") {
        "In" => Test::In(values()),
        "NotIn" => Test::NotIn(values()),
        "Exists" => Test::Exists,
        "DoesNotExist" => Test::Lacks,
        _ => return None,
    };
    Some(Requirement { key: object::text(expression, "/key").to_owned(), test })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels() -> Map<String, Value> {
        json!({"app": "web", "tier": "app", "n": "5"}).as_object().cloned().expect("a mapping")
    }

    #[test]
    fn each_operator_selects() {
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier!=db", true),
            ("app!=web", false),
            ("app in (api, web),tier notin (db)", true),
            ("app notin (web)", false),
            ("app", true),
            ("!app", false),
            ("!canary", true),
            ("n>4,n<6", true),
            ("n>5", false),
            ("other!=x", true),
        ] {
            let selector = Selector::parse(text).expect(text);
            assert_eq!(selector.matches(&labels()), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["app web", "=web", "a=b=c", "app in web", "app=w$b", "-a"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mappings_select_as_texts_do() {
        let selector = Selector::of(&json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["app", "db"]},
            {"key": "canary", "operator": "DoesNotExist"}]}));
        assert!(selector.matches(&labels()));
        assert_eq!(selector.to_string(), "app=web,tier in (app,db),!canary");
    }

    proptest::proptest! {
        #[test]
        fn a_selector_reads_its_own_text(text in "[a-z]{1,5}( in \\([a-z]{1,3},[a-z]{1,3}\\)|=[a-z]{0,3}|!=[a-z]{1,3})?") {
            let selector = Selector::parse(&text).expect("well-formed");
            proptest::prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
        }

        #[test]
        fn no_text_upsets_the_parser(text in ".{0,60}") {
            drop(Selector::parse(&text));
        }
    }
}
