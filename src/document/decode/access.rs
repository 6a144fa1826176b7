//! What serde's visitors are handed: the parts of a list, a mapping, a leaf.

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::{Reader, Stop};
use crate::document::leaf::{LIST, MAPPING, SCALAR};
use crate::document::node::{Entry, Kind, Node};
use crate::source::{Diagnostic, nearest};

/// The items of a list.
pub(super) struct Items<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        let Some(node) = self.items.next() else {
            return Ok(None);
        };
        seed.deserialize(Reader { node, ..self.reader }).map(Some)
    }
}

/// The keys of a mapping with their values; of a struct only those it knows.
pub(super) struct Fields<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) entries: std::slice::Iter<'a, Entry>,
    pub(super) known: Option<&'static [&'static str]>,
    pub(super) value: Option<&'a Entry>,
}

impl Fields<'_> {
    fn unknown(&self, entry: &Entry, known: &[&str]) {
        let complaint = Diagnostic::error(format!("unknown key `{}`", entry.key.text), entry.key.span);
        self.reader.complain(match nearest(&entry.key.text, known.iter().copied()) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(entry.key.span, near),
            None if known.is_empty() => complaint.help("there are no keys here"),
            None => complaint.help(format!("the keys here are: {}", known.join(", "))),
        });
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        while let Some(entry) = self.entries.next() {
            if let Some(known) = self.known
                && !known.contains(&entry.key.text.as_str())
            {
                self.unknown(entry, known);
                continue;
            }
            self.value = Some(entry);
            return seed.deserialize(entry.key.text.as_str().into_deserializer()).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let Some(entry) = self.value.take() else {
            return Err(Stop::Words("a value without a key".into()));
        };
        seed.deserialize(Reader { node: &entry.value, key: Some(&entry.key.text), ..self.reader })
    }
}

/// What a leaf sees: first its text, or nothing where a placeholder will do; then it may complain.
pub(super) struct LeafAccess<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) expected: String,
    pub(super) told: bool,
}

impl<'de> SeqAccess<'de> for LeafAccess<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.told {
            // The leaf hands its complaint over by failing to read anything.
            if let Err(Stop::Words(reason)) = seed.deserialize(().into_deserializer()) {
                self.complain(&reason);
            }
            return Ok(None);
        }
        self.told = true;
        let text = self.reader.node.as_text().filter(|_| !self.reader.is_hole());
        if text.is_none() && !self.reader.is_hole() {
            self.reader.wrong(&self.expected);
        }
        seed.deserialize(Text(text)).map(Some)
    }
}

impl LeafAccess<'_> {
    fn complain(&self, reason: &str) {
        let subject = self.reader.key.map_or_else(|| "this".to_owned(), |key| format!("`{key}`"));
        let text = self.reader.node.describe();
        self.reader.complain(
            Diagnostic::error(format!("{subject} takes {}, not {text}", self.expected), self.reader.node.span)
                .help(reason),
        );
    }
}

/// A text or nothing.
struct Text<'a>(Option<&'a str>);

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.0 {
            Some(text) => visitor.visit_some(<&str as IntoDeserializer<'_, Stop>>::into_deserializer(text)),
            None => visitor.visit_none(),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What a form of several shapes sees: first its shape, then itself.
pub(super) struct OneOfAccess<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) asked: bool,
}

impl<'de> SeqAccess<'de> for OneOfAccess<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.asked {
            return seed.deserialize(self.reader).map(Some);
        }
        self.asked = true;
        let shape = match self.reader.node.kind {
            Kind::Null | Kind::Scalar(_) => SCALAR,
            Kind::Sequence(_) => LIST,
            Kind::Mapping(_) => MAPPING,
        };
        seed.deserialize(shape.into_deserializer()).map(Some)
    }
}
