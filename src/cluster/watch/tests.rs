use std::sync::Mutex;

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use super::*;
use crate::cluster::Refusal;
use crate::cluster::resource::{DEPLOYMENT, POD};
use crate::cluster::sieve::Everything;
use crate::cluster::testing::{Script, Turn, answer, client};
use crate::cluster::transport::{TransportError, Wire};

/// Items and the version of their list.
type Page = (Vec<Value>, u64);

type Pieces = Vec<(Duration, Result<Bytes, TransportError>)>;

/// A server whose list, object and streams are given; the state may be changed while it runs.
#[derive(Default)]
struct World {
    /// Items and version of the list; a status instead refuses.
    list: Mutex<Option<Result<Page, u16>>>,
    /// The object by itself; none is a 404.
    object: Mutex<Option<Result<Value, u16>>>,
    /// The streams, in order; then silence.
    streams: Mutex<Vec<Turn>>,
}

impl World {
    fn new(items: Vec<Value>, version: u64, streams: Vec<Turn>) -> Arc<Self> {
        let world = Self::default();
        *world.object.lock().unwrap() = items.first().cloned().map(Ok);
        *world.list.lock().unwrap() = Some(Ok((items, version)));
        *world.streams.lock().unwrap() = streams;
        Arc::new(world)
    }

    fn script(self: &Arc<Self>) -> Arc<Script> {
        let world = Arc::clone(self);
        Script::ruled(move |wire| Some(world.turn(wire)))
    }

    fn turn(&self, wire: &Wire) -> Turn {
        if wire.path.contains("watch=1") {
            let mut streams = self.streams.lock().unwrap();
            return if streams.is_empty() { Turn::Stream(Vec::new(), false) } else { streams.remove(0) };
        }
        if wire.path.contains('?') {
            return match self.list.lock().unwrap().clone().unwrap_or(Err(500)) {
                Ok((items, version)) => {
                    let metadata = json!({"resourceVersion": version.to_string()});
                    answer(200, json!({"metadata": metadata, "items": items}).to_string())
                }
                Err(status) => refusal(status),
            };
        }
        match self.object.lock().unwrap().clone() {
            Some(Ok(object)) => answer(200, object.to_string()),
            Some(Err(status)) => refusal(status),
            None => refusal(404),
        }
    }
}

fn refusal(status: u16) -> Turn {
    let reason = match status {
        403 => "Forbidden",
        404 => "NotFound",
        410 => "Expired",
        _ => "InternalError",
    };
    let body =
        json!({"kind": "Status", "reason": reason, "message": reason, "details": {"name": "web"}, "code": status});
    answer(status, body.to_string())
}

fn web(version: u64) -> Value {
    named("web", version)
}

fn named(name: &str, version: u64) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "resourceVersion": version.to_string()}})
}

fn change(kind: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}

fn after(millis: u64, piece: Bytes) -> (Duration, Result<Bytes, TransportError>) {
    (Duration::from_millis(millis), Ok(piece))
}

fn open(pieces: Pieces) -> Turn {
    Turn::Stream(pieces, false)
}

fn closing(pieces: Pieces) -> Turn {
    Turn::Stream(pieces, true)
}

fn one(script: &Arc<Script>) -> Watcher {
    Watcher::one(&client(script), &DEPLOYMENT.at(Some("shop"), "web").unwrap())
}

fn version(seen: &Seen) -> u64 {
    match seen {
        Seen::Object(object) => object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap(),
        other => panic!("not an object: {other:?}"),
    }
}

