//! From what a step names to where it lies: one object, or a set of them.

use serde_json::Value;

use super::context::Context;
use super::failure;
use crate::cluster::list::Listed;
use crate::cluster::resource::{Address, Collection, Resource};
use crate::cluster::sieve::{Everything, Sieve};
use crate::document::{Container, FieldSelector, KindRow, Mode, Namespaces, ObjectRef, ObjectSet, Selector, Target};
use crate::event::{Class, Failure, ObjectId};
use crate::expect::Expectation;
use crate::source::Diagnostic;

/// The annotation that remembers who holds an object (`stop`, `suspend`).
pub(crate) const HELD: &str = "/metadata/annotations/runhub.dev~1held";

/// The objects of a set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// The objects that met every condition, kind and version filled in.
    pub(crate) items: Vec<Value>,
    /// Whether nothing can be missing.
    pub(crate) complete: bool,
}

impl Context {
    /// Where an object of a kind with a word lies.
    pub(crate) async fn address(&self, reference: &ObjectRef) -> Result<Address, Failure> {
        let resource = self.resource(reference.kind).await?;
        let namespace = self.namespace(reference.kind, reference.namespace.as_deref())?;
        let address = resource.at(namespace.as_deref(), &reference.name);
        address.map_err(|error| {
            Failure::new(Class::Invalid, format!("{} {}: {error}", reference.kind.singular, reference.name))
        })
    }

    /// Where the one object of a target lies.
    pub(crate) async fn one(&self, target: &Target) -> Result<Address, Failure> {
        match target {
            Target::One(reference) => self.address(reference).await,
            Target::Container(Container { pod, .. }) => self.address(pod).await,
            Target::Object(object) => {
                let found = self.client().resource(&object.api_version, &object.kind).await;
                let resource = found.map_err(|error| failure::of_error(&error, &object.kind))?;
                let default = self.facts().namespace.as_deref().filter(|_| resource.namespaced);
                let namespace = object.namespace.as_deref().or(default);
                resource
                    .at(namespace, &object.name)
                    .map_err(|error| Failure::new(Class::Invalid, format!("{} {}: {error}", object.kind, object.name)))
            }
            Target::Set(set) => {
                Err(Failure::new(Class::Unsupported, format!("one {} is needed here, not a set", set.kind.singular)))
            }
        }
    }

    /// The served resource of a kind; a server says which version of CronJobs it has.
    pub(crate) async fn resource(&self, kind: &KindRow) -> Result<Resource, Failure> {
        if kind.kind == "CronJob" {
            return self
                .client()
                .cron_jobs()
                .await
                .map_err(|error| failure::of_error(&error, "which version of CronJobs"));
        }
        let known = Resource::of_kind(kind.kind).cloned();
        known.ok_or_else(|| Failure::new(Class::Unsupported, format!("no kind {}", kind.kind)))
    }

    fn namespace(&self, kind: &KindRow, written: Option<&str>) -> Result<Option<String>, Failure> {
        if !kind.namespaced {
            return Ok(None);
        }
        let namespace = written.map(ToOwned::to_owned).or_else(|| self.facts().namespace.clone());
        namespace.map(Some).ok_or_else(no_namespace)
    }

    /// The objects of a set, each matched again on our side, as many as the set allows.
    ///
    /// `least` is the number that `min` is where none is written: 1 for changes and waits, 0 for reads.
    pub(crate) async fn select(&self, set: &ObjectSet, least: u64) -> Result<Selection, Failure> {
        let sieve = Wanted::of(set);
        let (mut items, mut complete) = (Vec::new(), true);
        for collection in self.collections(set).await? {
            let listed = self.list(&collection, &sieve).await?;
            complete &= listed.complete;
            items.extend(self.as_they_were(listed.items, &collection, &sieve));
        }
        if let Some(owner) = &set.of {
            items = self.owned_by(owner, items).await?;
        }
        let items = self.filtered(set, items)?;
        counted(set, items.len(), least)?;
        Ok(Selection { items, complete })
    }

