//! Durations and Kubernetes quantities: exact, comparable, and still the text they were.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::Value as Raw;
use minijinja::value::{DynObject, Object, ObjectRepr};

/// Parts of one second, or of one unit of a quantity, that are counted.
const NANO: i128 = 1_000_000_000;

/// The longest text that is looked at.
const LONGEST: usize = 64;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    /// Time, in seconds.
    Duration,
    /// A Kubernetes quantity, in base units.
    Quantity,
}

/// An exact amount that remembers how it was written.
#[derive(Debug, Clone)]
pub(super) struct Measure {
    pub(super) dimension: Dimension,
    nanos: i128,
    text: String,
}

impl Measure {
    /// Reads `300ms`, `30s`, `1h30m`, `1.5h`.
    pub(super) fn duration(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        let mut nanos = 0_i128;
        if rest.is_empty() || rest.len() > LONGEST {
            return None;
        }
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.find(|c: char| !is_numeric(c))?);
            let end = after.find(is_numeric).unwrap_or(after.len());
            let (unit, next) = after.split_at(end);
            nanos = nanos.checked_add(decimal(number)?.times(time_unit(unit)?)?)?;
            rest = next;
        }
        Some(Self { dimension: Dimension::Duration, nanos, text: text.trim().to_owned() })
    }

    /// Reads `500m`, `2Gi`, `1.5`, `12e6`, with an optional sign.
    pub(super) fn quantity(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        if trimmed.len() > LONGEST {
            return None;
        }
        let (sign, unsigned) = match trimmed.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let end = unsigned.find(|c: char| !is_numeric(c)).unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let nanos = decimal(number)?.times(quantity_unit(suffix)?)?.checked_mul(sign)?;
        Some(Self { dimension: Dimension::Quantity, nanos, text: trimmed.to_owned() })
    }

    /// The seconds of a duration, or the base units of a quantity, as a number.
    pub(super) fn number(&self) -> Raw {
        if self.nanos % NANO == 0 {
            return whole(self.nanos / NANO);
        }
        #[expect(clippy::cast_precision_loss, reason = "a fraction is a float by nature")]
        Raw::from(self.nanos as f64 / NANO as f64)
    }

    /// The sum, or with a `sign` of -1 the difference, of two amounts of one dimension.
    pub(super) fn plus(&self, other: &Self, sign: i128) -> Option<Self> {
        if self.dimension != other.dimension {
            return None;
        }
        let nanos = self.nanos.checked_add(other.nanos.checked_mul(sign)?)?;
        let binary = [&self.text, &other.text].iter().any(|text| text.ends_with('i'));
        let text = match self.dimension {
            Dimension::Duration => duration_text(nanos),
            Dimension::Quantity => quantity_text(nanos, binary),
        };
        Some(Self { dimension: self.dimension, nanos, text })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Object for Measure {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.order(other.downcast_ref::<Self>()?))
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A whole number as narrow as it can be, so that JSON can take it.
pub(super) fn whole(number: i128) -> Raw {
    i64::try_from(number).map_or_else(|_| Raw::from(number), Raw::from)
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// A decimal number: `digits` divided by ten to the power of `places`.
struct Decimal {
    digits: i128,
    places: u32,
}

impl Decimal {
    /// The number times `unit`; nothing where that is not a whole number.
    fn times(&self, unit: i128) -> Option<i128> {
        let product = self.digits.checked_mul(unit)?;
        let divisor = 10_i128.checked_pow(self.places)?;
        (product % divisor == 0).then_some(product / divisor)
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    if before.len() + after.len() == 0 || after.contains('.') {
        return None;
    }
    let after = after.trim_end_matches('0');
    let digits = format!("0{before}{after}").parse().ok()?;
    Some(Decimal { digits, places: u32::try_from(after.len()).ok()? })
}

fn time_unit(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => NANO,
        "m" => 60 * NANO,
        "h" => 3_600 * NANO,
        "d" => 86_400 * NANO,
        _ => return None,
    })
}

const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 6] = ["k", "M", "G", "T", "P", "E"];