fn names(seen: &Seen) -> Vec<String> {
    match seen {
        Seen::Snapshot(objects) => {
            objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap().into()).collect()
        }
        other => panic!("not a snapshot: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_stream_tells_a_change_before_the_next_look() {
    let world = World::new(vec![web(50)], 100, vec![open(vec![after(30, change("MODIFIED", &web(120)))])]);
    let script = world.script();
    let mut watcher = one(&script);
    let began = Instant::now();
    let first = watcher.next().await.unwrap();
    assert_eq!(version(&first), 50);
    assert!(matches!(&first, Seen::Object(object) if object["kind"] == "Deployment"));
    assert_eq!(version(&watcher.next().await.unwrap()), 120);
    assert_eq!(began.elapsed(), Duration::from_millis(30));
    assert!(script.seen()[1].contains("fieldSelector=metadata.name%3Dweb&resourceVersion=100"), "{:?}", script.seen());
}

#[tokio::test(start_paused = true)]
async fn behind_a_proxy_that_holds_the_stream_back_looking_is_enough() {
    let world = World::new(vec![web(50)], 100, vec![Turn::Never]);
    let script = world.script();
    let mut watcher = one(&script);
    assert_eq!(version(&watcher.next().await.unwrap()), 50);
    *world.object.lock().unwrap() = Some(Ok(web(120)));
    let began = Instant::now();
    assert_eq!(version(&watcher.next().await.unwrap()), 120);
    assert!(began.elapsed() <= Duration::from_millis(110), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn once_a_look_was_the_first_to_tell_looks_follow_each_other_quickly() {
    let world = World::new(vec![web(50)], 100, vec![open(Vec::new())]);
    let mut watcher = one(&world.script());
    assert_eq!(version(&watcher.next().await.unwrap()), 50);
    *world.object.lock().unwrap() = Some(Ok(web(120)));
    assert_eq!(version(&watcher.next().await.unwrap()), 120);
    let silence = tokio::time::timeout(Duration::from_millis(5050), watcher.next()).await;
    assert!(silence.is_err());
    *world.object.lock().unwrap() = Some(Ok(web(130)));
    let began = Instant::now();
    assert_eq!(version(&watcher.next().await.unwrap()), 130);
    assert!(began.elapsed() <= Duration::from_millis(100), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn looks_become_rarer_up_to_two_seconds() {
    let world = World::new(vec![web(50)], 100, vec![]);
    let script = world.script();
    let mut watcher = one(&script);
    watcher.next().await.unwrap();
    let more = tokio::time::timeout(Duration::from_secs(20), watcher.next()).await;
    assert!(more.is_err(), "nothing changed: {more:?}");
    let looks = script.seen().iter().filter(|seen| !seen.contains('?')).count();
    assert!((12..=14).contains(&looks), "{looks}");
}

#[tokio::test(start_paused = true)]
async fn what_the_stream_told_is_not_taken_back_by_a_late_look() {
    let pieces = vec![after(10, change("MODIFIED", &web(120))), after(500, change("DELETED", &web(130)))];
    let world = World::new(vec![web(50)], 100, vec![open(pieces)]);
    let script = world.script();
    let mut watcher = one(&script);
    assert_eq!(version(&watcher.next().await.unwrap()), 50);
    assert_eq!(version(&watcher.next().await.unwrap()), 120);
    // The looks still find version 50, and after the deletion they do too.
    assert_eq!(watcher.next().await.unwrap(), Seen::Gone);
    assert!(tokio::time::timeout(Duration::from_secs(5), watcher.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_there_is_gone_until_it_comes() {
    let world = World::new(vec![], 100, vec![]);
    let script = world.script();
    let mut watcher = one(&script);
    assert_eq!(watcher.next().await.unwrap(), Seen::Gone);
    *world.object.lock().unwrap() = Some(Ok(web(120)));
    assert_eq!(version(&watcher.next().await.unwrap()), 120);
    *world.object.lock().unwrap() = None;
    assert_eq!(watcher.next().await.unwrap(), Seen::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_version_too_old_is_listed_again() {
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"});
    let streams =
        vec![open(vec![after(10, change("ERROR", &gone))]), open(vec![after(20, change("MODIFIED", &web(300)))])];
    let world = World::new(vec![web(50)], 100, streams);
    let script = world.script();
    let mut watcher = one(&script);
    assert_eq!(version(&watcher.next().await.unwrap()), 50);
    *world.list.lock().unwrap() = Some(Ok((vec![web(200)], 250)));
    *world.object.lock().unwrap() = Some(Ok(web(200)));
    assert_eq!(version(&watcher.next().await.unwrap()), 200);
    assert_eq!(version(&watcher.next().await.unwrap()), 300);
    assert!(script.seen().iter().any(|seen| seen.contains("resourceVersion=250")), "{:?}", script.seen());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_goes_on_from_the_last_bookmark() {
    let bookmark = json!({"metadata": {"resourceVersion": "180"}});
    let broken = Err(TransportError::Truncated { status: StatusCode::OK, cause: "reset".into() });
    let given = vec![
        closing(vec![after(10, change("BOOKMARK", &bookmark)), (Duration::from_millis(10), broken)]),
        open(vec![after(10, change("MODIFIED", &web(200)))]),
    ];
    let world = World::new(vec![web(50)], 100, given);
    let script = world.script();
    let mut watcher = one(&script);
    watcher.next().await.unwrap();
    assert_eq!(version(&watcher.next().await.unwrap()), 200);
    let streams: Vec<_> = script.seen().into_iter().filter(|seen| seen.contains("watch=1")).collect();
    assert!(streams[0].contains("resourceVersion=100&") && streams[1].contains("resourceVersion=180&"), "{streams:?}");
}

#[tokio::test(start_paused = true)]
async fn a_set_is_told_whole_and_tested_again() {
    #[derive(Debug)]
    struct NotC;
    impl Sieve for NotC {
        fn labels(&self) -> Option<String> {
            Some("app=web".into())
        }
        fn admits(&self, object: &Value) -> bool {
            object["metadata"]["name"] != "c"
        }
    }
    let pieces = vec![
        after(10, change("ADDED", &named("c", 101))),
        after(10, change("ADDED", &named("b", 102))),
        after(10, change("DELETED", &named("a", 103))),
    ];
    let world = World::new(vec![named("a", 50)], 100, vec![open(pieces)]);
    let script = world.script();
    let mut watcher = Watcher::set(&client(&script), &POD.within(Some("shop")).unwrap(), Arc::new(NotC));
    assert_eq!(names(&watcher.next().await.unwrap()), ["a"]);
    assert_eq!(names(&watcher.next().await.unwrap()), ["a", "b"]);
    assert_eq!(names(&watcher.next().await.unwrap()), ["b"]);
    assert!(script.seen()[0].contains("labelSelector=app%3Dweb"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_watch_at_once() {
    let world = World::new(vec![], 100, vec![]);
    *world.list.lock().unwrap() = Some(Err(403));
    let script = world.script();
    let mut watcher = Watcher::set(&client(&script), &POD.within(Some("shop")).unwrap(), Arc::new(Everything));
    let began = Instant::now();
    assert_eq!(
        watcher.next().await.unwrap(),
        Seen::Note("changes cannot be followed: Forbidden (HTTP 403 Forbidden)".into())
    );
    let error = watcher.next().await.unwrap_err();
    assert!(error.refusal().is_some_and(Refusal::is_forbidden));
    assert!(began.elapsed() < Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn who_may_only_get_an_object_still_sees_it_change() {
    let world = World::new(vec![web(50)], 100, vec![]);
    *world.list.lock().unwrap() = Some(Err(403));
    let script = world.script();
    let mut watcher = one(&script);
    assert!(matches!(watcher.next().await.unwrap(), Seen::Note(_)));
    assert_eq!(version(&watcher.next().await.unwrap()), 50);
    *world.object.lock().unwrap() = Some(Ok(web(60)));
    assert_eq!(version(&watcher.next().await.unwrap()), 60);
}

#[tokio::test(start_paused = true)]
async fn trouble_is_borne_noted_once_and_not_for_ever() {
    let world = World::new(vec![web(50)], 100, vec![]);
    let script = world.script();
    let mut watcher = one(&script).patience(Duration::from_secs(10));
    assert_eq!(version(&watcher.next().await.unwrap()), 50);
    *world.object.lock().unwrap() = Some(Err(500));
    assert!(matches!(watcher.next().await.unwrap(), Seen::Note(_)));
    *world.object.lock().unwrap() = Some(Ok(web(160)));
    assert_eq!(version(&watcher.next().await.unwrap()), 160);
    *world.object.lock().unwrap() = Some(Err(500));
    let began = Instant::now();
    let error = watcher.next().await.unwrap_err();
    assert_eq!(error.refusal().map(|refusal| refusal.status), Some(500));
    assert!(
        began.elapsed() >= Duration::from_secs(9) && began.elapsed() < Duration::from_secs(13),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn letting_go_of_a_wait_loses_no_news() {
    let pieces = vec![after(30, change("MODIFIED", &web(120))), after(30, change("MODIFIED", &web(130)))];
    let world = World::new(vec![web(50)], 100, vec![open(pieces)]);
    let script = world.script();
    let mut watcher = one(&script);
    let mut versions = Vec::new();
    while versions.len() < 3 {
        if let Ok(seen) = tokio::time::timeout(Duration::from_millis(7), watcher.next()).await {
            versions.push(version(&seen.unwrap()));
        }
    }
    assert_eq!(versions, [50, 120, 130]);
}
