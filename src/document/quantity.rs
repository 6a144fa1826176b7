//! Kubernetes quantities, exact: `500m`, `2Gi`, `1e3`.

use std::cmp::Ordering;
use std::fmt;

use super::leaf::leaf_type;

/// A quantity, as written; compared by value, down to 10⁻⁹.
#[derive(Debug, Clone, Default)]
pub struct Quantity {
    text: String,
    nanos: i128,
}

/// Suffixes with their factor in units of 10⁻⁹.
const SUFFIXES: [(&str, i128); 16] = [
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", 1_000_000_000),
    ("k", 1_000_000_000_000),
    ("M", 1_000_000_000_000_000),
    ("G", 1_000_000_000_000_000_000),
    ("T", 1_000_000_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000_000_000),
    ("Ki", 1_000_000_000 << 10),
    ("Mi", 1_000_000_000 << 20),
    ("Gi", 1_000_000_000 << 30),
    ("Ti", 1_000_000_000 << 40),
    ("Pi", 1_000_000_000 << 50),
    ("Ei", 1_000_000_000 << 60),
];

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let nanos = value(text.trim()).ok_or("write it like 500m, 2Gi or 3")?;
        Ok(Self { text: text.trim().to_owned(), nanos })
    }
}

fn value(text: &str) -> Option<i128> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let split = unsigned.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, suffix) = unsigned.split_at(split);
    let factor = match SUFFIXES.iter().find(|(word, _)| *word == suffix) {
        Some((_, factor)) => *factor,
        None => exponent(suffix)?,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 18 || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(factor)?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    // Kubernetes rounds up what is finer than it can hold.
    Some(sign * (scaled / divisor + i128::from(scaled % divisor != 0)))
}

/// `e3`, `E-2`: a decimal exponent, in units of 10⁻⁹.
fn exponent(suffix: &str) -> Option<i128> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    10_i128.checked_pow(u32::try_from(power.checked_add(9)?).ok()?)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

leaf_type!(Quantity, "Quantity", "a quantity such as 500m or 2Gi", None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_compare_by_value() {
        let read = |text| Quantity::parse(text).unwrap();
        assert_eq!(read("0.5"), read("500m"));
        assert_eq!(read("1Gi"), read("1024Mi"));
        assert_eq!(read("1e3"), read("1k"));
        assert!(read("1G") < read("1Gi"));
        assert!(read("-1") < read("0"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "Gi", "1 Gi", "1gb", "..", "1.2.3"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
    }
}
