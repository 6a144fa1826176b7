//! A simulated world as a person writes it: what is in it, who may enter, what goes wrong.

use std::time::Duration;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::commands::CommandRule;
use super::fate::PodRule;
use super::faults::Fault;

/// A simulated world: its objects, users, tempo and misfortunes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What is there before `objects` are added.
    pub world: World,
    /// Manifests, added in order; a `status` is kept as written.
    pub objects: Vec<Value>,
    /// How long the objects have been there when the server starts; controllers have had that time
    /// to act on them. `0s` where nothing is written: they are created as the server starts.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub age: Duration,
    /// Who may enter; the demo world has `alice` (admin) and `bob` when none is named.
    pub users: Vec<User>,
    /// What kind of server this is.
    pub switches: Switches,
    /// How fast things go.
    pub timing: Timing,
    /// How long tokens live and what a refresh does.
    pub tokens: Tokens,
    /// What goes wrong, counted by requests.
    pub faults: Vec<Fault>,
    /// What becomes of pods.
    pub pods: Vec<PodRule>,
    /// How far the server's clock is from the client's, such as `-90s`.
    #[serde(deserialize_with = "skew")]
    #[schemars(with = "String")]
    pub clock_skew: TimeDelta,
    /// What commands do inside of containers (`pods/exec`); the first rule that fits decides.
    pub commands: Vec<CommandRule>,
}

/// A scenario that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("scenario cannot be read: {0}")]
pub struct ScenarioError(String);

impl ScenarioError {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl Scenario {
    /// Reads a scenario from its document.
    ///
    /// # Errors
    /// When a key is unknown, a value is of the wrong type, or a pattern does not compile.
    pub fn from_value(document: Value) -> Result<Self, ScenarioError> {
        serde_json::from_value(document).map_err(|error| ScenarioError(error.to_string()))
    }
}

/// What a scenario starts from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// A small shop with a database, a failed migration and two nodes.
    #[default]
    Demo,
    /// Nothing but the default namespaces.
    Empty,
}

/// Someone who may enter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// The local part of the identity.
    pub name: String,
    /// The password of the first factor.
    #[serde(default = "default_password")]
    pub password: String,
    /// What the user may do.
    #[serde(default)]
    pub role: Role,
    /// Namespaces beyond those that carry the user's name.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// The code of a second factor, when there is one.
    #[serde(default)]
    pub totp: Option<String>,
    /// A token that is valid from the start and never expires, for `Authorization: Bearer`.
    #[serde(default)]
    pub token: Option<String>,
}

impl User {
    /// A user with the default password and nothing special.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        let (password, namespaces) = (default_password(), Vec::new());
        Self { name: name.into(), password, role, namespaces, totp: None, token: None }
    }
}

fn default_password() -> String {
    "runhub-demo".into()
}

/// The global role of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May do everything.
    PlatformAdmin,
    /// May do everything in namespaces of their own, and nothing elsewhere.
    #[default]
    PlatformRegular,
}

impl Role {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlatformAdmin => "platform-admin",
            Self::PlatformRegular => "platform-regular",
        }
    }
}

/// What kind of server this is.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Switches {
    /// The version that serves `CronJobs`.
    pub batch: Batch,
    /// Whether `KubeSphere`'s `rerun` operation is there.
    pub operations_api: Presence,
    /// What becomes of requests without any identity.
    pub anonymous: Anonymous,
    /// Whether `/capi` insists on the cookie, as older servers do.
    pub cookie: Cookie,
    /// The status of a request with an expired token.
    pub expired: Expired,
}

/// The version of the `batch` group that serves `CronJobs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Batch {
    /// Kubernetes 1.25 and later.
    #[default]
    #[serde(rename = "v1")]
    V1,
    /// Kubernetes before 1.21.
    #[serde(rename = "v1beta1")]
    V1Beta1,
}

/// Whether a part of the server is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It is not.
    #[default]
    Absent,
    /// It is.
    Present,
}

/// What becomes of requests without any identity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Anonymous {
    /// They are sent to the login.
    #[default]
    Refused,
    /// They may do everything: for a plain `kubectl` on a loopback port.
    Admin,
}

