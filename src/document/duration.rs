//! Durations: `300ms`, `30s`, `5m`, `1h30m`. A bare number is refused: of what?

use std::fmt;
use std::time::Duration;

use super::leaf::leaf_type;

/// A duration, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DurationText {
    text: String,
    duration: Duration,
}

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl DurationText {
    /// Reads a duration.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("a duration has a unit: write {trimmed}s for seconds, {trimmed}m for minutes"));
        }
        let mut rest = trimmed;
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let unit = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, after) = tail.split_at(unit);
            let factor = UNITS.iter().find(|(word, _)| *word == unit).map(|(_, factor)| *factor);
            let part = number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
            total = part.and_then(|part| total.checked_add(part)).ok_or("write it like 300ms, 30s, 5m or 1h30m")?;
            rest = after;
        }
        if trimmed.is_empty() {
            return Err("write it like 300ms, 30s, 5m or 1h30m".into());
        }
        Ok(Self { text: trimmed.to_owned(), duration: Duration::from_millis(total) })
    }

    /// How long it is.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

leaf_type!(DurationText, "Duration", "a duration such as 30s", Some(r"^([0-9]+(ms|s|m|h|d))+$|\{\{"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        let millis = |text| DurationText::parse(text).map(|found| found.duration().as_millis());
        assert_eq!(millis("300ms"), Ok(300));
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        assert_eq!(millis("2d"), Ok(172_800_000));
    }

    #[test]
    fn a_bare_number_and_nonsense_are_refused_with_advice() {
        assert_eq!(
            DurationText::parse("30").unwrap_err(),
            "a duration has a unit: write 30s for seconds, 30m for minutes"
        );
        for text in ["", "s", "5x", "1h30", "-5s", "1.5h", "99999999999999999999s"] {
            assert!(DurationText::parse(text).is_err(), "{text}");
        }
    }
}
