//! Paths and queries of URLs: escaped once, by the rules that the servers' own tools follow.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a path segment as it is; the same as Go's `url.PathEscape`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b':')
    .remove(b'=')
    .remove(b'@');

/// What may stand in a query as it is; the same as Go's `url.QueryEscape`, which makes a space a `+`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

/// An escaped, absolute path.
///
/// ```
/// use runhub::cluster::path::Path;
///
/// let path = Path::of("/api/v1/namespaces").push("a b").unwrap();
/// assert_eq!(path.as_str(), "/api/v1/namespaces/a%20b");
/// assert!(Path::of("/api/v1/namespaces").push("..").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(String);

/// A text that cannot be a segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A name is missing.
    #[error("a name in the path is empty")]
    Empty,
    /// The segment would climb or vanish.
    #[error("`{0}` cannot be a name in a path")]
    Dots(String),
    /// The segment holds a control character.
    #[error("a name in the path holds a control character: {0:?}")]
    Control(String),
    /// An object of a namespaced kind was named without its namespace.
    #[error("a {0} needs a namespace")]
    NoNamespace(String),
    /// A namespace was given to a kind that has none.
    #[error("a {0} is in no namespace")]
    Namespaced(String),
}

impl Path {
    /// A path that is written in the program.
    pub fn of(literal: &'static str) -> Self {
        Self(literal.trim_end_matches('/').to_owned())
    }

    /// Reads a path from outside, segment by segment; unescaped.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.strip_prefix('/').unwrap_or(text);
        text.split('/').try_fold(Self::default(), Self::push)
    }

    /// Adds one segment, escaped.
    pub fn push(mut self, segment: &str) -> Result<Self, PathError> {
        if segment.is_empty() {
            return Err(PathError::Empty);
        }
        if segment == "." || segment == ".." {
            return Err(PathError::Dots(segment.to_owned()));
        }
        if segment.chars().any(char::is_control) {
            return Err(PathError::Control(segment.to_owned()));
        }
        self.0.push('/');
        self.0.extend(utf8_percent_encode(segment, SEGMENT));
        Ok(self)
    }

    /// Adds words that are written in the program.
    #[must_use]
    pub(super) fn plus(mut self, literal: &'static str) -> Self {
        self.0.push('/');
        self.0.push_str(literal);
        self
    }

    /// The escaped text, beginning with `/`; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Parameters of a query; sorted by name when written, as the servers' own tools do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Adds a parameter; a name may come several times.
    pub fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    /// Puts a parameter in the place of all of its name.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.retain(|(known, _)| *known != name);
        self.add(name, value);
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The query with its `?`; empty where there is no parameter.
    pub fn text(&self) -> String {
        let mut pairs: Vec<&(&str, String)> = self.0.iter().collect();
        pairs.sort_by_key(|(name, _)| *name);
        let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        if joined.is_empty() { String::new() } else { format!("?{}", joined.join("&")) }
    }
}

fn escaped(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn segments_are_escaped_as_go_does() {
        for (plain, escaped) in [
            ("web-1.x_y~z", "/web-1.x_y~z"),
            ("root:org:team", "/root:org:team"),
            ("$&+=@", "/$&+=@"),
            ("a/b;c,d?e", "/a%2Fb%3Bc%2Cd%3Fe"),
            ("é %#\"", "/%C3%A9%20%25%23%22"),
        ] {
            assert_eq!(Path::default().push(plain).unwrap().as_str(), escaped);
        }
    }

    #[test]
    fn a_segment_that_would_move_the_path_is_refused() {
        assert_eq!(Path::default().push(""), Err(PathError::Empty));
        assert!(matches!(Path::default().push(".."), Err(PathError::Dots(_))));
        assert!(matches!(Path::default().push("."), Err(PathError::Dots(_))));
        assert!(matches!(Path::default().push("a\nb"), Err(PathError::Control(_))));
        assert!(Path::parse("/capi//x").is_err());
        assert_eq!(Path::parse("/capi/app/detail").unwrap().as_str(), "/capi/app/detail");
    }

    #[test]
    fn a_query_is_sorted_and_escaped_as_go_does() {
        let mut query = Query::default();
        query.add("page", "1");
        query.add("labelSelector", "app=shop,tier!=web x");
        query.set("page", "2");
        assert_eq!(query.text(), "?labelSelector=app%3Dshop%2Ctier%21%3Dweb+x&page=2");
        assert_eq!(Query::default().text(), "");
    }

    proptest! {
        #[test]
        fn whatever_is_pushed_stays_one_segment(text in "\\PC{1,40}") {
            if let Ok(path) = Path::of("/api").push(&text) {
                prop_assert_eq!(path.as_str().matches('/').count(), 2);
                prop_assert!(!path.as_str().contains(['?', '#', ' ']));
                let back = percent_encoding::percent_decode_str(path.as_str().rsplit('/').next().unwrap()).decode_utf8().unwrap().into_owned();
                prop_assert_eq!(back, text);
            }
        }
    }
}
