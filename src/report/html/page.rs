//! A page that grows, into which nothing can be injected.

use std::fmt::Write as _;

/// Markup of ours and text of others, kept apart by type: markup is `'static`, so what a book or a
/// server said cannot pass for it.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Markup, written in this program.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text of any origin, in an element or in a quoted attribute.
    pub(super) fn text(&mut self, text: impl AsRef<str>) -> &mut Self {
        for letter in text.as_ref().chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Browsers refuse or rewrite them; and they could turn the reading order of a line.
                '\0'..='\u{8}'
                | '\u{b}'
                | '\u{c}'
                | '\u{e}'..='\u{1f}'
                | '\u{7f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' => self.0.push('\u{fffd}'),
                other => self.0.push(other),
            }
        }
        self
    }

    /// A share of a whole in percent, for a style.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run, as a share on a screen")]
    pub(super) fn percent(&mut self, part: u64, whole: u64) -> &mut Self {
        let share = part as f64 * 100.0 / whole.max(1) as f64;
        let _ = write!(self.0, "{:.3}", share.clamp(0.0, 100.0));
        self
    }

    /// The whole page.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut page = Page::default();
        page.raw("<i title=\"").text("\"><script>alert('x')</script>&\u{202e}\0").raw("\">");
        let told = String::from_utf8(page.into_bytes()).unwrap();
        assert_eq!(
            told,
            "<i title=\"&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\u{fffd}\u{fffd}\">"
        );
    }

    #[test]
    fn a_share_stays_within_the_whole() {
        let mut page = Page::default();
        page.percent(1, 3).raw(" ").percent(9, 3).raw(" ").percent(1, 0);
        assert_eq!(String::from_utf8(page.into_bytes()).unwrap(), "33.333 100.000 100.000");
    }
}
