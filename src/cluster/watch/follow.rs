//! The lane that lists and then follows the changes.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::super::list::selected;
use super::super::{Error, Refusal};
use super::lines::Lines;
use super::{Sight, Subject};

/// For how long the server is asked to keep a stream open.
const SECONDS: u64 = 290;
/// How much longer than that we wait for its end.
const GRACE: Duration = Duration::from_secs(15);
/// The pause before a stream that ended is opened again; it doubles while nothing comes.
const FIRST: Duration = Duration::from_millis(100);
/// The longest such pause.
const LONGEST: Duration = Duration::from_secs(15);

struct Lane {
    subject: Subject,
    stage: Stage,
    pause: Duration,
}

enum Stage {
    /// The list is to be read, after a pause.
    List(Duration),
    /// The changes after this version are to be followed, after a pause.
    Open(String, Duration),
    /// The changes come in.
    Read { lines: Lines, version: String, until: Instant },
    /// Following is not possible.
    Over,
}

/// Lists and follows until a refusal that time does not heal.
pub(super) fn lane(subject: Subject) -> BoxStream<'static, Sight> {
    let lane = Lane { subject, stage: Stage::List(Duration::ZERO), pause: FIRST };
    stream::unfold(lane, |mut lane| async move { lane.next().await.map(|sight| (sight, lane)) }).boxed()
}

impl Lane {
    async fn next(&mut self) -> Option<Sight> {
        loop {
            let (stage, sight) = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::List(pause) => self.list(pause).await,
                Stage::Open(version, pause) => self.open(version, pause).await,
                Stage::Read { lines, version, until } => self.read(lines, version, until).await,
                Stage::Over => return None,
            };
            self.stage = stage;
            if sight.is_some() {
                return sight;
            }
        }
    }

    async fn list(&mut self, pause: Duration) -> (Stage, Option<Sight>) {
        sleep(pause).await;
        let subject = &self.subject;
        match subject.client.native_list(&subject.collection, subject.sieve.as_ref()).await {
            Ok(listed) => match listed.resource_version.clone() {
                Some(version) => (Stage::Open(version, Duration::ZERO), Some(Sight::List(listed))),
                // Without a version there is nothing to follow from.
                None => (Stage::Over, Some(Sight::List(listed))),
            },
            Err(error) => self.failed(error, Stage::List),
        }
    }

    async fn open(&mut self, version: String, pause: Duration) -> (Stage, Option<Sight>) {
        sleep(pause).await;
        let request = selected(self.subject.collection.watch(&version, SECONDS), self.subject.sieve.as_ref());
        self.subject.hold_back(true);
        let begun = self.subject.client.stream(&request).await;
        self.subject.hold_back(false);
        match begun {
            Ok(stream) => {
                let until = Instant::now() + Duration::from_secs(SECONDS) + GRACE;
                (Stage::Read { lines: Lines::new(stream), version, until }, None)
            }
            Err(error) => self.failed(error, |pause| Stage::Open(version, pause)),
        }
    }

    async fn read(&mut self, mut lines: Lines, version: String, until: Instant) -> (Stage, Option<Sight>) {
        let Ok(Some(change)) = timeout_at(until, lines.next()).await else {
            return (Stage::Open(version, self.paused()), None);
        };
        let object = change.get("object").cloned().unwrap_or_default();
        if change.get("type").and_then(Value::as_str) == Some("ERROR") {
            let error = Error::from(Refusal::of_status(&object));
            return self.failed(error, |pause| Stage::Open(version, pause));
        }
        self.pause = FIRST;
        let newer = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let version = newer.map_or(version, str::to_owned);
        let sight = self.sight(&change, object, &version);
        (Stage::Read { lines, version, until }, sight)
    }

    fn sight(&self, change: &Value, mut object: Value, version: &str) -> Option<Sight> {
        self.subject.collection.resource().name_kind(&mut object);
        match change.get("type").and_then(Value::as_str) {
            Some("ADDED" | "MODIFIED") => Some(Sight::Put(object)),
            Some("DELETED") => Some(Sight::Delete(object)),
            Some("BOOKMARK") => Some(Sight::Bookmark(version.to_owned())),
            _ => None,
        }
    }

    fn failed(&mut self, error: Error, again: impl FnOnce(Duration) -> Stage) -> (Stage, Option<Sight>) {
        let refusal = error.refusal();
        if refusal.is_some_and(Refusal::is_gone) {
            return (Stage::List(self.paused()), None);
        }
        let wished = refusal.and_then(|refusal| refusal.retry_after).unwrap_or_default();
        if error.is_transient() {
            (again(self.paused().max(wished)), Some(Sight::Trouble(error)))
        } else {
            (Stage::Over, Some(Sight::Unable(error)))
        }
    }

    /// The pause that is due now; the next one is longer.
    fn paused(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        pause
    }
}
