//! What must be so before step 1.

use crate::document::OneOrMany;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a book requires of target and user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Requires {
    /// The providers it may run against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<OneOrMany<ProviderName>>,
    /// The role that the user must have (`platform-admin`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The target's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionRequirement>,
}

/// A provider, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderName {
    /// Olares ControlHub.
    Controlhub,
    /// A Kubernetes API server.
    Kubernetes,
    /// `KubeStellar`.
    Kubestellar,
    /// Loft.
    Loft,
    /// Palette.
    Palette,
}

impl ProviderName {
    /// The word in runbooks and in the table of providers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Controlhub => "controlhub",
            Self::Kubernetes => "kubernetes",
            Self::Kubestellar => "kubestellar",
            Self::Loft => "loft",
            Self::Palette => "palette",
        }
    }
}

/// A condition on a version (`>=1.12`), in Cargo's syntax.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRequirement(semver::VersionReq);

impl VersionRequirement {
    /// Whether a version, with or without a leading `v`, meets it; nothing when the version cannot be read.
    pub fn is_met_by(&self, version: &str) -> Option<bool> {
        let version = version.trim_start_matches('v');
        let padded = match version.split('.').count() {
            1 => format!("{version}.0.0"),
            2 => format!("{version}.0"),
            _ => version.to_owned(),
        };
        let mut version = semver::Version::parse(&padded).ok()?;
        version.pre = semver::Prerelease::EMPTY;
        Some(self.0.matches(&version))
    }
}

impl std::fmt::Display for VersionRequirement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for VersionRequirement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::document::leaf(
            deserializer,
            "a condition on a version such as >=1.12",
            |text| semver::VersionReq::parse(text).map(Self).map_err(|error| error.to_string()),
            || Self(semver::VersionReq::STAR),
        )
    }
}

impl Serialize for VersionRequirement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for VersionRequirement {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VersionRequirement".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "description": "A condition on a version such as >=1.12."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_with_a_v_and_a_suffix_is_read() {
        let at_least = VersionRequirement(semver::VersionReq::parse(">=1.20").unwrap());
        assert_eq!(at_least.is_met_by("v1.20.2"), Some(true));
        assert_eq!(at_least.is_met_by("v1.33.3+k3s1"), Some(true));
        assert_eq!(at_least.is_met_by("1.19"), Some(false));
        assert_eq!(at_least.is_met_by("unknown"), None);
    }
}
