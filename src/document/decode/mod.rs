//! From a tree to a type, all mistakes at once.
//!
//! serde stops at the first error; this deserializer does not. It finds
//! unknown keys from the list of fields, reports a wrong leaf at its place and
//! feeds a placeholder so that the walk goes on, and in [`Mode::Holes`] lets a
//! template stand for any leaf. A value comes back only when nothing was wrong.
//!
//! Three kinds of types speak with it beyond serde's own words, each through a
//! newtype with a name of its own: leaves ([`super::leaf()`]), short and long
//! forms ([`super::OneOf`]), and values that may not be templates ([`super::Literal`]).

mod access;

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, Visitor};

use self::access::{Fields, Items, LeafAccess, OneOfAccess};
use super::leaf::{LEAF, LITERAL, ONE_OF};
use super::node::{Kind, Node, Scalar};
use super::typing::Plain;
use crate::source::{Diagnostic, nearest};

/// Whether the templates of a tree are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Not yet: a scalar that holds a template satisfies any leaf.
    Holes,
    /// Yes: every value is itself.
    Whole,
}

/// Reads a tree as a type; what is wrong goes to `out`, and then there is no value.
pub fn decode<T: DeserializeOwned>(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<T> {
    let before = out.iter().filter(|complaint| complaint.is_error()).count();
    let complaints = RefCell::new(std::mem::take(out));
    let read = T::deserialize(Reader { node, mode, key: None, out: &complaints });
    *out = complaints.into_inner();
    match read {
        Ok(value) if out.iter().filter(|complaint| complaint.is_error()).count() == before => Some(value),
        Ok(_) | Err(Stop::Said) => None,
        Err(Stop::Words(words)) => {
            out.push(Diagnostic::error(words, node.span));
            None
        }
    }
}

/// Why a reading cannot go on.
#[derive(Debug)]
enum Stop {
    /// It was reported already.
    Said,
    /// serde's own words, without a place yet.
    Words(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said => formatter.write_str("a mistake"),
            Self::Words(words) => formatter.write_str(words),
        }
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::Words(words.to_string().replace("missing field", "missing key"))
    }
}

/// A node about to become a value.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    mode: Mode,
    /// The key that leads here, for messages.
    key: Option<&'a str>,
    out: &'a RefCell<Vec<Diagnostic>>,
}

impl Reader<'_> {
    fn complain(&self, complaint: Diagnostic) {
        self.out.borrow_mut().push(complaint);
    }

    fn wrong(&self, expected: &str) {
        let subject = self.key.map_or_else(|| "this".to_owned(), |key| format!("`{key}`"));
        let mut complaint =
            Diagnostic::error(format!("{subject} takes {expected}, not {}", self.node.describe()), self.node.span);
        if let Some(scalar) = self.node.scalar() {
            if let Some(template) = &scalar.template {
                complaint = complaint.label(format!("from `{template}`"));
            }
            complaint = quoting(scalar, expected, complaint, self.node);
        }
        self.complain(complaint);
    }

    fn is_hole(&self) -> bool {
        self.mode == Mode::Holes && self.node.is_template()
    }

    /// The scalar, unless it is a hole; a complaint and nothing where there is none.
    fn plain(&self, expected: &str) -> Option<Plain> {
        if self.is_hole() {
            return None;
        }
        let found = self.node.scalar().map(Scalar::resolve);
        if found.is_none() {
            self.wrong(expected);
        }
        found
    }

    fn integer(&self) -> i128 {
        match self.plain("a whole number") {
            Some(Plain::Integer(value)) => value,
            Some(_) => {
                self.wrong("a whole number");
                0
            }
            None => 0,
        }
    }

    /// Gives serde's own words a place.
    fn placed<T>(&self, read: Result<T, Stop>) -> Result<T, Stop> {
        read.map_err(|stop| {
            if let Stop::Words(words) = stop {
                let words = match self.key {
                    Some(key) if !words.contains(key) => format!("`{key}`: {words}"),
                    _ => words,
                };
                self.complain(Diagnostic::error(words, self.node.span));
            }
            Stop::Said
        })
    }

    fn unsigned<T: TryFrom<i128> + Default>(&self, expected: &str) -> T {
        let value = self.integer();
        T::try_from(value).unwrap_or_else(|_| {
            self.wrong(expected);
            T::default()
        })
    }
}

