//! The rows of what carries traffic, of volumes, and of leases.

use serde_json::Value;

use super::cells::{or, short_modes, texts};
use super::{Column, Moment, age};
use crate::simulator::object::{list, map, name, number, text};
use crate::simulator::selector::Selector;

pub(super) fn endpoints_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Endpoints", "Age"], 0)
}

pub(super) fn endpoints(object: &Value, moment: Moment) -> Vec<Value> {
    let mut shown = Vec::new();
    for subset in list(object, "/subsets") {
        let ports = list(subset, "/ports");
        for address in list(subset, "/addresses") {
            let ip = text(address, "/ip");
            let with_port = |port: &Value| format!("{ip}:{}", number(port, "/port").unwrap_or_default());
            shown.extend(ports.iter().map(with_port));
            shown.extend(ports.is_empty().then(|| ip.to_owned()));
        }
    }
    let more = shown.len().saturating_sub(3);
    shown.truncate(3);
    let rest = if more > 0 { format!(" + {more} more...") } else { String::new() };
    let all = format!("{}{rest}", shown.join(","));
    vec![name(object).into(), or(&all, "<none>").into(), age(object, moment)]
}

pub(super) fn lease_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Holder", "Age"], 0)
}

pub(super) fn lease(object: &Value, moment: Moment) -> Vec<Value> {
    vec![name(object).into(), text(object, "/spec/holderIdentity").into(), age(object, moment)]
}

pub(super) fn policy_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Pod-Selector", "Age"], 0)
}

pub(super) fn policy(object: &Value, moment: Moment) -> Vec<Value> {
    let selector = object.pointer("/spec/podSelector").map(|found| Selector::of(found).to_string());
    let selector = selector.unwrap_or_default();
    vec![name(object).into(), or(&selector, "<none>").into(), age(object, moment)]
}

pub(super) fn ingress_columns(_: bool) -> Vec<Column> {
    texts(&["Name", "Class", "Hosts", "Address", "Ports", "Age"], 0)
}

pub(super) fn ingress(object: &Value, moment: Moment) -> Vec<Value> {
    let hosts: Vec<_> = list(object, "/spec/rules").iter().map(|rule| text(rule, "/host")).collect();
    let hosts: Vec<_> = hosts.into_iter().filter(|host| !host.is_empty()).collect();
    let ports = if list(object, "/spec/tls").is_empty() { "80" } else { "80, 443" };
    let addresses: Vec<_> =
        list(object, "/status/loadBalancer/ingress").iter().map(|found| text(found, "/ip")).collect();
    vec![
        name(object).into(),
        or(text(object, "/spec/ingressClassName"), "<none>").into(),
        or(&hosts.join(","), "*").into(),
        addresses.join(",").into(),
        ports.into(),
        age(object, moment),
    ]
}

pub(super) fn volume_columns(old: bool) -> Vec<Column> {
    let mut all = texts(&["Name", "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"], 0);
    if !old {
        all.push(Column("VolumeAttributesClass", "string", 0));
    }
    all.extend(texts(&["Reason", "Age"], 0));
    all.push(Column("VolumeMode", "string", 1));
    all
}

pub(super) fn volume(object: &Value, moment: Moment) -> Vec<Value> {
    let claim = map(object, "/spec/claimRef");
    let word = |key: &str| claim.get(key).and_then(Value::as_str).unwrap_or_default();
    let claim = if claim.is_empty() { String::new() } else { format!("{}/{}", word("namespace"), word("name")) };
    let mut cells = vec![
        name(object).into(),
        text(object, "/spec/capacity/storage").into(),
        short_modes(list(object, "/spec/accessModes")).into(),
        text(object, "/spec/persistentVolumeReclaimPolicy").into(),
        text(object, "/status/phase").into(),
        claim.into(),
        text(object, "/spec/storageClassName").into(),
    ];
    if !moment.old {
        cells.push("<unset>".into());
    }
    let mode = or(text(object, "/spec/volumeMode"), "<unset>");
    cells.extend([text(object, "/status/reason").into(), age(object, moment), mode.into()]);
    cells
}
