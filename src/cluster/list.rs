//! Whole lists: page by page, of one moment, each item tested again by us.

use serde_json::Value;

use super::refusal::Layer;
use super::resource::{Collection, Resource};
use super::sieve::Sieve;
use super::{BodyError, Client, Error, Read, Refusal, Request};

/// Objects on a page of a native list.
const PAGE: u32 = 500;

/// How often a list begins anew because its continuation became too old.
const RESTARTS: u32 = 2;

/// A list, with all its pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The objects, each with its kind.
    pub items: Vec<Value>,
    /// The moment that the list shows; none where the server does not tell.
    pub resource_version: Option<String>,
    /// Whether these are provably all there are.
    pub complete: bool,
}

impl Client {
    /// The whole list; from `/kapis` where the native one is forbidden and the target has it.
    pub async fn list(&self, collection: &Collection, sieve: &dyn Sieve) -> Result<Listed, Error> {
        let error = match self.native_list(collection, sieve).await {
            Err(error) if error.refusal().is_some_and(Refusal::is_forbidden) => error,
            other => return other,
        };
        if !self.provider().has(Layer::Kapis) {
            return Err(error);
        }
        // What the API server said is nearer to the truth than what `/kapis` makes of it.
        self.kapis_list(collection, sieve).await.map_err(|_| error)
    }

    /// The whole list from the Kubernetes API, all pages of one moment.
    pub async fn native_list(&self, collection: &Collection, sieve: &dyn Sieve) -> Result<Listed, Error> {
        for _ in 0..RESTARTS {
            match self.pages(collection, sieve, Some(PAGE)).await {
                Err(error) if error.refusal().is_some_and(Refusal::is_gone) => {}
                other => return other,
            }
        }
        // Pages that grow old faster than they are read: all at once, then.
        self.pages(collection, sieve, None).await
    }

    async fn pages(&self, collection: &Collection, sieve: &dyn Sieve, limit: Option<u32>) -> Result<Listed, Error> {
        let mut listed = Listed { items: Vec::new(), resource_version: None, complete: true };
        let mut next: Option<String> = None;
        loop {
            let request = selected(collection.list(), sieve)
                .with_some("limit", limit.map(|limit| limit.to_string()))
                .with_some("continue", next.take());
            let mut page = self.read_json(&request).await?;
            listed.items.extend(items(&mut page, collection.resource())?.into_iter().filter(|item| sieve.admits(item)));
            let text = |name: &str| page.get("metadata")?.get(name)?.as_str().filter(|text| !text.is_empty());
            listed.resource_version = listed.resource_version.or_else(|| text("resourceVersion").map(str::to_owned));
            next = text("continue").map(str::to_owned);
            if next.is_none() {
                return Ok(listed);
            }
        }
    }
}

/// Adds what a sieve tells the server.
pub(super) fn selected(request: Request<Read>, sieve: &dyn Sieve) -> Request<Read> {
    request.with_some("labelSelector", sieve.labels()).with_some("fieldSelector", sieve.fields())
}

/// Takes the items out of a page and gives each its kind.
pub(super) fn items(page: &mut Value, resource: &Resource) -> Result<Vec<Value>, Error> {
    let mut items = match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) => Vec::new(),
        _ => {
            let cause = "a list was expected, and it has no items".to_owned();
            return Err(Error::Body(BodyError::NotJson { status: 200, cause }));
        }
    };
    for item in &mut items {
        resource.name_kind(item);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::resource::POD;
    use crate::cluster::sieve::{Everything, Named};
    use crate::cluster::testing::{Script, Turn, answer, client, client_of};
    use crate::cluster::{provider, retry::RetryPolicy};

    fn page(names: &[&str], next: &str) -> Turn {
        let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
        let metadata = json!({"resourceVersion": "77", "continue": next});
        answer(200, json!({"kind": "PodList", "metadata": metadata, "items": items}).to_string())
    }

    fn gone() -> Turn {
        answer(410, json!({"kind": "Status", "reason": "Expired", "message": "too old", "code": 410}).to_string())
    }

    fn forbidden() -> Turn {
        answer(403, json!({"kind": "Status", "reason": "Forbidden", "message": "pods is forbidden"}).to_string())
    }

    fn names(listed: &Listed) -> Vec<&str> {
        listed.items.iter().filter_map(|item| item.pointer("/metadata/name")?.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn all_pages_make_one_list_whose_items_have_their_kind() {
        let script = Script::new([page(&["a", "b"], "c1"), page(&["c"], "")]);
        let pods = POD.within(Some("shop")).unwrap();
        let listed = client(&script).native_list(&pods, &Everything).await.unwrap();
        assert_eq!(names(&listed), ["a", "b", "c"]);
        assert_eq!((listed.resource_version.as_deref(), listed.complete), (Some("77"), true));
        assert_eq!((&listed.items[2]["kind"], &listed.items[2]["apiVersion"]), (&json!("Pod"), &json!("v1")));
        let path = "GET /api/v1/namespaces/shop/pods";
        assert_eq!(script.seen(), [format!("{path}?limit=500"), format!("{path}?continue=c1&limit=500")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_continuation_too_old_begins_anew_and_at_last_without_pages() {
        let turns = [page(&["old"], "c1"), gone(), page(&["old"], "c2"), gone(), page(&["new"], "")];
        let script = Script::new(turns);
        let listed = client(&script).native_list(&POD.within(None).unwrap(), &Everything).await.unwrap();
        assert_eq!(names(&listed), ["new"]);
        assert_eq!(script.seen().last().unwrap(), "GET /api/v1/pods");
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_that_was_not_asked_for_is_left_out() {
        let script = Script::new([page(&["a", "b"], "")]);
        let listed = client(&script).native_list(&POD.within(None).unwrap(), &Named("b".into())).await.unwrap();
        assert_eq!(names(&listed), ["b"]);
        assert_eq!(script.seen(), ["GET /api/v1/pods?fieldSelector=metadata.name%3Db&limit=500"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trouble_between_pages_does_not_lose_a_page() {
        let script = Script::new([page(&["a"], "c1"), answer(500, "{}"), page(&["b"], "")]);
        let client = client(&script).with_retry(RetryPolicy::seeded(1));
        assert_eq!(names(&client.native_list(&POD.within(None).unwrap(), &Everything).await.unwrap()), ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_items_is_empty_and_no_list_is_an_error() {
        let script = Script::new([answer(200, r#"{"items":null}"#), answer(200, r#"{"kind":"Pod"}"#)]);
        let (client, pods) = (client(&script), POD.within(None).unwrap());
        assert!(client.native_list(&pods, &Everything).await.unwrap().items.is_empty());
        assert!(matches!(client.native_list(&pods, &Everything).await, Err(Error::Body(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_native_list_is_forbidden_kapis_is_asked_if_there_is_one() {
        let kapis = || answer(200, r#"{"items":[{"metadata":{"name":"a","uid":"1"}}],"totalItems":1}"#);
        let script = Script::new([forbidden(), kapis()]);
        let pods = POD.within(None).unwrap();
        let listed = client_of(&script, provider::CONTROLHUB).list(&pods, &Everything).await.unwrap();
        assert_eq!((names(&listed), listed.resource_version.as_deref()), (vec!["a"], None));
        let error = client(&Script::new([forbidden()])).list(&pods, &Everything).await.unwrap_err();
        assert!(error.refusal().is_some_and(Refusal::is_forbidden));
    }
}
