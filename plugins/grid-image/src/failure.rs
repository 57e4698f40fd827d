//! Why an image has no projection.

use std::fmt;

/// Why an image has no projection. Only [`Failure::Store`] may go away when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The id is not 40 small hex digits.
    MalformedId {
        /// What was asked for.
        id: String,
    },
    /// The image bucket has no object of the image. Nothing else was tried.
    NotFound {
        /// The key that was looked for.
        key: String,
    },
    /// What was noted down with the original cannot be read.
    Upload {
        /// The name of the entry, as it is stored.
        name: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// The file is none of the types that have projections.
    UnsupportedType {
        /// Its type, as far as it is known: a media type or `unknown`.
        found: String,
    },
    /// The metadata of the file could not be read at all.
    Unreadable {
        /// What the reader said.
        reason: String,
    },
    /// It could not be found out what the colours of the file are.
    ColourModel {
        /// What was said instead.
        reason: String,
    },
    /// A stored thumbnail or PNG is of a type that has no place in a document.
    Derived {
        /// Which: `thumbnail` or `optimised PNG`.
        which: &'static str,
        /// Its type.
        found: String,
    },
    /// Another store did not answer, or with something else than a record or "not found".
    Store {
        /// The store.
        store: &'static str,
        /// Its message.
        reason: String,
    },
    /// A record of another store does not have the shape that it must have.
    Record {
        /// The store.
        store: &'static str,
        /// Where in the record, such as `metadata.keywords[2]`; empty for the whole of it.
        key: String,
        /// What should be there, and what is.
        problem: String,
    },
}

impl Failure {
    /// Whether the same image may succeed later without a change to its own data.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store { .. })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::MalformedId { id } => {
                write!(f, "`{id}` is no id of an image; hint: an id is the SHA-1 of the file, in 40 small hex digits")
            }
            Self::NotFound { key } => write!(f, "not found: the image bucket has no object `{key}`"),
            Self::Upload { name, problem } => {
                write!(f, "the original's user metadata `{name}` {problem}; hint: correct it at the object")
            }
            Self::UnsupportedType { found } => {
                write!(f, "unsupported type {found}; hint: JPEG, PNG and TIFF have projections, camera raw has none")
            }
            Self::Unreadable { reason } => write!(f, "File format could not be determined: {reason}"),
            Self::ColourModel { reason } => write!(f, "the colour model could not be identified: {reason}"),
            Self::Derived { which, found } => {
                write!(f, "the stored {which} is {found}; hint: delete it, and it is made anew")
            }
            Self::Store { store, reason } => {
                write!(f, "{store} did not answer: {reason}; hint: retry once the store is well")
            }
            Self::Record { store, key, problem } if key.is_empty() => {
                write!(f, "{store}: the record {problem}; hint: correct the record in the store")
            }
            Self::Record { store, key, problem } => {
                write!(f, "{store}: {key} {problem}; hint: correct the record in the store")
            }
        }
    }
}

impl std::error::Error for Failure {}