fn quantity_unit(suffix: &str) -> Option<i128> {
    let power = |base: i128, index: usize| base.checked_pow(u32::try_from(index + 1).ok()?)?.checked_mul(NANO);
    match suffix {
        "" => return Some(NANO),
        "n" => return Some(1),
        "u" => return Some(1_000),
        "m" => return Some(1_000_000),
        _ => {}
    }
    if let Some(index) = BINARY.iter().position(|known| *known == suffix) {
        return power(1_024, index);
    }
    if let Some(index) = DECIMAL.iter().position(|known| *known == suffix) {
        return power(1_000, index);
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // Nine of the powers are there already: amounts are counted in billionths.
    10_i128.checked_pow(u32::try_from(exponent.checked_add(9)?).ok()?)
}

fn quantity_text(nanos: i128, binary: bool) -> String {
    let names = if binary { BINARY } else { DECIMAL };
    let small = [("", NANO), ("m", 1_000_000), ("u", 1_000), ("n", 1)];
    let large = names.iter().rev().filter_map(|name| Some((*name, quantity_unit(name)?)));
    let fits = |(_, unit): &(&str, i128)| nanos != 0 && nanos % unit == 0;
    large.chain(small).find(fits).map_or_else(|| "0".to_owned(), |(name, unit)| format!("{}{name}", nanos / unit))
}

fn duration_text(nanos: i128) -> String {
    let units = [("h", 3_600 * NANO), ("m", 60 * NANO), ("s", NANO), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
    let mut rest = nanos.abs();
    let parts = units.map(|(name, unit)| {
        let count = rest / unit;
        rest %= unit;
        if count == 0 { String::new() } else { format!("{count}{name}") }
    });
    match nanos {
        0 => "0s".to_owned(),
        _ if nanos < 0 => format!("-{}", parts.concat()),
        _ => parts.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly_or_not_at_all() {
        for (text, nanos) in [
            ("300ms", 300_000_000),
            ("30s", 30 * NANO),
            ("1h30m", 5_400 * NANO),
            ("1.5h", 5_400 * NANO),
            ("2d", 172_800 * NANO),
            ("0s", 0),
        ] {
            assert_eq!(Measure::duration(text).map(|measure| measure.nanos), Some(nanos), "{text}");
        }
        for text in ["", "30", "s", "1x", "-1s", "1.2.3s", "1s2", "99999999999999999999999999999999999999h"] {
            assert!(Measure::duration(text).is_none(), "{text}");
        }
    }

    #[test]
    fn quantities_are_read_exactly_or_not_at_all() {
        for (text, nanos) in [
            ("500m", NANO / 2),
            ("2Gi", 2 * NANO * 1_073_741_824),
            ("1.5Ki", 1_536 * NANO),
            ("12e6", 12_000_000 * NANO),
            ("1E", NANO * 1_000_000_000_000_000_000),
            ("1E3", 1_000 * NANO),
            ("5e-3", 5_000_000),
            ("-3", -3 * NANO),
            ("0.5", NANO / 2),
        ] {
            assert_eq!(Measure::quantity(text).map(|measure| measure.nanos), Some(nanos), "{text}");
        }
        for text in ["", "Gi", "1gi", "1.0000000001", "1e99", "1e", "--1", "1 Gi"] {
            assert!(Measure::quantity(text).is_none(), "{text}");
        }
    }

    #[test]
    fn sums_choose_the_largest_unit_that_is_exact() {
        let sum = |a: &str, b: &str| Measure::quantity(a)?.plus(&Measure::quantity(b)?, 1).map(|sum| sum.text);
        assert_eq!(sum("512Mi", "512Mi").as_deref(), Some("1Gi"));
        assert_eq!(sum("500m", "250m").as_deref(), Some("750m"));
        assert_eq!(sum("1", "1500m").as_deref(), Some("2500m"));
        assert_eq!(sum("1", "-1").as_deref(), Some("0"));
        let spans = Measure::duration("90m").and_then(|a| a.plus(&Measure::duration("300ms")?, -1));
        assert_eq!(spans.map(|span| span.text).as_deref(), Some("1h29m59s700ms"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = (Measure::duration(&text), Measure::quantity(&text));
        }

        #[test]
        fn what_a_sum_writes_is_read_back(a in -1_000_000_000_000_i64..1_000_000_000_000, binary: bool) {
            let text = quantity_text(i128::from(a), binary);
            proptest::prop_assert_eq!(Measure::quantity(&text).map(|measure| measure.nanos), Some(i128::from(a)));
        }
    }
}
