//! Resource quotas: what is used in a namespace, and what would be too much.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::object::{list, map, name, text};
use super::quantity::Quantity;
use super::resource::RESOURCES;

/// Gives the objects of a kind in the namespace of the quota.
type Objects<'a> = dyn Fn(&str) -> Vec<Arc<Value>> + 'a;

/// What is used of everything that a quota limits.
pub(super) fn usage(quota: &Value, objects: &Objects<'_>) -> BTreeMap<String, Quantity> {
    let limited = map(quota, "/spec/hard").keys();
    limited.map(|what| (what.clone(), used(what, objects))).collect()
}

fn used(what: &str, objects: &Objects<'_>) -> Quantity {
    let kinds = RESOURCES.iter().filter(|resource| resource.namespaced);
    let all = kinds.flat_map(|resource| {
        let asked = of_kind(what, resource.plural, &resource.qualified());
        let found = if asked { objects(resource.plural) } else { Vec::new() };
        found.into_iter().map(|object| share(what, resource.plural, &object)).collect::<Vec<_>>()
    });
    all.fold(Quantity::default(), Quantity::plus)
}

/// Whether objects of a kind count for what is limited.
fn of_kind(what: &str, plural: &str, qualified: &str) -> bool {
    match what {
        "cpu" | "memory" | "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory" => plural == "pods",
        "requests.storage" => plural == "persistentvolumeclaims",
        _ => what == plural || what.strip_prefix("count/") == Some(qualified),
    }
}

/// What one object uses of what is limited.
fn share(what: &str, plural: &str, object: &Value) -> Quantity {
    let ended = plural == "pods" && matches!(text(object, "/status/phase"), "Succeeded" | "Failed");
    match what {
        _ if what.starts_with("count/") => Quantity::count(1),
        _ if ended => Quantity::default(),
        "cpu" | "requests.cpu" => asked(object, "requests", "cpu"),
        "memory" | "requests.memory" => asked(object, "requests", "memory"),
        "limits.cpu" => asked(object, "limits", "cpu"),
        "limits.memory" => asked(object, "limits", "memory"),
        "requests.storage" => amount(object, "/spec/resources/requests/storage"),
        _ => Quantity::count(1),
    }
}

/// What the containers of a pod ask for, or are limited to; who has a limit alone asks for it.
fn asked(pod: &Value, which: &str, what: &str) -> Quantity {
    let of = |container: &Value| {
        let own = amount(container, &format!("/resources/{which}/{what}"));
        if own.is_some() { own } else { amount(container, &format!("/resources/limits/{what}")) }
    };
    list(pod, "/spec/containers").iter().map(of).fold(Quantity::default(), Quantity::plus)
}

fn amount(object: &Value, pointer: &str) -> Quantity {
    Quantity::parse(text(object, pointer)).unwrap_or_default()
}

/// The words with which some quota refuses a new object; nothing when there is room.
pub(super) fn refusal(
    quotas: &[Arc<Value>],
    objects: &Objects<'_>,
    (plural, qualified): (&str, &str),
    object: &Value,
) -> Option<String> {
    let words = quotas.iter().find_map(|quota| refused_by(quota, objects, (plural, qualified), object))?;
    Some(format!("{qualified} \"{}\" is forbidden: {words}", name(object)))
}

fn refused_by(
    quota: &Value,
    objects: &Objects<'_>,
    (plural, qualified): (&str, &str),
    object: &Value,
) -> Option<String> {
    let hard: BTreeMap<_, _> =
        map(quota, "/spec/hard").iter().filter(|(what, _)| of_kind(what, plural, qualified)).collect();
    let lacking: Vec<_> = hard.keys().filter(|what| must_say(what) && !share(what, plural, object).is_some()).collect();
    if !lacking.is_empty() {
        let lacking: Vec<_> = lacking.into_iter().map(|what| what.as_str()).collect();
        return Some(format!("failed quota: {}: must specify {}", name(quota), lacking.join(",")));
    }
    let (mut requested, mut present, mut limited) = (Vec::new(), Vec::new(), Vec::new());
    for (what, limit) in hard {
        let limit = Quantity::parse(limit.as_str().unwrap_or_default()).unwrap_or_default();
        let (more, now) = (share(what, plural, object), used(what, objects));
        if more.is_some() && now.plus(more).exceeds(limit) {
            requested.push(format!("{what}={more}"));
            present.push(format!("{what}={now}"));
            limited.push(format!("{what}={limit}"));
        }
    }
    (!requested.is_empty()).then(|| {
        format!(
            "exceeded quota: {}, requested: {}, used: {}, limited: {}",
            name(quota),
            requested.join(","),
            present.join(","),
            limited.join(",")
        )
    })
}

/// What a pod must ask for by name where a quota limits it.
fn must_say(what: &str) -> bool {
    matches!(what, "cpu" | "memory" | "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(hard: Value, pods: &[Value], pod: &Value) -> Option<String> {
        let quota = Arc::new(json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}));
        let pods: Vec<_> = pods.iter().cloned().map(Arc::new).collect();
        let objects = |plural: &str| if plural == "pods" { pods.clone() } else { Vec::new() };
        refusal(&[quota], &objects, ("pods", "pods"), pod)
    }

    fn pod(cpu: &str, phase: &str) -> Value {
        json!({"metadata": {"name": "p"}, "status": {"phase": phase},
            "spec": {"containers": [{"resources": {"requests": {"cpu": cpu}}}]}})
    }

    #[test]
    fn what_is_too_much_is_refused_with_the_sums() {
        let one = pod("400m", "Running");
        assert_eq!(refused(json!({"pods": "2"}), std::slice::from_ref(&one), &one), None);
        assert_eq!(
            refused(json!({"pods": "1", "requests.cpu": "1"}), std::slice::from_ref(&one), &pod("700m", "")).as_deref(),
            Some(
                "pods \"p\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=700m, used: \
                 pods=1,requests.cpu=400m, limited: pods=1,requests.cpu=1"
            )
        );
    }

    #[test]
    fn pods_that_have_ended_use_nothing_and_silence_is_no_amount() {
        assert_eq!(refused(json!({"pods": "1"}), &[pod("1", "Succeeded")], &pod("1", "")), None);
        let words = refused(json!({"limits.memory": "1Gi"}), &[], &pod("1", "")).expect("refused");
        assert!(words.ends_with("failed quota: q: must specify limits.memory"), "{words}");
    }
}
