//! Dead properties: what clients keep about a file and the server only hands back (RFC 4918 §4).

use crate::{Error, Result};

/// Longest value of one property, in bytes.
pub const MAX_PROPERTY: usize = 64 * 1024;

/// Longest name of one property, its namespace included, in bytes.
pub const MAX_PROPERTY_NAME: usize = 1024;

/// Most properties of one file or folder.
pub const MAX_PROPERTIES: u64 = 256;

/// Most bytes of values that one file or folder has.
pub const MAX_PROPERTY_BYTES: u64 = 256 * 1024;

/// Most properties that one home has.
pub const MAX_HOME_PROPERTIES: u64 = 1_000_000;

/// Most bytes of values that one home has.
pub const MAX_HOME_PROPERTY_BYTES: u64 = 256 * 1024 * 1024;

/// What a property is called: a local name in a namespace, which may be none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyName {
    /// The namespace; empty for none.
    pub space: Box<str>,
    /// The local name.
    pub local: Box<str>,
}

impl PropertyName {
    /// The name `local` in the namespace `space`.
    #[must_use]
    pub fn new(space: &str, local: &str) -> Self {
        Self { space: space.into(), local: local.into() }
    }
}

/// A property with its value, which means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// What it is called.
    pub name: PropertyName,
    /// Its value as it was set.
    pub value: Box<str>,
}

/// A change of a file's or folder's properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyChange {
    /// It has this value from now on.
    Set(Property),
    /// It is no longer there.
    Remove(PropertyName),
}

impl PropertyChange {
    /// Refuses what is longer than anything may be.
    pub(super) fn check(&self) -> Result<()> {
        let (name, value) = match self {
            Self::Set(property) => (&property.name, property.value.len()),
            Self::Remove(name) => (name, 0),
        };
        if name.space.len() + name.local.len() > MAX_PROPERTY_NAME {
            return Err(Error::TooManyMarks { what: "the property's name is too long" });
        }
        if value > MAX_PROPERTY {
            return Err(Error::TooManyMarks { what: "the property's value is too long" });
        }
        Ok(())
    }
}