/// Whether `/capi` wants the cookie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cookie {
    /// The header is enough.
    #[default]
    Optional,
    /// Older servers read nothing else.
    Required,
}

/// The status of a request with an expired token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Expired {
    /// The edge's own number.
    #[default]
    #[serde(rename = "459")]
    Edge,
    /// What a server behind the edge says.
    #[serde(rename = "401")]
    Unauthorized,
}

/// How long each stage of a pod's life takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timing {
    /// From creation to a node.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub scheduled: Duration,
    /// From a node to a pulled image.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub pulled: Duration,
    /// From a started container to a ready one.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub ready: Duration,
    /// From the start of a Job's container to its end.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub job: Duration,
    /// From a graceful deletion to the end of the containers.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub ended: Duration,
    /// From the crash of a container to its next start.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub back_off: Duration,
    /// From a change of a spec to the controller's first look at it.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub observed: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            scheduled: Duration::from_millis(5),
            pulled: Duration::from_millis(20),
            ready: Duration::from_millis(20),
            job: Duration::from_millis(50),
            ended: Duration::from_millis(20),
            back_off: Duration::from_millis(50),
            observed: Duration::from_millis(2),
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a duration such as 20ms, 1s or 2m")))
}

fn skew<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (sign, span) = text.strip_prefix('-').map_or((1, text.as_str()), |span| (-1, span));
    let span = parse_duration(span).and_then(|span| TimeDelta::from_std(span).ok());
    span.map(|span| span * sign)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a span such as 90s or -2m")))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let count: u64 = count.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_secs(count.checked_mul(60)?)),
        _ => None,
    }
}

/// How long tokens live and what a refresh does.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tokens {
    /// Requests after which an access token is spent.
    pub requests: Option<u32>,
    /// Seconds after which an access token is spent; an hour when it is not said.
    pub seconds: Option<u32>,
    /// What `/api/refresh` does.
    pub refresh: Refresh,
}

/// What `/api/refresh` does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refresh {
    /// It gives a new access token; the refresh token stays.
    #[default]
    Works,
    /// It gives both anew; the old refresh token is dead.
    Rotates,
    /// It says no: the login has ended.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_document_is_the_demo_world() {
        let scenario = Scenario::from_value(json!({})).expect("legal");
        assert_eq!(scenario.world, World::Demo);
        assert_eq!(scenario.timing, Timing::default());
    }

    #[test]
    fn a_whole_document_is_read() {
        let scenario = Scenario::from_value(json!({
            "world": "empty",
            "objects": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}],
            "users": [{"name": "mira", "password": "p", "role": "platform-admin", "totp": "123456"}],
            "switches": {"batch": "v1beta1", "operations-api": "present", "anonymous": "admin"},
            "timing": {"ready": "1s", "job": "2m"},
            "tokens": {"requests": 3, "refresh": "rotates"},
            "faults": [{"on": {"method": "GET", "path": "/pods$"}, "after": 1, "times": 2, "do": "stall"}],
            "pods": [{"match": {"name-prefix": "web-"}, "becomes": "crash-loop"}],
        }))
        .expect("legal");
        assert_eq!(scenario.switches.batch, Batch::V1Beta1);
        assert_eq!(scenario.timing.job, Duration::from_mins(2));
        assert_eq!(scenario.tokens.refresh, Refresh::Rotates);
    }

    #[test]
    fn slips_are_refused_by_name() {
        for (document, word) in [
            (json!({"wolrd": "demo"}), "wolrd"),
            (json!({"timing": {"ready": "20"}}), "`20` is not a duration"),
            (json!({"clock-skew": "late"}), "`late` is not a span"),
            (json!({"switches": {"batch": "v2"}}), "v2"),
            (json!({"faults": [{"on": {"path": "("}, "do": "stall"}]}), "unclosed group"),
            (json!({"pods": [{"match": {}, "becomes": "happy"}]}), "happy"),
        ] {
            let error = Scenario::from_value(document).expect_err(word).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
