//! Namespaces, services, settings, events, and kinds without columns of their own.

use serde_json::Value;

use super::Columns;
use super::object::{NONE, Object, UNKNOWN, count, status_word};
use crate::console::age::age;
use crate::console::style::Tone;
use crate::console::table::Cell;

pub(super) static ANY: Columns = Columns {
    headings: &["NAME", "AGE"],
    cells: |object| vec![object.name(), object.age()],
    more: &[],
    more_cells: |_| Vec::new(),
};

pub(super) static NAMESPACE: Columns = Columns {
    headings: &["NAME", "STATUS", "AGE"],
    cells: |object| vec![object.name(), status_word(object.text("/status/phase")), object.age()],
    ..ANY
};

pub(super) static CONFIG_MAP: Columns = Columns {
    headings: &["NAME", "DATA", "AGE"],
    cells: |object| vec![object.name(), count(object.entries("/data") + object.entries("/binaryData")), object.age()],
    ..ANY
};

pub(super) static SECRET: Columns = Columns {
    headings: &["NAME", "TYPE", "DATA", "AGE"],
    cells: |object| {
        vec![object.name(), Cell::plain(object.text("/type")), count(object.entries("/data")), object.age()]
    },
    ..ANY
};

pub(super) static SERVICE: Columns = Columns {
    headings: &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
    cells: |object| {
        vec![
            object.name(),
            Cell::plain(object.text("/spec/type")),
            Cell::plain(object.text_or_none("/spec/clusterIP")),
            Cell::plain(external(object)),
            Cell::plain(ports(object)),
            object.age(),
        ]
    },
    more: &["SELECTOR"],
    more_cells: |object| {
        let labels = object.at("/spec/selector").and_then(Value::as_object);
        let pair = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap_or_default());
        let pairs: Vec<String> = labels.into_iter().flatten().map(pair).collect();
        vec![Cell::plain(if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") })]
    },
};

pub(super) static EVENT: Columns = Columns {
    headings: &["LAST SEEN", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"],
    cells: |event| {
        let kind = event.text("/type");
        let tone = if kind == "Warning" { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::plain(last_seen(event)),
            Cell::new(tone, kind),
            Cell::plain(event.text("/reason")),
            Cell::plain(about(event)),
            count(times(event)),
            Cell::plain(first(event, &["/message", "/note"])),
        ]
    },
    more: &["SOURCE", "NAME"],
    more_cells: |event| {
        vec![
            Cell::plain(first(event, &["/reportingComponent", "/reportingController", "/source/component"])),
            event.name(),
        ]
    },
};

fn first<'a>(object: &Object<'a>, pointers: &[&str]) -> &'a str {
    pointers.iter().map(|pointer| object.text(pointer)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// The newer API writes other fields than the old one.
fn last_seen(event: &Object<'_>) -> String {
    let fields =
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"];
    let at = fields.iter().find_map(|field| event.moment(field));
    at.map_or_else(|| UNKNOWN.to_owned(), |at| age(at, event.now()))
}

fn times(event: &Object<'_>) -> i64 {
    event.number("/series/count").max(event.number("/count")).max(1)
}

fn about(event: &Object<'_>) -> String {
    let of = |field: &str| first(event, &[&format!("/involvedObject/{field}"), &format!("/regarding/{field}")]);
    format!("{}/{}", of("kind").to_lowercase(), of("name"))
}

fn external(service: &Object<'_>) -> String {
    let kind = service.text("/spec/type");
    if kind == "ExternalName" {
        return service.text("/spec/externalName").to_owned();
    }
    let given = service.list("/spec/externalIPs").iter().filter_map(Value::as_str);
    let ingress = service.list("/status/loadBalancer/ingress").iter();
    let balanced = ingress.filter_map(|entry| entry.get("ip").or_else(|| entry.get("hostname"))?.as_str());
    let all: Vec<&str> = balanced.chain(given).collect();
    match all.is_empty() {
        true if kind == "LoadBalancer" => "<pending>".to_owned(),
        true => NONE.to_owned(),
        false => all.join(","),
    }
}

fn ports(service: &Object<'_>) -> String {
    let port = |entry: &Value| {
        let number = |key: &str| entry.get(key).and_then(Value::as_i64).filter(|port| *port > 0);
        let node = number("nodePort").map(|port| format!(":{port}")).unwrap_or_default();
        let protocol = entry.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        format!("{}{node}/{protocol}", number("port").unwrap_or(0))
    };
    let all: Vec<String> = service.list("/spec/ports").iter().map(port).collect();
    if all.is_empty() { NONE.to_owned() } else { all.join(",") }
}
