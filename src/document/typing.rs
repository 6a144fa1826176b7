//! What a plain scalar means: the core schema of YAML 1.2, a little stricter.
//!
//! Numbers with leading zeros, the infinities and integers that JSON cannot
//! hold stay text, because whoever writes `010` rarely means ten.

use crate::source::{Diagnostic, Span};

use super::node::{Kind, Node, Scalar, Style};

/// A plain scalar, typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text,
}

/// Types the text of a plain scalar.
pub(super) fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ if looks_numeric(text) => number(text),
        _ => Plain::Text,
    }
}

fn looks_numeric(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'))
}

fn number(text: &str) -> Plain {
    if let Some(value) = integer(text) {
        return Plain::Integer(value);
    }
    if !is_digits(unsigned(text)) && is_float(text) {
        return text.parse().ok().filter(|value: &f64| value.is_finite()).map_or(Plain::Text, Plain::Float);
    }
    Plain::Text
}

fn integer(text: &str) -> Option<i128> {
    let value = if let Some(digits) = text.strip_prefix("0x") {
        i128::from_str_radix(only_digits(digits)?, 16).ok()?
    } else if let Some(digits) = text.strip_prefix("0o") {
        i128::from_str_radix(only_digits(digits)?, 8).ok()?
    } else {
        let digits = unsigned(text);
        (is_count(digits) && digits.len() <= 38).then(|| text.parse().ok()).flatten()?
    };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

fn only_digits(digits: &str) -> Option<&str> {
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits without a leading zero.
fn is_count(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

/// `[-+]? ( \. [0-9]+ | count ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match unsigned(text).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned(text), None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_count(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_count(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|exponent| is_digits(unsigned(exponent)))
}

/// What other readers of YAML would make of a plain text, where that differs.
fn look_alike(text: &str) -> Option<&'static str> {
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Some("`true`"),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Some("`false`"),
        _ => {}
    }
    if !looks_numeric(text) {
        return None;
    }
    let digits = unsigned(text);
    match digits {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => {
            return Some("a number that JSON lacks");
        }
        _ => {}
    }
    if is_digits(digits) {
        return Some(if digits.starts_with('0') { "an octal number" } else { "a number too large to keep exactly" });
    }
    if is_digits(&digits.replace('_', "")) && digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("a number");
    }
    is_sexagesimal(digits).then_some("a number in base 60")
}

fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().is_some_and(is_count);
    let mut rest = parts.peekable();
    first
        && rest.peek().is_some()
        && rest.all(|part| is_digits(part) && part.len() <= 2 && part.parse::<u8>().is_ok_and(|value| value < 60))
}

impl Node {
    /// Warnings about plain values (never keys) that are text here and
    /// something else to readers of YAML 1.1, each with the quotes to add.
    pub fn look_alikes(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.collect_look_alikes(&mut found);
        found
    }

    fn collect_look_alikes(&self, found: &mut Vec<Diagnostic>) {
        match &self.kind {
            Kind::Null => {}
            Kind::Scalar(scalar) => found.extend(warning(scalar, self.span)),
            Kind::Sequence(items) => items.iter().for_each(|item| item.collect_look_alikes(found)),
            Kind::Mapping(entries) => entries.iter().for_each(|entry| entry.value.collect_look_alikes(found)),
        }
    }
}

/// The warning about a scalar that is text here and something else elsewhere.
pub(super) fn warning(scalar: &Scalar, span: Span) -> Option<Diagnostic> {
    if scalar.style != Style::Plain || scalar.template.is_some() || resolve(&scalar.text) != Plain::Text {
        return None;
    }
    let meaning = look_alike(&scalar.text)?;
    let quoted = format!("\"{}\"", scalar.text);
    Some(
        Diagnostic::warning(
            format!("`{}` is text here, but other YAML readers take it for {meaning}", scalar.text),
            span,
        )
        .help(format!("write `{quoted}` to say that it is text"))
        .patch(span, quoted),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_types_plain_scalars() {
        let integers = [
            ("0", 0),
            ("-7", -7),
            ("+5", 5),
            ("0x1F", 31),
            ("0o17", 15),
            ("18446744073709551615", 18_446_744_073_709_551_615),
        ];
        for (text, value) in integers {
            assert_eq!(resolve(text), Plain::Integer(value), "{text}");
        }
        for (text, value) in [("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0), ("1e3", 1000.0), ("2.5E-1", 0.25)] {
            assert_eq!(resolve(text), Plain::Float(value), "{text}");
        }
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(resolve(text), Plain::Null, "{text}");
        }
        assert_eq!(resolve("True"), Plain::Bool(true));
        assert_eq!(resolve("tRue"), Plain::Text);
    }

    #[test]
    fn what_yaml_1_1_would_convert_stays_text_with_a_warning() {
        for text in [
            "no",
            "on",
            "Off",
            "yes",
            "010",
            "-012",
            "1_000",
            "12:30",
            "12:30:45",
            ".inf",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(resolve(text), Plain::Text, "{text}");
            assert!(look_alike(text).is_some(), "{text}");
        }
    }

    #[test]
    fn ordinary_texts_raise_no_warning() {
        for text in [
            "shop/web",
            "nginx:1.9",
            "8080:80",
            "2026-01-02",
            "1.2.3",
            "-",
            "--all",
            "...",
            "1h30m",
            "0b1",
            "none",
            "-x_1",
            "_1",
            "0x",
            "1e",
            "+",
        ] {
            assert_eq!(resolve(text), Plain::Text, "{text}");
            assert_eq!(look_alike(text), None, "{text}");
        }
    }
}
