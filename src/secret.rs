//! Values that are never shown, and the one filter that hides them.
//!
//! A [`Secret`] has no `Display` and its `Debug` is `***`. A [`Redactor`] is a
//! cheap shared handle: whoever learns of a secret registers it, and every
//! text that leaves the process passes through it once. It knows the forms in
//! which a value shows up in the wild: plain, base64 (both alphabets, with
//! and without padding), URL- and JSON-escaped. A value of fewer than
//! [`SHORTEST`] bytes is hidden where it stands by those who know it, but not
//! searched for elsewhere: it would hide half the report.

use std::borrow::Cow;
use std::sync::{Arc, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// Values of fewer bytes are not searched for.
pub const SHORTEST: usize = 6;

/// A text that must not be shown.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself; each call is a place to look at twice.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(MASK)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Hides the registered secrets in texts and values; clones share their knowledge.
///
/// ```
/// use runhub::secret::Redactor;
///
/// let redactor = Redactor::default();
/// redactor.register("hunter2hunter2");
/// assert_eq!(redactor.text("pw=hunter2hunter2"), "pw=***");
/// assert_eq!(redactor.text("aHVudGVyMmh1bnRlcjI="), "***");
/// ```
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    forms: Vec<String>,
    finder: Option<Arc<AhoCorasick>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Redactor")
    }
}

impl Redactor {
    /// From now on `secret` is hidden, in all its forms.
    pub fn register(&self, secret: &str) {
        let fresh = forms(secret);
        let mut known = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = known.forms.len();
        for form in fresh {
            if !known.forms.contains(&form) {
                known.forms.push(form);
            }
        }
        if known.forms.len() > before {
            known.finder =
                AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&known.forms).ok().map(Arc::new);
        }
    }

    /// Registers every text inside a value.
    pub fn register_value(&self, value: &Value) {
        match value {
            Value::String(text) => self.register(text),
            Value::Number(number) => self.register(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.register_value(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.register_value(field)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Whether a text holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        self.finder().is_some_and(|finder| finder.is_match(text))
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.finder() {
            Some(finder) if finder.is_match(text) => Cow::Owned(replaced(&finder, text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// Hides the secrets in every text of a value, keys included.
    pub fn value(&self, value: &mut Value) {
        if let Some(finder) = self.finder() {
            redact_value(&finder, value);
        }
    }

    fn finder(&self) -> Option<Arc<AhoCorasick>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).finder.clone()
    }
}

fn redact_value(finder: &AhoCorasick, value: &mut Value) {
    match value {
        Value::String(text) if finder.is_match(text.as_str()) => *text = replaced(finder, text),
        Value::Number(number) if finder.is_match(&number.to_string()) => *value = Value::String(MASK.into()),
        Value::Array(items) => items.iter_mut().for_each(|item| redact_value(finder, item)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| redact_value(finder, field));
            if fields.keys().any(|key| finder.is_match(key)) {
                *fields =
                    std::mem::take(fields).into_iter().map(|(key, field)| (replaced(finder, &key), field)).collect();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn replaced(finder: &AhoCorasick, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    finder.replace_all_with(text, &mut out, |_, _, out| {
        out.push_str(MASK);
        true
    });
    out
}

/// The forms in which a value may show, longest first.
fn forms(secret: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    let whole = secret.trim_end_matches(['\n', '\r']);
    for plain in [secret, whole] {
        forms.extend(escaped(plain));
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(plain));
        }
    }
    if whole.contains('\n') {
        forms.extend(whole.lines().flat_map(|line| escaped(line.trim())));
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    // A short value's encodings are long enough to be found, but betray nothing by chance.
    if whole.len() < SHORTEST { Vec::new() } else { forms }
}

fn escaped(plain: &str) -> [String; 3] {
    let json = Value::from(plain).to_string();
    let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned();
    [plain.to_owned(), utf8_percent_encode(plain, NON_ALPHANUMERIC).to_string(), json]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_is_hidden() {
        let redactor = Redactor::default();
        let secret = "pa\"ss/wörd+1";
        redactor.register(secret);
        for shown in [
            secret.to_owned(),
            STANDARD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            json!({ "k": secret }).to_string(),
        ] {
            let hidden = redactor.text(&shown).into_owned();
            assert!(hidden.contains(MASK) && !hidden.contains("wörd"), "{shown} -> {hidden}");
        }
    }

    #[test]
    fn values_lose_secrets_in_texts_numbers_and_keys() {
        let redactor = Redactor::default();
        redactor.register("s3cr3t-value");
        redactor.register("12345678");
        let mut value = json!({"a": ["x s3cr3t-value y"], "s3cr3t-value": 1, "n": 12_345_678, "ok": true});
        redactor.value(&mut value);
        assert_eq!(value, json!({"a": ["x *** y"], "***": 1, "n": "***", "ok": true}));
    }

    #[test]
    fn short_values_are_not_searched_for() {
        let redactor = Redactor::default();
        redactor.register("abc");
        assert_eq!(redactor.text("abc abcdef"), "abc abcdef");
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }

    proptest::proptest! {
        #[test]
        fn no_registered_secret_survives(secret in "[ -~]{6,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let redactor = Redactor::default();
            redactor.register(&secret);
            let hidden = redactor.text(&format!("{before}{secret}{after}")).into_owned();
            proptest::prop_assert!(!hidden.contains(&secret) || secret.contains(MASK) || MASK.contains(&secret));
        }
    }
}
