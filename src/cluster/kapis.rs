//! Lists of `KubeSphere`: pages by number over a moving set, narrowed for some users.
//!
//! They serve only where the native list is refused. Each reply tells how many
//! objects there are: `total` where the service before it has narrowed the
//! page for a user who is no administrator, `totalItems` otherwise. The list is
//! complete only if that number did not move and we hold as many.

use std::collections::HashSet;

use serde_json::Value;

use super::list::{Listed, items};
use super::path::Path;
use super::resource::{CRON_JOB, Collection, POD};
use super::sieve::Sieve;
use super::{Client, Error, Read, Request};

const PAGE: usize = 100;

impl Client {
    /// The list as `/kapis` has it; `complete` tells whether it is the whole truth.
    pub async fn kapis_list(&self, collection: &Collection, sieve: &dyn Sieve) -> Result<Listed, Error> {
        let mut census = Census::default();
        for page in 1.. {
            let mut reply = self.read_json(&request(collection, sieve, page)?).await?;
            let count = Count::of(&reply);
            let found = items(&mut reply, collection.resource())?;
            let empty = found.is_empty();
            census.take(found, &count);
            let everything_at_once = count.narrowed && is_cluster_wide_pods(collection);
            // Beyond the last page the server of cron jobs panics, so it is never asked for.
            if page * PAGE >= count.all || everything_at_once || (empty && !count.narrowed) {
                break;
            }
        }
        let complete = census.is_complete();
        let items = census.items.into_iter().filter(|item| sieve.admits(item)).collect();
        Ok(Listed { items, resource_version: None, complete })
    }
}

fn request(collection: &Collection, sieve: &dyn Sieve, page: usize) -> Result<Request<Read>, Error> {
    let mut path = Path::of("/kapis/resources.kubesphere.io/v1alpha3");
    if let Some(namespace) = collection.namespace() {
        path = path.plus("namespaces").push(namespace)?;
    }
    let plural = &collection.resource().plural;
    let request = Request::get(path.push(plural)?)
        .with("limit", PAGE.to_string())
        .with("page", page.to_string())
        .label(format!("list {collection} by kapis, page {page}"));
    // Cron jobs take an older path there, on which any other parameter is a label to be matched.
    if *plural == CRON_JOB.plural {
        return Ok(request);
    }
    // Oldest first: what is created meanwhile comes last and moves nothing.
    let request = request.with("sortBy", "creationTimestamp").with("ascending", "true");
    Ok(request.with_some("labelSelector", sieve.labels()))
}

/// For these the service drops our paging when it narrows: every page is the whole.
fn is_cluster_wide_pods(collection: &Collection) -> bool {
    collection.namespace().is_none() && collection.resource().plural == POD.plural
}

/// How many objects a reply says there are.
struct Count {
    all: usize,
    narrowed: bool,
}

impl Count {
    fn of(reply: &Value) -> Self {
        let number = |name: &str| reply.get(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        let total = number("total");
        Self { all: total.or_else(|| number("totalItems")).unwrap_or(0), narrowed: total.is_some() }
    }
}

/// The objects so far, each once.
#[derive(Default)]
struct Census {
    items: Vec<Value>,
    known: HashSet<String>,
    all: Option<usize>,
    moved: bool,
}

impl Census {
    fn take(&mut self, found: Vec<Value>, count: &Count) {
        self.moved |= self.all.is_some_and(|all| all != count.all);
        self.all = Some(count.all);
        for item in found {
            if self.known.insert(identity(&item)) {
                self.items.push(item);
            }
        }
    }

    fn is_complete(&self) -> bool {
        !self.moved && self.all == Some(self.items.len())
    }
}

fn identity(item: &Value) -> String {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match text("/metadata/uid") {
        "" => format!("{}/{}", text("/metadata/namespace"), text("/metadata/name")),
        uid => uid.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use serde_json::json;

    use super::*;
    use crate::cluster::provider::CONTROLHUB;
    use crate::cluster::resource::{DEPLOYMENT, JOB, Resource};
    use crate::cluster::sieve::Everything;
    use crate::cluster::testing::{Script, Turn, answer, client_of};

    fn page(uids: Range<usize>, counts: &Value) -> Turn {
        let items: Vec<Value> = uids.map(|uid| json!({"metadata": {"uid": uid.to_string()}})).collect();
        let mut reply = json!({"items": items});
        reply.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
        answer(200, reply.to_string())
    }

    async fn listed(resource: &Resource, turns: Vec<Turn>) -> (usize, bool, usize) {
        let script = Script::new(turns);
        let all = resource.within(None).unwrap();
        let listed = client_of(&script, CONTROLHUB).kapis_list(&all, &Everything).await.unwrap();
        (listed.items.len(), listed.complete, script.seen().len())
    }

    #[tokio::test(start_paused = true)]
    async fn pages_are_read_until_the_total_is_reached_and_never_beyond() {
        let counts = json!({"totalItems": 200});
        let turns = vec![page(0..100, &counts), page(100..200, &counts)];
        assert_eq!(listed(&DEPLOYMENT, turns).await, (200, true, 2));
        assert_eq!(listed(&DEPLOYMENT, vec![page(0..0, &json!({"totalItems": 0}))]).await, (0, true, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_narrowed_page_does_not_end_the_list_and_the_list_is_not_complete() {
        let narrowed = |kept: usize| json!({"totalItems": kept, "total": 230});
        let turns = vec![page(0..0, &narrowed(0)), page(0..3, &narrowed(3)), page(3..4, &narrowed(1))];
        assert_eq!(listed(&JOB, turns).await, (4, false, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_who_sees_everything_has_the_whole_list() {
        let counts = json!({"totalItems": 3, "total": 3});
        assert_eq!(listed(&JOB, vec![page(0..3, &counts)]).await, (3, true, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn narrowed_pods_come_all_at_once() {
        let counts = json!({"totalItems": 40, "total": 143});
        assert_eq!(listed(&POD, vec![page(0..40, &counts)]).await, (40, false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_set_that_moves_between_pages_is_not_complete() {
        let turns = vec![page(0..100, &json!({"totalItems": 101})), page(99..101, &json!({"totalItems": 102}))];
        assert_eq!(listed(&DEPLOYMENT, turns).await, (101, false, 2));
        let short = vec![page(0..100, &json!({"totalItems": 101})), page(0..0, &json!({"totalItems": 101}))];
        assert_eq!(listed(&DEPLOYMENT, short).await, (100, false, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn cron_jobs_are_asked_with_nothing_but_the_page() {
        let script = Script::new([page(0..1, &json!({"totalItems": 1}))]);
        let all = CRON_JOB.within(Some("shop")).unwrap();
        client_of(&script, CONTROLHUB).kapis_list(&all, &Everything).await.unwrap();
        let path = "/kapis/resources.kubesphere.io/v1alpha3/namespaces/shop/cronjobs";
        assert_eq!(script.seen(), [format!("GET {path}?limit=100&page=1")]);
    }
}
