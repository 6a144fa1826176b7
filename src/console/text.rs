//! Text that fits: harmless, wrapped, cut, and times in words.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// One line without anything that a terminal would obey.
///
/// Line breaks and tabs become spaces; other control characters, and those
/// that turn the direction of writing, are shown by their number.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' | '\t' => out.push(' '),
            '\r' => {}
            _ if is_obeyed(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// One line of somebody else's text, as a terminal may be given it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    clean(text)
}

fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text in at most `columns`, with the ellipsis where something was cut.
pub(super) fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = head(text, room).to_owned();
    out.push_str(ellipsis);
    out
}

/// The longest beginning of the text that takes at most `columns`.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (index, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > columns {
            return text.get(..index).unwrap_or_default();
        }
    }
    text
}

/// The text in lines of at most `columns`, broken at spaces.
///
/// A word that is longer stands whole on a line of its own: the terminal
/// folds it, and a path or command can still be copied.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A time in words: `12ms`, `3.4s`, `2m05s`, `1h02m`.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}.{}s", ms % 1_000 / 100),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A number with its noun: `1 step`, `2 steps`.
pub(super) fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_survives() {
        assert_eq!(clean("plain é"), "plain é");
        assert_eq!(clean("a\u{1b}[2Jb\r\n\tc\n"), "a\\u{1b}[2Jb  c");
        assert_eq!(clean("\u{202e}evil"), "\\u{202e}evil");
    }

    #[test]
    fn a_cut_text_fits_also_with_wide_characters() {
        assert_eq!(cut("restart", 7, "…"), "restart");
        assert_eq!(cut("restart", 5, "…"), "rest…");
        assert_eq!(cut("重启应用", 5, "…"), "重启…");
        assert_eq!(cut("restart", 5, "..."), "re...");
    }

    #[test]
    fn times_are_short() {
        let words: Vec<String> =
            [0, 999, 1_000, 59_999, 60_000, 125_000, 3_720_000].into_iter().map(duration).collect();
        assert_eq!(words, ["0ms", "999ms", "1.0s", "59.9s", "1m00s", "2m05s", "1h02m"]);
    }

    proptest::proptest! {
        #[test]
        fn wrapped_lines_fit_unless_a_word_does_not(text in "[a-z é重 ]{0,80}", columns in 1_usize..40) {
            let lines = wrap(&text, columns);
            for line in &lines {
                proptest::prop_assert!(width(line) <= columns || !line.trim().contains(' '), "{line:?}");
            }
            let solid = |text: &str| text.replace(' ', "");
            proptest::prop_assert_eq!(solid(&lines.concat()), solid(&text));
        }
    }
}
