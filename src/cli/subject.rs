//! What a look is aimed at: `deployment shop/web`, `deployment/web`, `pods`.

use serde_json::{Value, json};

use super::exit::Stop;
use crate::document::{KINDS, KindRow};
use crate::source::nearest;

/// One object, or all of a kind, as the command line names it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// One object of a kind with a word.
    One(&'static KindRow, String),
    /// One object of any other kind.
    Other {
        /// `example.com/v1`.
        api_version: String,
        /// `Widget`.
        kind: String,
        /// `name`, or `namespace/name`.
        name: String,
    },
    /// Every object of a kind.
    All(&'static KindRow),
}

/// The kind of a word: `deployment`, `deployments`, `deploy`, `Deployment`.
pub(super) fn kind(word: &str) -> Option<&'static KindRow> {
    let word = word.to_lowercase();
    KindRow::of_singular(&word).or_else(|| KindRow::of_plural(&word))
}

fn known(word: &str) -> Result<&'static KindRow, Stop> {
    kind(word).ok_or_else(|| {
        let words = KINDS.iter().flat_map(|row| [row.singular, row.plural]);
        let near = nearest(&word.to_lowercase(), words).map(|near| format!("did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| {
            let all: Vec<&str> = KINDS.iter().map(|row| row.singular).collect();
            format!("known are {}; other kinds go with --api-version", all.join(", "))
        });
        Stop::usage(format!("there is no kind `{word}`; {hint}"))
    })
}

/// Reads `KIND`, `KIND,KIND`, `KIND NAME…` or `KIND/NAME…`.
pub(super) fn read(words: &[String], api_version: Option<&str>) -> Result<Vec<Subject>, Stop> {
    let Some((first, names)) = words.split_first() else {
        return Err(Stop::usage("say which kind: runhub get deployment shop/web"));
    };
    if let Some(api_version) = api_version {
        return others(api_version, first, names);
    }
    if first.contains('/') {
        return words.iter().map(|word| slashed(word)).collect();
    }
    if names.is_empty() {
        return first.split(',').map(|word| known(word).map(Subject::All)).collect();
    }
    let kind = known(first)?;
    Ok(names.iter().map(|name| Subject::One(kind, name.clone())).collect())
}

/// `KIND/NAME` or `KIND/NAMESPACE/NAME`.
fn slashed(word: &str) -> Result<Subject, Stop> {
    match word.split_once('/') {
        Some((kind, name)) => Ok(Subject::One(known(kind)?, name.to_owned())),
        None => Err(Stop::usage(format!("`{word}` is no KIND/NAME; with one all must be"))),
    }
}

fn others(api_version: &str, kind: &str, names: &[String]) -> Result<Vec<Subject>, Stop> {
    if names.is_empty() {
        return Err(Stop::usage(
            "with --api-version a name is needed: runhub get --api-version example.com/v1 Widget NAME",
        ));
    }
    let other = |name: &String| Subject::Other {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.clone(),
    };
    Ok(names.iter().map(other).collect())
}

/// Reads the subject of `logs` or `events`: as [`read`], or a bare name of the kind that is usually meant.
pub(super) fn one(words: &[String], usual: &'static str) -> Result<Subject, Stop> {
    match words {
        [kind_word, name] => Ok(Subject::One(known(kind_word)?, name.clone())),
        [word] => match word.split_once('/') {
            Some((first, name)) if kind(first).is_some() => slashed(&format!("{first}/{name}")),
            _ => Ok(Subject::One(known(usual)?, word.clone())),
        },
        _ => Err(Stop::usage("name one object: KIND NAME, KIND/NAME, or a name")),
    }
}

