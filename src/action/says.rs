//! What a foreign command does, in its author's words: `effect: none | repeatable | once`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Effect;

/// What a command, a program or a request elsewhere does; only its author knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Says {
    /// It changes nothing.
    None,
    /// It changes something, and doing it twice is the same as doing it once.
    Repeatable,
    /// It changes something each time.
    #[default]
    Once,
}

impl Says {
    /// What that means for consent, tries and the way back.
    pub(super) fn effect(self, what: &str) -> Effect {
        match self {
            Self::None => Effect::Nothing,
            Self::Repeatable => Effect::Passing,
            Self::Once => Effect::Final(format!("what {what} did cannot be taken back")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_may_not_be_tried_again() {
        assert_eq!(Says::default().effect("it"), Effect::Final("what it did cannot be taken back".into()));
        assert!(!Says::None.effect("it").changes() && Says::Repeatable.effect("it").changes());
    }
}