    /// The lists that hold a set.
    pub(crate) async fn collections(&self, set: &ObjectSet) -> Result<Vec<Collection>, Failure> {
        let resource = self.resource(set.kind).await?;
        let owner = set.of.as_ref().and_then(|owner| owner.namespace.clone());
        let namespaces: Vec<Option<String>> = match &set.namespaces {
            Namespaces::All => vec![None],
            Namespaces::Some(names) => names.iter().cloned().map(Some).collect(),
            Namespaces::Default => {
                vec![Some(owner.or_else(|| self.facts().namespace.clone()).ok_or_else(no_namespace)?)]
            }
        };
        let within = |namespace: &Option<String>| resource.within(namespace.as_deref());
        namespaces
            .iter()
            .map(|namespace| within(namespace).map_err(|error| Failure::new(Class::Invalid, error.to_string())))
            .collect()
    }

    async fn list(&self, collection: &Collection, sieve: &dyn Sieve) -> Result<Listed, Failure> {
        let listed = self.client().list(collection, sieve).await;
        listed.map_err(|error| failure::of_error(&error, &format!("list {collection}")))
    }

    /// Every object of one namespace.
    pub(crate) async fn list_all(&self, kind: &'static KindRow, namespace: &str) -> Result<Vec<Value>, Failure> {
        let within = self.resource(kind).await?.within(Some(namespace));
        let collection = within.map_err(|error| Failure::new(Class::Invalid, error.to_string()))?;
        Ok(self.list(&collection, &Everything).await?.items)
    }

    /// The objects of one namespace that a sieve tells the server to send.
    pub(crate) async fn list_narrowed(
        &self,
        kind: &'static KindRow,
        namespace: &str,
        sieve: &dyn Sieve,
    ) -> Result<Vec<Value>, Failure> {
        let within = self.resource(kind).await?.within(Some(namespace));
        let collection = within.map_err(|error| Failure::new(Class::Invalid, error.to_string()))?;
        Ok(self.list(&collection, sieve).await?.items)
    }

    /// Every object of a kind that no runbook can name with a word.
    pub(crate) async fn list_resource(&self, resource: &Resource, namespace: &str) -> Result<Vec<Value>, Failure> {
        let collection =
            resource.within(Some(namespace)).map_err(|error| failure::of_error(&error.into(), namespace))?;
        Ok(self.list(&collection, &Everything).await?.items)
    }

    /// The autoscalers of a namespace; none where the server has none.
    pub(crate) async fn autoscalers(&self, namespace: &str) -> Result<Vec<Value>, Failure> {
        const AUTOSCALER: Resource = Resource {
            group: std::borrow::Cow::Borrowed("autoscaling"),
            version: std::borrow::Cow::Borrowed("v1"),
            plural: std::borrow::Cow::Borrowed("horizontalpodautoscalers"),
            kind: std::borrow::Cow::Borrowed("HorizontalPodAutoscaler"),
            namespaced: true,
        };
        let collection =
            AUTOSCALER.within(Some(namespace)).map_err(|error| Failure::new(Class::Invalid, error.to_string()))?;
        let mut list = self
            .read(&collection.list())
            .await?
            .json()
            .map_err(|error| failure::of_error(&error, "list autoscalers"))?;
        Ok(list.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }

    /// The items that an object owns, by UID, directly or through what it owns.
    async fn owned_by(&self, owner: &ObjectRef, items: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let owner = self.get(&self.address(owner).await?).await?;
        let mut uids = vec![ObjectId::of(&owner).uid];
        let namespace = ObjectId::of(&owner).namespace;
        let between = match ObjectId::of(&owner).kind.as_str() {
            "Deployment" => KindRow::of_singular("replicaset"),
            "CronJob" => KindRow::of_singular("job"),
            _ => None,
        };
        if let Some(between) = between {
            let middle = self.list_all(between, &namespace).await?;
            let between_uids: Vec<String> =
                middle.iter().filter(|item| is_owned(item, &uids)).map(|item| ObjectId::of(item).uid).collect();
            uids.extend(between_uids);
        }
        Ok(items.into_iter().filter(|item| is_owned(item, &uids)).collect())
    }

    /// Whether an object, as it is now, is still one that a set means.
    pub(crate) fn is_meant(&self, set: &ObjectSet, object: &Value) -> Result<bool, Failure> {
        Ok(Wanted::of(set).admits(object) && !self.filtered(set, vec![object.clone()])?.is_empty())
    }

    fn filtered(&self, set: &ObjectSet, items: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let conditions = conditions(set)?;
        let mut kept = Vec::new();
        for item in items {
            if let Some(book) = &set.held_by
                && held_by(&item).as_deref() != Some(book)
            {
                continue;
            }
            let mut meets = true;
            for condition in &conditions {
                let missed = condition
                    .check(&item, self.scope())
                    .map_err(|message| Failure::new(Class::Evaluation, format!("`where`: {message}")))?;
                meets &= missed.is_none();
            }
            if meets {
                kept.push(item);
            }
        }
        Ok(kept)
    }
}

/// A set's selectors: told to the server, and every item matched again by us.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    labels: Option<Selector>,
    fields: Option<FieldSelector>,
}

