//! Texts with a meaning, short and long forms, and values that are never templates.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

pub(super) const LEAF: &str = "runhub::Leaf";
pub(super) const ONE_OF: &str = "runhub::OneOf";
pub(super) const LITERAL: &str = "runhub::Literal";

/// The shapes that a form of several shapes is told of.
pub(super) const SCALAR: u8 = 0;
pub(super) const LIST: u8 = 1;
pub(super) const MAPPING: u8 = 2;

/// Reads a leaf: a text with a meaning.
///
/// From a document a wrong text is reported at its place and `placeholder`
/// stands in, so that the walk goes on; from anywhere else (a journal) it is
/// an error. `parse` gives the reason as advice: `write 30s`.
///
/// # Errors
/// When the text, from elsewhere than a document, has no such meaning.
pub fn leaf<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
    placeholder: impl FnOnce() -> T,
) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(LEAF, LeafVisitor { expected, parse, placeholder, leaf: PhantomData })
}

struct LeafVisitor<T, P, H> {
    expected: &'static str,
    parse: P,
    placeholder: H,
    leaf: PhantomData<T>,
}

impl<'de, T, P: FnOnce(&str) -> Result<T, String>, H: FnOnce() -> T> Visitor<'de> for LeafVisitor<T, P, H> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(|reason| E::custom(format!("`{text}` is not {}: {reason}", self.expected)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        self.visit_str(&text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<T, A::Error> {
        let Some(text) = access.next_element::<Option<String>>()?.flatten() else {
            return Ok((self.placeholder)());
        };
        match (self.parse)(&text) {
            Ok(value) => Ok(value),
            Err(reason) => {
                access.next_element_seed(Complaint(reason))?;
                Ok((self.placeholder)())
            }
        }
    }
}

/// A complaint on its way to the reader: reading it fails with its words.
struct Complaint(String);

impl<'de> DeserializeSeed<'de> for Complaint {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        Err(de::Error::custom(self.0))
    }
}

/// A short form (a scalar or a list), or a long one (a mapping).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOf<Short, Long> {
    /// The scalar or list.
    Short(Short),
    /// The mapping, or the other form where both are no mapping.
    Long(Long),
}

impl<'de, Short: Deserialize<'de>, Long: Deserialize<'de>> Deserialize<'de> for OneOf<Short, Long> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ONE_OF, OneOfVisitor(PhantomData))
    }
}

struct OneOfVisitor<Short, Long>(PhantomData<(Short, Long)>);

impl<'de, Short: Deserialize<'de>, Long: Deserialize<'de>> Visitor<'de> for OneOfVisitor<Short, Long> {
    type Value = OneOf<Short, Long>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a short or a long form")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let is_long = access.next_element::<u8>()? == Some(MAPPING);
        let missing = || de::Error::custom("nothing here");
        if is_long {
            access.next_element()?.map(OneOf::Long).ok_or_else(missing)
        } else {
            access.next_element()?.map(OneOf::Short).ok_or_else(missing)
        }
    }
}

impl<Short: Serialize, Long: Serialize> Serialize for OneOf<Short, Long> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Short(short) => short.serialize(serializer),
            Self::Long(long) => long.serialize(serializer),
        }
    }
}

impl<Short: JsonSchema, Long: JsonSchema> JsonSchema for OneOf<Short, Long> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Or{}", Short::schema_name(), Long::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<Short>(), generator.subschema_for::<Long>()]})
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ONE_OF, OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one value or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let is_list = access.next_element::<u8>()? == Some(LIST);
        if is_list {
            return Ok(OneOrMany(access.next_element::<Vec<T>>()?.unwrap_or_default()));
        }
        Ok(OneOrMany(access.next_element::<T>()?.into_iter().collect()))
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<T>(), generator.subschema_for::<Vec<T>>()]})
    }
}

/// A value that is read before anything runs, and so cannot be a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Literal<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Literal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LITERAL, LiteralVisitor(PhantomData))
    }
}

struct LiteralVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LiteralVisitor<T> {
    type Value = Literal<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that is no template")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Literal<T>, D::Error> {
        T::deserialize(deserializer).map(Literal)
    }
}

impl<T: Serialize> Serialize for Literal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Literal<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Gives a leaf type its `Deserialize`, `Serialize` and `JsonSchema`: the type
/// has `parse`, `Display` and `Default`.
macro_rules! leaf_type {
    ($type:ty, $name:literal, $expected:literal, $pattern:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::document::leaf(deserializer, $expected, Self::parse, Self::default)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern: Option<&str> = $pattern;
                match pattern {
                    Some(pattern) => schemars::json_schema!({"type": "string", "description": $expected, "pattern": pattern}),
                    None => schemars::json_schema!({"type": "string", "description": $expected}),
                }
            }
        }
    };
}
pub(super) use leaf_type;
