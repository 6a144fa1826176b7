//! `?watch=1`: a stream of changes, each sent the moment it is written.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::events;
use super::path::Target;
use super::read::{Filter, asked_version};
use super::table::{self, Form, Listed, View};
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::reply::Versioned;
use crate::simulator::resource::Resource;
use crate::simulator::status::{Cause, StatusError};
use crate::simulator::store::{Change, ChangeKind};

/// How long a watch lives when the client does not say.
const LIFETIME: u64 = 1_800;

/// The pause between bookmarks, as the API server has it.
const BOOKMARKS: Duration = Duration::from_mins(1);

/// Foreign writes after which a bookmark is due without waiting for its time.
const FOREIGN_WRITES: u64 = 100;

pub(super) fn watch(app: &Arc<App>, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    if ask.query("sendInitialEvents").is_some() {
        let why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        let cause = Cause::forbidden("sendInitialEvents", why);
        return Err(StatusError::bad_options("ListOptions", &cause));
    }
    let filter = Filter::of(ask, target)?;
    let seconds = ask.number("timeoutSeconds")?.and_then(|asked| u64::try_from(asked).ok());
    let asked = asked_version(ask)?;
    let mut watch = Watch {
        news: app.store.changes(),
        app: Arc::clone(app),
        kind: Kind { resource: target.resource, version: target.version, modern: target.modern },
        ns: target.ns.map(str::to_owned),
        filter,
        view: View::of(app, ask),
        titled: false,
        seen: asked,
        told: asked,
        bookmarks: ask.flag("allowWatchBookmarks"),
        ready: VecDeque::new(),
        end: Instant::now() + Duration::from_secs(seconds.unwrap_or(LIFETIME)),
        over: false,
    };
    if asked == 0 {
        watch.begin();
    }
    let mut response = Response::new(Body::from_stream(stream::unfold(watch, Watch::next)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// What is watched, and in which words it is told.
#[derive(Debug, Clone, Copy)]
struct Kind {
    resource: &'static Resource,
    version: &'static str,
    /// Whether events are told under their newer names.
    modern: bool,
}

struct Watch {
    app: Arc<App>,
    news: watch::Receiver<u64>,
    kind: Kind,
    ns: Option<String>,
    filter: Filter,
    view: View,
    /// Whether the columns of the table have been told.
    titled: bool,
    /// The last write that was looked at.
    seen: u64,
    /// The last version that the client knows of.
    told: u64,
    bookmarks: bool,
    ready: VecDeque<Bytes>,
    end: Instant,
    over: bool,
}

#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    r#type: &'a str,
    object: T,
}

/// An event of a watch: a line of JSON.
trait Event: Serialize + Sized {
    fn line(&self, kind: &str) -> Option<Bytes> {
        let mut text = serde_json::to_vec(&Line { r#type: kind, object: self }).ok()?;
        text.push(b'\n');
        Some(text.into())
    }
}

impl<T: Serialize> Event for T {}

impl Watch {
    /// Without a version a watch begins with what is there.
    fn begin(&mut self) {
        let (objects, version) = self.app.store.list(self.kind.resource.plural, self.ns.as_deref());
        for object in &objects {
            if self.picks(object) {
                self.say("ADDED", object);
            }
        }
        (self.seen, self.told) = (version, version);
    }

    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some((Ok(line), self));
            }
            if self.over {
                return None;
            }
            self.news.borrow_and_update();
            self.catch_up();
            if self.ready.is_empty() && !self.over {
                self.rest().await;
            }
        }
    }

    /// Waits for a write, the time of a bookmark, or the end.
    async fn rest(&mut self) {
        let (app, end) = (Arc::clone(&self.app), self.end);
        tokio::select! {
            news = self.news.changed() => self.over = news.is_err(),
            () = tokio::time::sleep(BOOKMARKS) => self.bookmark(),
            () = tokio::time::sleep_until(end) => {
                self.bookmark();
                self.over = true;
            }
            () = app.stop.cancelled() => self.over = true,
        }
    }

    fn catch_up(&mut self) {
        match self.app.store.log(self.seen) {
            Ok(changes) => changes.iter().for_each(|change| self.tell(change)),
            Err(gone) => {
                self.ready.extend(gone.body().line("ERROR"));
                self.over = true;
            }
        }
        if self.seen >= self.told + FOREIGN_WRITES {
            self.bookmark();
        }
    }

    fn tell(&mut self, change: &Change) {
        self.seen = self.seen.max(change.version);
        if change.resource.plural != self.kind.resource.plural {
            return;
        }
        let before = change.before.as_deref().is_some_and(|object| self.picks(object));
        let now = change.kind != ChangeKind::Deleted && self.picks(&change.object);
        match (before, now) {
            (false, true) => self.say("ADDED", &change.object),
            (true, true) => self.say("MODIFIED", &change.object),
            (true, false) => self.say("DELETED", &last_state(change)),
            (false, false) => {}
        }
    }

    fn picks(&self, object: &Value) -> bool {
        self.filter.picks(&self.target(), object)
    }

    fn target(&self) -> Target<'_> {
        let (Kind { resource, version, modern }, ns) = (self.kind, self.ns.as_deref());
        Target { resource, version, ns, name: None, sub: None, modern }
    }

    fn say(&mut self, kind: &str, object: &Value) {
        self.told = object::version(object).max(self.told);
        let (Kind { resource, version, modern }, ns) = (self.kind, self.ns.as_deref());
        let target = Target { resource, version, ns, name: None, sub: None, modern };
        let api_version = target.api_version();
        let line = match self.view.form {
            Form::Objects if self.kind.modern => events::modern(object).line(kind),
            Form::Objects => Versioned { object, api_version: &api_version }.line(kind),
            Form::Metadata => table::partial(object).line(kind),
            Form::Table => {
                let mut table = Listed::one(&target, object).table(self.view, self.app.store.clock().now());
                if std::mem::replace(&mut self.titled, true) {
                    object::put(&mut table, &["columnDefinitions"], Value::Null);
                }
                table.line(kind)
            }
        };
        self.ready.extend(line);
    }

    fn bookmark(&mut self) {
        if !self.bookmarks {
            return;
        }
        self.told = self.seen;
        let object = json!({
            "kind": self.kind.resource.kind, "apiVersion": self.target().api_version(),
            "metadata": { "resourceVersion": self.seen.to_string(), "creationTimestamp": null },
        });
        self.ready.extend(object.line("BOOKMARK"));
    }
}

/// What a watcher saw last of an object that left its view, under the version at which it left.
fn last_state(change: &Change) -> Value {
    let mut object = match (&change.before, change.kind) {
        (Some(before), ChangeKind::Modified) => Value::clone(before),
        _ => Value::clone(&change.object),
    };
    object::put(&mut object, &["metadata", "resourceVersion"], change.version.to_string());
    object
}
