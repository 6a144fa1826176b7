//! Paths of the Kubernetes API, read into what they name.

use http::Method;

use super::events;
use crate::simulator::ask::Ask;
use crate::simulator::resource::{RESOURCES, Resource, group_version};
use crate::simulator::scenario::Batch;

/// What a path names: objects of a kind, one of them, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) struct Target<'a> {
    pub(in crate::simulator) resource: &'static Resource,
    pub(in crate::simulator) version: &'static str,
    pub(in crate::simulator) ns: Option<&'a str>,
    pub(in crate::simulator) name: Option<&'a str>,
    pub(in crate::simulator) sub: Option<&'a str>,
    /// Whether events are asked for under their newer names.
    pub(in crate::simulator) modern: bool,
}

impl<'a> Target<'a> {
    /// Reads the segments of a path; nothing when no kind is served there.
    pub(in crate::simulator) fn parse(segments: &[&'a str], batch: Batch) -> Option<Self> {
        let (group, version, rest) = match segments {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (ns, rest) = match rest {
            ["namespaces", ns, rest @ ..] if is_inside(rest) => (Some(*ns), rest),
            rest => (None, rest),
        };
        let (plural, name, sub) = match rest {
            [plural] => (*plural, None, None),
            [plural, name] => (*plural, Some(*name), None),
            [plural, name, sub] => (*plural, Some(*name), Some(*sub)),
            _ => return None,
        };
        let modern = (group, version, plural) == (events::GROUP, "v1", "events");
        let group = if modern { "" } else { group };
        let resource = RESOURCES.iter().find(|row| row.plural == plural && row.group == group)?;
        let version = served(resource, batch).iter().find(|known| **known == version)?;
        let fits = if resource.namespaced { ns.is_some() || name.is_none() } else { ns.is_none() };
        fits.then_some(Self { resource, version, ns, name, sub, modern })
    }

    /// The namespace as the store wants it.
    pub(super) fn place(&self) -> &'a str {
        self.ns.unwrap_or_default()
    }

    /// The `apiVersion` in which the caller speaks.
    pub(super) fn api_version(&self) -> String {
        if self.modern {
            return group_version(events::GROUP, self.version);
        }
        group_version(self.resource.group, self.version)
    }

    /// What the caller wants to do, in the words of permissions.
    pub(in crate::simulator) fn verb(&self, ask: &Ask) -> &'static str {
        let one = self.name.is_some();
        match ask.method {
            Method::GET | Method::HEAD if one => "get",
            Method::GET | Method::HEAD if ask.flag("watch") => "watch",
            Method::GET | Method::HEAD => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if one => "delete",
            Method::DELETE => "deletecollection",
            _ => "unknown",
        }
    }
}

/// Whether what follows `namespaces/<ns>` is a kind inside of it, not a part of the namespace itself.
fn is_inside(rest: &[&str]) -> bool {
    !matches!(rest, [] | ["status" | "finalize"])
}

/// The versions in which a kind is served.
pub(super) fn served(resource: &Resource, batch: Batch) -> &'static [&'static str] {
    match (resource.plural, batch) {
        ("cronjobs" | "poddisruptionbudgets", Batch::V1Beta1) => &["v1beta1"],
        ("horizontalpodautoscalers", Batch::V1) => &["v2", "v1"],
        _ => &["v1"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &'static str) -> Option<Target<'static>> {
        let segments: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        Target::parse(&segments, Batch::V1)
    }

    fn seen(path: &'static str) -> (Option<&'static str>, &'static str, Option<&'static str>, Option<&'static str>) {
        let target = parse(path).expect(path);
        (target.ns, target.resource.plural, target.name, target.sub)
    }

    #[test]
    fn each_form_of_path_is_read() {
        assert_eq!(seen("/api/v1/pods"), (None, "pods", None, None));
        assert_eq!(seen("/api/v1/namespaces/shop"), (None, "namespaces", Some("shop"), None));
        assert_eq!(seen("/api/v1/namespaces/shop/status"), (None, "namespaces", Some("shop"), Some("status")));
        assert_eq!(seen("/api/v1/namespaces/shop/pods/p/log"), (Some("shop"), "pods", Some("p"), Some("log")));
        assert_eq!(seen("/apis/apps/v1/namespaces/shop/deployments"), (Some("shop"), "deployments", None, None));
    }

    #[test]
    fn foreign_paths_are_nothing() {
        for path in [
            "/api/v1",
            "/apis/apps/v2/deployments",
            "/apis/x/v1/pods",
            "/api/v1/pods/p",
            "/api/v1/namespaces/a/nodes/n",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[test]
    fn an_older_server_serves_older_versions() {
        let path = ["apis", "batch", "v1beta1", "namespaces", "shop", "cronjobs"];
        assert!(Target::parse(&path, Batch::V1Beta1).is_some());
        assert!(Target::parse(&path, Batch::V1).is_none());
    }
}
