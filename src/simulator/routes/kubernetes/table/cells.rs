//! The rows of everything that is no workload.

use serde_json::Value;

use super::{Column, Moment, age, ago};
use crate::simulator::object::{flag, labels, list, map, name, number, text};

pub(super) fn texts(names: &[&'static str], priority: u8) -> Vec<Column> {
    names.iter().map(|name| Column(name, "string", priority)).collect()
}

pub(super) fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

pub(super) fn plain_columns(_: bool) -> Vec<Column> {
    vec![Column("Name", "string", 0), Column("Created At", "date", 0)]
}

pub(super) fn plain(object: &Value, _: Moment) -> Vec<Value> {
    vec![name(object).into(), text(object, "/metadata/creationTimestamp").into()]
}

pub(super) fn node_columns(_: bool) -> Vec<Column> {
    let mut all = texts(&["Name", "Status", "Roles", "Age", "Version"], 0);
    all.extend(texts(&["Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"], 1));
    all
}

pub(super) fn node(object: &Value, moment: Moment) -> Vec<Value> {
    let ready = list(object, "/status/conditions").iter().find(|said| text(said, "/type") == "Ready");
    let mut status =
        ready.map_or("Unknown", |said| if text(said, "/status") == "True" { "Ready" } else { "NotReady" }).to_owned();
    if flag(object, "/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let mut roles: Vec<_> =
        labels(object).keys().filter_map(|key| key.strip_prefix("node-role.kubernetes.io/")).collect();
    roles.sort_unstable();
    let address = |kind: &str| {
        let found = list(object, "/status/addresses").iter().find(|address| text(address, "/type") == kind);
        found.map_or("<none>", |address| text(address, "/address")).to_owned()
    };
    let info = |field: &str| or(text(object, &format!("/status/nodeInfo/{field}")), "<unknown>").to_owned();
    let cells = [
        name(object).to_owned(),
        status,
        or(&roles.join(","), "<none>").to_owned(),
        ago(moment.now, text(object, "/metadata/creationTimestamp")),
        text(object, "/status/nodeInfo/kubeletVersion").to_owned(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ];
    cells.map(Value::from).to_vec()
}

pub(super) fn namespace_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Status", "Age"], 0)
}

pub(super) fn namespace(object: &Value, moment: Moment) -> Vec<Value> {
    vec![name(object).into(), text(object, "/status/phase").into(), age(object, moment)]
}

pub(super) fn service_columns(_: bool) -> Vec<Column> {
    let mut all = texts(&["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"], 0);
    all.push(Column("Selector", "string", 1));
    all
}

pub(super) fn service(object: &Value, moment: Moment) -> Vec<Value> {
    let port = |port: &Value| {
        let [number, node] = ["/port", "/nodePort"].map(|field| number(port, field).unwrap_or_default());
        let protocol = or(text(port, "/protocol"), "TCP");
        if node > 0 { format!("{number}:{node}/{protocol}") } else { format!("{number}/{protocol}") }
    };
    let ports: Vec<_> = list(object, "/spec/ports").iter().map(port).collect();
    let mut selector: Vec<_> = map(object, "/spec/selector")
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    selector.sort_unstable();
    let outside = match text(object, "/spec/type") {
        "ExternalName" => text(object, "/spec/externalName"),
        "LoadBalancer" => "<pending>",
        _ => "<none>",
    };
    vec![
        name(object).into(),
        text(object, "/spec/type").into(),
        or(text(object, "/spec/clusterIP"), "<none>").into(),
        outside.into(),
        or(&ports.join(","), "<none>").into(),
        age(object, moment),
        or(&selector.join(","), "<none>").into(),
    ]
}

pub(super) fn event_columns(_: bool) -> Vec<Column> {
    vec![
        Column("Last Seen", "string", 0),
        Column("Type", "string", 0),
        Column("Reason", "string", 0),
        Column("Object", "string", 0),
        Column("Subobject", "string", 1),
        Column("Source", "string", 1),
        Column("Message", "string", 0),
        Column("First Seen", "string", 1),
        Column("Count", "integer", 1),
        Column("Name", "string", 1),
    ]
}

pub(super) fn event(object: &Value, moment: Moment) -> Vec<Value> {
    let seen = |field: &str| {
        let stamp = [field, "/eventTime"].into_iter().map(|field| text(object, field)).find(|stamp| !stamp.is_empty());
        stamp.map_or_else(|| "<unknown>".to_owned(), |stamp| ago(moment.now, stamp))
    };
    let about = text(object, "/involvedObject/kind").to_ascii_lowercase();
    let source = [text(object, "/source/component"), text(object, "/source/host")];
    let source: Vec<_> = source.into_iter().filter(|part| !part.is_empty()).collect();
    vec![
        seen("/lastTimestamp").into(),
        text(object, "/type").into(),
        text(object, "/reason").into(),
        format!("{about}/{}", text(object, "/involvedObject/name")).into(),
        text(object, "/involvedObject/fieldPath").into(),
        source.join(", ").into(),
        text(object, "/message").trim().into(),
        seen("/firstTimestamp").into(),
        number(object, "/count").unwrap_or(1).into(),
        name(object).into(),
    ]
}

pub(super) fn config_map_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Data", "Age"], 0)
}

pub(super) fn config_map(object: &Value, moment: Moment) -> Vec<Value> {
    let count = map(object, "/data").len() + map(object, "/binaryData").len();
    vec![name(object).into(), count.into(), age(object, moment)]
}

pub(super) fn secret_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Type", "Data", "Age"], 0)
}