/// A number in quotes, or a look-alike of another type: say which quotes to add or drop.
fn quoting(scalar: &Scalar, expected: &str, complaint: Diagnostic, node: &Node) -> Diagnostic {
    if expected.starts_with("text") && scalar.template.is_none() {
        return complaint.help("put it in quotes to make it text").patch(node.span, format!("\"{}\"", scalar.text));
    }
    let bare = Scalar::plain(scalar.text.clone());
    let fits = match bare.resolve() {
        Plain::Integer(_) | Plain::Float(_) => expected.contains("number"),
        Plain::Bool(_) => expected.contains("true"),
        Plain::Null | Plain::Text => false,
    };
    if fits && scalar.resolve() == Plain::Text && scalar.template.is_none() {
        return complaint.help("without the quotes it would be").patch(node.span, scalar.text.clone());
    }
    complaint
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            let value: $type = self.unsigned($expected);
            self.placed(visitor.$visit(value))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let read = match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Sequence(_) => return self.deserialize_seq(visitor),
            Kind::Mapping(_) => return self.deserialize_map(visitor),
            Kind::Scalar(scalar) => match scalar.resolve() {
                Plain::Null => visitor.visit_unit(),
                Plain::Bool(value) => visitor.visit_bool(value),
                Plain::Integer(value) => match (i64::try_from(value), u64::try_from(value)) {
                    (Ok(value), _) => visitor.visit_i64(value),
                    (_, Ok(value)) => visitor.visit_u64(value),
                    _ => visitor.visit_str(&scalar.text),
                },
                Plain::Float(value) => visitor.visit_f64(value),
                Plain::Text => visitor.visit_str(&scalar.text),
            },
        };
        self.placed(read)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let value = match self.plain("true or false") {
            Some(Plain::Bool(value)) => value,
            Some(_) => {
                self.wrong("true or false");
                false
            }
            None => false,
        };
        self.placed(visitor.visit_bool(value))
    }

    integers! {
        deserialize_i8 visit_i8 i8, "a small whole number";
        deserialize_i16 visit_i16 i16, "a small whole number";
        deserialize_i32 visit_i32 i32, "a whole number of at most 2147483647";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number from 0 on";
        deserialize_u64 visit_u64 u64, "a whole number from 0 on";
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let value = match self.plain("a number") {
            #[expect(clippy::cast_precision_loss, reason = "the field asked for a float")]
            Some(Plain::Integer(value)) => value as f64,
            Some(Plain::Float(value)) => value,
            Some(_) => {
                self.wrong("a number");
                0.0
            }
            None => 0.0,
        };
        self.placed(visitor.visit_f64(value))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let text = match (self.plain("text"), self.node.as_text()) {
            (None, Some(hole)) => hole,
            (Some(Plain::Text), Some(text)) => text,
            (Some(_), _) => {
                self.wrong("text");
                ""
            }
            (None, None) => "",
        };
        self.placed(visitor.visit_str(text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let nothing = matches!(self.node.kind, Kind::Null)
            || self.node.scalar().is_some_and(|scalar| scalar.resolve() == Plain::Null);
        if nothing { self.placed(visitor.visit_none()) } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if !matches!(self.node.kind, Kind::Null) {
            self.wrong("nothing");
        }
        self.placed(visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        match name {
            LEAF => {
                let expected = format!("{}", &visitor as &dyn Expected);
                visitor.visit_seq(LeafAccess { reader: self, expected, told: false })
            }
            ONE_OF => visitor.visit_seq(OneOfAccess { reader: self, asked: false }),
            LITERAL => {
                if self.mode == Mode::Holes
                    && let Some(place) = first_template(self.node)
                {
                    let subject = self.key.map_or_else(|| "this".to_owned(), |key| format!("`{key}`"));
                    self.complain(Diagnostic::error(
                        format!("{subject} is read before anything runs and cannot be a template"),
                        place.span,
                    ));
                }
                visitor.visit_newtype_struct(Reader { mode: Mode::Whole, ..self })
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if !matches!(self.node.kind, Kind::Sequence(_)) && !self.is_hole() {
            self.wrong("a list");
        }
        visitor.visit_seq(Items { reader: self, items: self.node.items().iter() })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Stop> {
        let read = visitor.visit_seq(Items { reader: self, items: self.node.items().iter() });
        self.placed(read)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if !matches!(self.node.kind, Kind::Mapping(_)) && !self.is_hole() {
            self.wrong("a mapping");
        }
        let read =
            visitor.visit_map(Fields { reader: self, entries: self.node.entries().iter(), known: None, value: None });
        self.placed(read)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if !matches!(self.node.kind, Kind::Mapping(_) | Kind::Null) {
            let keys = fields.iter().take(6).map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
            self.wrong(&format!("a mapping (with {keys})"));
            return Err(Stop::Said);
        }
        let read = visitor.visit_map(Fields {
            reader: self,
            entries: self.node.entries().iter(),
            known: Some(fields),
            value: None,
        });
        self.placed(read)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let chosen = match self.node.as_text() {
            Some(text) if variants.contains(&text) => text,
            _ => {
                if !self.is_hole() {
                    self.not_a_variant(variants);
                }
                variants.first().copied().unwrap_or_default()
            }
        };
        self.placed(visitor.visit_enum(chosen.into_deserializer()))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }
}

impl Reader<'_> {
    fn not_a_variant(&self, variants: &[&str]) {
        let subject = self.key.map_or_else(|| "this".to_owned(), |key| format!("`{key}`"));
        let complaint = Diagnostic::error(
            format!("{subject} takes one of {}, not {}", variants.join(", "), self.node.describe()),
            self.node.span,
        );
        let near = self.node.as_text().and_then(|text| nearest(text, variants.iter().copied()));
        self.complain(match near {
            Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(self.node.span, near),
            None => complaint,
        });
    }
}

fn first_template(node: &Node) -> Option<&Node> {
    if node.is_template() {
        return Some(node);
    }
    node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)).find_map(first_template)
}