impl Subject {
    /// The target of a step that means this object; none for a whole kind.
    pub(super) fn target(&self, namespace: Option<&str>) -> Result<Option<Value>, Stop> {
        match self {
            Self::All(_) => Ok(None),
            Self::One(kind, name) => {
                agreed(name, namespace.filter(|_| kind.namespaced))?;
                if kind.namespaced && namespace.is_none() && !name.contains('/') {
                    let singular = kind.singular;
                    return Err(Stop::usage(format!(
                        "`{name}` lies in a namespace: write {singular} namespace/{name}, or give --namespace"
                    )));
                }
                Ok(Some(json!({kind.singular: name})))
            }
            Self::Other { api_version, kind, name } => {
                agreed(name, namespace)?;
                let (own, name) = match name.split_once('/') {
                    Some((namespace, name)) => (Some(namespace), name),
                    None => (namespace, name.as_str()),
                };
                Ok(Some(json!({"object": {
                    "api-version": api_version, "kind": kind, "name": name, "namespace": own,
                }})))
            }
        }
    }

    /// The kind, where every object of it is meant.
    pub(super) fn whole(&self) -> Option<&'static KindRow> {
        match self {
            Self::All(kind) => Some(kind),
            Self::One(..) | Self::Other { .. } => None,
        }
    }

    /// The word for its kind.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::One(row, _) | Self::All(row) => row.kind,
            Self::Other { kind, .. } => kind,
        }
    }
}

/// A namespace in the name and another beside it contradict each other.
fn agreed(name: &str, namespace: Option<&str>) -> Result<(), Stop> {
    match (name.split_once('/'), namespace) {
        (Some((own, _)), Some(namespace)) if own != namespace => {
            Err(Stop::usage(format!("the namespace `{own}` of `{name}` contradicts --namespace `{namespace}`")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(words: &[&str]) -> Result<Vec<Subject>, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        read(&words, None).map_err(|stop| stop.message)
    }

    fn row(word: &str) -> &'static KindRow {
        KindRow::of_singular(word).unwrap()
    }

    #[test]
    fn every_way_to_write_a_kind_is_read() {
        for word in ["deployment", "deployments", "deploy", "Deployment"] {
            assert_eq!(subjects(&[word]).unwrap(), [Subject::All(row("deployment"))], "{word}");
        }
        let web = Subject::One(row("deployment"), "shop/web".into());
        assert_eq!(subjects(&["deploy", "shop/web"]).unwrap(), std::slice::from_ref(&web));
        assert_eq!(subjects(&["deploy/shop/web"]).unwrap(), [web]);
        assert_eq!(subjects(&["pod/a", "job/b"]).unwrap().len(), 2);
        assert_eq!(subjects(&["po,svc"]).unwrap(), [Subject::All(row("pod")), Subject::All(row("service"))]);
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        assert!(subjects(&["deployent"]).unwrap_err().contains("did you mean `deployment`?"));
        assert!(subjects(&["widget"]).unwrap_err().contains("--api-version"));
        assert!(subjects(&["pod/a", "b"]).unwrap_err().contains("with one all must be"));
        assert!(subjects(&[]).unwrap_err().contains("which kind"));
    }

    #[test]
    fn a_bare_name_is_of_the_usual_kind() {
        let read_one = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            one(&words, "pod").unwrap()
        };
        assert_eq!(read_one(&["shop/web-1"]), Subject::One(row("pod"), "shop/web-1".into()));
        assert_eq!(read_one(&["deploy/web"]), Subject::One(row("deployment"), "web".into()));
        assert_eq!(read_one(&["job", "shop/x"]), Subject::One(row("job"), "shop/x".into()));
    }

    #[test]
    fn two_namespaces_contradict_each_other() {
        let web = Subject::One(row("pod"), "shop/web".into());
        assert!(web.target(Some("other")).unwrap_err().message.contains("contradicts"));
        assert_eq!(web.target(Some("shop")).unwrap().unwrap(), json!({"pod": "shop/web"}));
        assert_eq!(
            Subject::One(row("node"), "n1".into()).target(Some("shop")).unwrap().unwrap(),
            json!({"node": "n1"})
        );
    }
}