pub(super) fn secret(object: &Value, moment: Moment) -> Vec<Value> {
    vec![name(object).into(), text(object, "/type").into(), map(object, "/data").len().into(), age(object, moment)]
}

pub(super) fn service_account_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Secrets", "Age"], 0)
}

pub(super) fn service_account(object: &Value, moment: Moment) -> Vec<Value> {
    vec![name(object).into(), list(object, "/secrets").len().into(), age(object, moment)]
}

pub(super) fn claim_columns(old: bool) -> Vec<Column> {
    let mut all = texts(&["Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass"], 0);
    if !old {
        all.push(Column("VolumeAttributesClass", "string", 0));
    }
    all.extend([Column("Age", "string", 0), Column("VolumeMode", "string", 1)]);
    all
}

/// Ways of access, abbreviated.
pub(super) fn short_modes(modes: &[Value]) -> String {
    let short = modes.iter().filter_map(|mode| match mode.as_str()? {
        "ReadWriteOnce" => Some("RWO"),
        "ReadOnlyMany" => Some("ROX"),
        "ReadWriteMany" => Some("RWX"),
        "ReadWriteOncePod" => Some("RWOP"),
        _ => None,
    });
    short.collect::<Vec<_>>().join(",")
}

pub(super) fn claim(object: &Value, moment: Moment) -> Vec<Value> {
    let modes = short_modes(list(object, "/status/accessModes"));
    let mut cells = vec![
        name(object).into(),
        text(object, "/status/phase").into(),
        text(object, "/spec/volumeName").into(),
        text(object, "/status/capacity/storage").into(),
        modes.into(),
        text(object, "/spec/storageClassName").into(),
    ];
    if !moment.old {
        cells.push("<unset>".into());
    }
    cells.extend([age(object, moment), or(text(object, "/spec/volumeMode"), "<unset>").into()]);
    cells
}

pub(super) fn budget_columns(_: bool) -> Vec<Column> {
    vec![
        Column("Name", "string", 0),
        Column("Min Available", "string", 0),
        Column("Max Unavailable", "string", 0),
        Column("Allowed Disruptions", "integer", 0),
        Column("Age", "string", 0),
    ]
}

pub(super) fn budget(object: &Value, moment: Moment) -> Vec<Value> {
    let bound = |field: &str| match object.pointer(field) {
        Some(Value::String(text)) => text.clone(),
        Some(value) if !value.is_null() => value.to_string(),
        _ => "N/A".into(),
    };
    vec![
        name(object).into(),
        bound("/spec/minAvailable").into(),
        bound("/spec/maxUnavailable").into(),
        number(object, "/status/disruptionsAllowed").unwrap_or_default().into(),
        age(object, moment),
    ]
}

pub(super) fn revision_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Controller", "Revision", "Age"], 0)
}

pub(super) fn revision(object: &Value, moment: Moment) -> Vec<Value> {
    let owner = crate::simulator::object::controller(object).map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let group = text(owner, "/apiVersion").rsplit_once('/').map(|(group, _)| format!(".{group}"));
            format!(
                "{}{}/{}",
                text(owner, "/kind").to_ascii_lowercase(),
                group.unwrap_or_default(),
                text(owner, "/name")
            )
        },
    );
    let number = number(object, "/revision").unwrap_or_default();
    vec![name(object).into(), owner.into(), number.into(), age(object, moment)]
}

pub(super) fn quota_columns(old: bool) -> Vec<Column> {
    let names = if old { ["Name", "Age", "Request", "Limit"] } else { ["Name", "Request", "Limit", "Age"] };
    texts(&names, 0)
}

pub(super) fn quota(object: &Value, moment: Moment) -> Vec<Value> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    let mut hard: Vec<_> = map(object, "/status/hard").iter().collect();
    hard.sort_by_key(|(what, _)| what.as_str());
    for (what, hard) in hard {
        let used = map(object, "/status/used").get(what).and_then(Value::as_str).unwrap_or("0");
        let shown = format!("{what}: {used}/{}", hard.as_str().unwrap_or_default());
        if what.starts_with("limits") { limits.push(shown) } else { requests.push(shown) }
    }
    let (requests, limits): (Value, Value) = (requests.join(", ").into(), limits.join(", ").into());
    let (name, age) = (name(object).into(), age(object, moment));
    if moment.old { vec![name, age, requests, limits] } else { vec![name, requests, limits, age] }
}

pub(super) fn autoscaler_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"], 0)
}

pub(super) fn autoscaler(object: &Value, moment: Moment) -> Vec<Value> {
    let least = number(object, "/spec/minReplicas").map_or_else(|| "<unset>".into(), |least| least.to_string());
    let target = format!("{}/{}", text(object, "/spec/scaleTargetRef/kind"), text(object, "/spec/scaleTargetRef/name"));
    vec![
        name(object).into(),
        target.into(),
        "<none>".into(),
        least.into(),
        number(object, "/spec/maxReplicas").unwrap_or_default().into(),
        number(object, "/status/currentReplicas").unwrap_or_default().into(),
        age(object, moment),
    ]
}
