//! How long ago, in few letters: as kubectl writes it.

use crate::clock::Timestamp;

/// The time from one moment to another: `5s`, `2m30s`, `47m`, `3h12m`, `26h`, `3d4h`, `240d`, `3y80d`.
///
/// The rules are those of kubectl's `AGE` column: two units while the first is
/// small, one when the second no longer matters. What lies ahead is `0s`.
pub fn age(from: Timestamp, to: Timestamp) -> String {
    let seconds = (to - from).num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |first: i64, unit: char, second: i64, small: char| match second {
        0 => format!("{first}{unit}"),
        second => format!("{first}{unit}{second}{small}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ages_read_as_in_kubectl() {
        let then: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let cases = [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_520, "3h12m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (187_200, "2d4h"),
            (691_200, "8d"),
            (63_071_999, "729d"),
            (63_072_000, "2y"),
            (101_520_000, "3y80d"),
            (252_288_000, "8y"),
        ];
        for (seconds, said) in cases {
            assert_eq!(age(then, then + TimeDelta::seconds(seconds)), said, "{seconds}");
        }
    }
}
