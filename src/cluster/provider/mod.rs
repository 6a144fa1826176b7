//! What differs between targets.
//!
//! Everything that speaks Kubernetes shares one client; a provider says which
//! further layers a target has and how it tells who we are. To add one: a
//! file, and two adjacent lines here, its `mod` and its row in [`PROVIDERS`].

mod controlhub;
mod kubernetes;

use async_trait::async_trait;
use serde_json::Value;

use super::refusal::Layer;
use super::{Client, Error};

pub use controlhub::CONTROLHUB;
pub use kubernetes::KUBERNETES;

/// The targets that runbooks can name in `requires`.
pub static PROVIDERS: [&dyn Provider; 2] = [CONTROLHUB, KUBERNETES];

/// What differs between targets.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// The word for it in runbooks.
    fn name(&self) -> &'static str;

    /// One line for people.
    fn about(&self) -> &'static str;

    /// The layers that answer here.
    fn layers(&self) -> &'static [Layer];

    /// Whether an access review asks about us, and not about a proxy between.
    fn reviews_access(&self) -> bool;

    /// Asks who we are.
    async fn who_am_i(&self, client: &Client) -> Result<Whoami, Error>;

    /// Asks for the target's version, as it writes it.
    async fn version(&self, client: &Client) -> Result<String, Error>;

    /// Whether a layer answers here.
    fn has(&self, layer: Layer) -> bool {
        self.layers().contains(&layer)
    }
}

/// Who we are, as the target sees us.
#[derive(Debug, Clone, PartialEq)]
pub struct Whoami {
    /// The user's name there.
    pub user: String,
    /// The role, in the target's word, where it tells.
    pub role: Option<String>,
    /// What else it told, whole.
    pub answer: Value,
}

/// The provider of this name.
pub fn named(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.name() == name)
}

/// A text inside an answer.
fn text<'a>(answer: &'a Value, pointer: &str) -> Option<&'a str> {
    answer.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_found_by_the_names_that_runbooks_use() {
        assert_eq!(named("controlhub").map(Provider::name), Some("controlhub"));
        assert!(named("kubernetes").is_some_and(|provider| !provider.has(Layer::Kapis)));
        assert!(named("nothing").is_none());
    }
}
