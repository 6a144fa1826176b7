//! `/log`: what a container has said.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, SubsecRound as _, TimeDelta, Utc};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use super::path::Target;
use crate::clock::Timestamp;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object::{self, list, text};
use crate::simulator::reply;
use crate::simulator::resource::Resource;
use crate::simulator::status::{Cause, StatusError};
use crate::simulator::store::LogLine;

pub(super) fn logs(app: &Arc<App>, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let name = target.name.unwrap_or_default();
    let pod = app.store.get("pods", target.place(), name);
    let pod = pod.ok_or_else(|| StatusError::not_found(target.resource, name))?;
    let container = container(&pod, ask.query("container").unwrap_or_default())?;
    check_options(ask, name)?;
    if text(&pod, "/spec/nodeName").is_empty() {
        return Ok(nothing());
    }
    let log = app.store.pod_log(target.place(), name, &container);
    let lines = if ask.flag("previous") {
        let absent = || format!("previous terminated container \"{container}\" in pod \"{name}\" not found");
        log.previous.ok_or_else(|| StatusError::bad_request(absent()))?
    } else {
        if log.current.is_empty() {
            started(&pod, &container)?;
        }
        log.current
    };
    let view = View::of(app, ask)?;
    if !ask.flag("follow") || ask.flag("previous") {
        return Ok(reply::bytes(200, "text/plain", view.text(&lines)));
    }
    let follow = Follow {
        app: Arc::clone(app),
        news: app.store.log_lines(),
        changes: app.store.changes(),
        pod,
        container,
        told: lines.len(),
        first: Some(view.text(&lines)),
        timestamps: view.timestamps,
    };
    let mut response = Response::new(Body::from_stream(stream::unfold(follow, Follow::next)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// What the options of a log call themselves in errors.
static OPTIONS: Resource = Resource {
    plural: "podlogoptions",
    singular: "podlogoptions",
    kind: "PodLogOptions",
    group: "",
    versions: &["v1"],
    namespaced: true,
    short: &[],
    traits: &[],
};

/// Counts must not be negative, and there is one beginning at most.
fn check_options(ask: &Ask, name: &str) -> Result<(), StatusError> {
    let mut causes = Vec::new();
    for (key, least) in [("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)] {
        if let Some(found) = ask.number(key)?.filter(|found| *found < least) {
            let why = if least == 0 { "must be greater than or equal to 0" } else { "must be greater than 0" };
            causes.push(Cause::invalid(key, &found.into(), why));
        }
    }
    if ask.query("sinceTime").is_some() && ask.query("sinceSeconds").is_some() {
        causes.push(Cause::forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    if causes.is_empty() { Ok(()) } else { Err(StatusError::invalid(&OPTIONS, name, &causes)) }
}

/// A pod without a node has no one who could answer.
fn nothing() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The container that is meant: the named one, or the only one.
pub(super) fn container(pod: &Value, asked: &str) -> Result<String, StatusError> {
    let names = |pointer: &str| -> Vec<&str> { list(pod, pointer).iter().map(|found| text(found, "/name")).collect() };
    let (main, init) = (names("/spec/containers"), names("/spec/initContainers"));
    let pod = object::name(pod);
    match main.as_slice() {
        [only] if asked.is_empty() => Ok((*only).to_owned()),
        _ if asked.is_empty() => {
            let setup = if init.is_empty() {
                String::new()
            } else {
                format!(" or one of the init containers: [{}]", init.join(" "))
            };
            Err(StatusError::bad_request(format!(
                "a container name must be specified for pod {pod}, choose one of: [{}]{setup}",
                main.join(" ")
            )))
        }
        _ if main.contains(&asked) || init.contains(&asked) => Ok(asked.to_owned()),
        _ => Err(StatusError::bad_request(format!("container {asked} is not valid for pod {pod}"))),
    }
}

/// A container that has not started has nothing to say, and the server says why.
fn started(pod: &Value, container: &str) -> Result<(), StatusError> {
    let name = object::name(pod);
    let statuses = list(pod, "/status/containerStatuses").iter().chain(list(pod, "/status/initContainerStatuses"));
    let mut waiting = statuses
        .filter(|status| text(status, "/name") == container)
        .filter(|status| status.pointer("/lastState/terminated").is_none())
        .map(|status| text(status, "/state/waiting/reason"))
        .filter(|reason| !reason.is_empty());
    let Some(reason) = waiting.next() else {
        return Ok(());
    };
    let reason = match reason {
        "ImagePullBackOff" => "trying and failing to pull image",
        "ErrImagePull" => "image can't be pulled",
        other => other,
    };
    Err(StatusError::bad_request(format!("container \"{container}\" in pod \"{name}\" is waiting to start: {reason}")))
}

/// Which lines are wanted, and in what form.
struct View {
    since: Option<Timestamp>,
    tail: Option<usize>,
    limit: Option<usize>,
    timestamps: bool,
}

impl View {
    fn of(app: &App, ask: &Ask) -> Result<Self, StatusError> {
        let count = |key| Ok::<_, StatusError>(ask.number(key)?.and_then(|count| usize::try_from(count).ok()));
        let seconds = ask.number("sinceSeconds")?;
        let time = ask.query("sinceTime").map(since_time).transpose()?;
        let ago = seconds.and_then(TimeDelta::try_seconds).map(|span| app.store.clock().now() - span);
        Ok(Self {
            since: time.or(ago),
            tail: count("tailLines")?,
            limit: count("limitBytes")?,
            timestamps: ask.flag("timestamps"),
        })
    }

    fn text(&self, lines: &[LogLine]) -> String {
        let recent: Vec<_> = lines.iter().filter(|line| self.since.is_none_or(|since| line.at >= since)).collect();
        let skipped = self.tail.map_or(0, |tail| recent.len().saturating_sub(tail));
        let mut text: String = recent.iter().skip(skipped).map(|line| shown(line, self.timestamps)).collect();
        if let Some(limit) = self.limit {
            let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or_default());
        }
        text
    }
}

/// The API server hands the time on to the node in whole seconds.
fn since_time(text: &str) -> Result<Timestamp, StatusError> {
    let moment = DateTime::parse_from_rfc3339(text)
        .map_err(|error| StatusError::bad_request(format!("parsing time \"{text}\": {error}")))?;
    Ok(moment.with_timezone(&Utc).trunc_subsecs(0))
}

fn shown(line: &LogLine, timestamps: bool) -> String {
    if timestamps {
        format!("{} {}\n", line.at.to_rfc3339_opts(SecondsFormat::Nanos, true), line.text)
    } else {
        format!("{}\n", line.text)
    }
}

/// A log that is read while it is written; it ends with its container.
struct Follow {
    app: Arc<App>,
    news: watch::Receiver<u64>,
    changes: watch::Receiver<u64>,
    pod: Arc<Value>,
    container: String,
    told: usize,
    first: Option<String>,
    timestamps: bool,
}

impl Follow {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        if let Some(text) = self.first.take().filter(|text| !text.is_empty()) {
            return Some((Ok(text.into()), self));
        }
        loop {
            self.news.borrow_and_update();
            self.changes.borrow_and_update();
            let over = self.is_over();
            let text = self.fresh();
            if !text.is_empty() {
                return Some((Ok(text.into()), self));
            }
            if over {
                return None;
            }
            let app = Arc::clone(&self.app);
            tokio::select! {
                news = self.news.changed() => news.ok()?,
                change = self.changes.changed() => change.ok()?,
                () = app.stop.cancelled() => return None,
            }
        }
    }

    fn fresh(&mut self) -> String {
        let (ns, name) = (object::namespace(&self.pod), object::name(&self.pod));
        let lines = self.app.store.pod_log(ns, name, &self.container).current;
        let text = lines.iter().skip(self.told).map(|line| shown(line, self.timestamps)).collect();
        self.told = lines.len();
        text
    }

    fn is_over(&self) -> bool {
        let pod = self.app.store.get("pods", object::namespace(&self.pod), object::name(&self.pod));
        pod.is_none_or(|pod| {
            object::uid(&pod) != object::uid(&self.pod) || matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed")
        })
    }
}
