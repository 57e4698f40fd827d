//! Which keys the objects of an image have, and under which address the document names them.

use std::fmt;

use serde::Serialize;

use crate::Failure;

/// How many hex digits an id has: those of a SHA-1.
const DIGITS: usize = 40;

/// How many of them are steps of the path.
const STEPS: usize = 6;

/// The id of an image: the SHA-1 of its original file, in small hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageId(String);

impl ImageId {
    /// Takes an id.
    ///
    /// *Errors*: [`Failure::MalformedId`] where it is not 40 small hex digits.
    pub fn new(id: &str) -> Result<Self, Failure> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if id.len() == DIGITS && id.bytes().all(is_digit) {
            Ok(Self(id.to_owned()))
        } else {
            Err(Failure::MalformedId { id: id.to_owned() })
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the original in the image bucket, and of the thumbnail in its own.
    pub fn key(&self) -> String {
        let steps: String = self.0.chars().take(STEPS).flat_map(|digit| [digit, '/']).collect();
        format!("{steps}{}", self.0)
    }

    /// The key of the optimised PNG in the image bucket.
    pub fn optimised_key(&self) -> String {
        format!("optimised/{}", self.key())
    }

    /// What the keys of its crops in the publishing bucket begin with.
    pub fn crops_prefix(&self) -> String {
        format!("{}/", self.0)
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address by which a document names an object of a bucket.
pub fn address(bucket: &str, endpoint: &str, key: &str) -> String {
    format!("http://{bucket}.{endpoint}/{key}")
}
