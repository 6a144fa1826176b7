//! Amounts of resources as Kubernetes writes them: `500m`, `1Gi`, `5`.

use std::fmt;

const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, u32); 6] = [("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// An amount, exact to a thousandth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quantity {
    thousandths: i128,
    binary: bool,
}

impl Quantity {
    /// Reads an amount; nothing when the text is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = text.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter)).unwrap_or(text.len());
        let (digits, suffix) = text.split_at_checked(end)?;
        let (binary, factor) = factor(suffix)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let sign = if whole.starts_with('-') { -1 } else { 1 };
        let whole: i128 = if whole.trim_start_matches(['+', '-']).is_empty() { 0 } else { whole.parse().ok()? };
        let places = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let scaled = whole.checked_mul(places)?.checked_add(sign * part)?.checked_mul(factor)?;
        Some(Self { thousandths: scaled / places, binary })
    }

    /// A count.
    pub(super) fn count(number: usize) -> Self {
        Self { thousandths: i128::try_from(number).unwrap_or_default() * 1_000, binary: false }
    }

    /// Both together, written as the first that is not nothing.
    pub(super) fn plus(self, other: Self) -> Self {
        let binary = if self.thousandths == 0 { other.binary } else { self.binary };
        Self { thousandths: self.thousandths + other.thousandths, binary }
    }

    /// Whether this is more than the other.
    pub(super) fn exceeds(self, other: Self) -> bool {
        self.thousandths > other.thousandths
    }

    /// Whether there is anything at all.
    pub(super) fn is_some(self) -> bool {
        self.thousandths > 0
    }
}

/// What a suffix multiplies by, in thousandths.
fn factor(suffix: &str) -> Option<(bool, i128)> {
    if suffix.is_empty() || suffix == "m" {
        return Some((false, if suffix.is_empty() { 1_000 } else { 1 }));
    }
    let binary = BINARY.iter().find(|(known, _)| *known == suffix).map(|(_, bits)| (true, 1_000 << bits));
    binary
        .or_else(|| DECIMAL.iter().find(|(known, _)| *known == suffix).map(|(_, tens)| (false, 10_i128.pow(tens + 3))))
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.thousandths;
        if amount % 1_000 != 0 {
            return write!(formatter, "{amount}m");
        }
        let suffixes = if self.binary { BINARY } else { DECIMAL };
        let fits = suffixes.iter().rev().find_map(|(suffix, _)| {
            let (_, factor) = factor(suffix)?;
            (amount != 0 && amount % factor == 0).then(|| (amount / factor, *suffix))
        });
        let (number, suffix) = fits.unwrap_or((amount / 1_000, ""));
        write!(formatter, "{number}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_their_largest_whole_unit() {
        for (text, expected) in [
            ("5", "5"),
            ("0", "0"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("2048Mi", "2Gi"),
            ("128974848", "128974848"),
            ("1e", "none"),
            ("x", "none"),
            ("2000", "2k"),
        ] {
            let found = Quantity::parse(text).map_or_else(|| "none".to_owned(), |amount| amount.to_string());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn sums_keep_the_way_of_writing() {
        let sum =
            |one: &str, other: &str| Quantity::parse(one).unwrap().plus(Quantity::parse(other).unwrap()).to_string();
        assert_eq!(
            (sum("0", "1Gi"), sum("1Gi", "1073741824"), sum("250m", "750m")),
            ("1Gi".into(), "2Gi".into(), "1".into())
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(number in 0_u32..9_999, suffix in "(m|Ki|Mi|Gi|k|M|)") {
            let amount = Quantity::parse(&format!("{number}{suffix}")).expect("an amount");
            let again = Quantity::parse(&amount.to_string()).expect("an amount");
            proptest::prop_assert_eq!(again.thousandths, amount.thousandths);
        }
    }
}