impl Wanted {
    /// The selectors of a set.
    pub(crate) fn of(set: &ObjectSet) -> Self {
        Self { labels: set.selector.clone(), fields: set.field_selector.clone() }
    }
}

impl Sieve for Wanted {
    fn labels(&self) -> Option<String> {
        self.labels.as_ref().map(ToString::to_string)
    }

    fn fields(&self) -> Option<String> {
        self.fields.as_ref().map(ToString::to_string)
    }

    fn admits(&self, object: &Value) -> bool {
        self.labels.as_ref().is_none_or(|selector| selector.matches(object))
            && self.fields.as_ref().is_none_or(|selector| selector.matches(object))
    }
}

fn no_namespace() -> Failure {
    Failure::new(Class::Invalid, "no namespace: the name has none and the book has no `defaults.namespace`")
        .help("write namespace/name")
}

fn conditions(set: &ObjectSet) -> Result<Vec<Expectation>, Failure> {
    let Some(node) = &set.conditions else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    let list = Expectation::list(node, Mode::Whole, &mut out);
    list.filter(|_| !out.iter().any(Diagnostic::is_error)).ok_or_else(|| {
        let lines: Vec<&str> = out.iter().map(|complaint| complaint.message.as_str()).collect();
        Failure::new(Class::Evaluation, format!("`where`: {}", lines.join("; ")))
    })
}

/// Whether a set is neither smaller nor larger than it may be.
pub(super) fn counted(set: &ObjectSet, found: usize, least: u64) -> Result<(), Failure> {
    let found = u64::try_from(found).unwrap_or(u64::MAX);
    let (min, word) = (set.min.unwrap_or(least), set.kind.plural);
    if found < min {
        let failure = Failure::new(Class::Expectation, format!("{found} {word} selected, at least {min} should be"));
        return Err(failure.help("say `min: 0` where none is well too"));
    }
    match set.max {
        Some(max) if found > max => Err(Failure::new(
            Class::Expectation,
            format!("{found} {word} selected, at most {max} may be: nothing was changed"),
        )),
        _ => Ok(()),
    }
}

/// Whether one of an object's owners has one of these UIDs.
pub(crate) fn is_owned(item: &Value, uids: &[String]) -> bool {
    let owners = item.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners
        .into_iter()
        .flatten()
        .filter_map(|owner| owner.get("uid")?.as_str())
        .any(|uid| uids.iter().any(|known| known == uid))
}

/// The book that holds an object, where one does.
pub(crate) fn held_by(item: &Value) -> Option<String> {
    let note: Value = serde_json::from_str(item.pointer(HELD)?.as_str()?).ok()?;
    note.get("book")?.as_str().map(ToOwned::to_owned)
}
