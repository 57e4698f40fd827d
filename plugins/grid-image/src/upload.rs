//! Who uploaded an image, when and under which name: the S3 user metadata of the original.

use std::collections::BTreeMap;

use crate::{Failure, dates::DateTime};

/// The uploader of images that do not say one.
const UNKNOWN_UPLOADER: &str = "re-ingester";

/// What the names of external identifiers begin with.
const IDENTIFIER: &str = "identifier!";

/// What was noted down with the original when it was uploaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When, in UTC.
    pub upload_time: DateTime,
    /// The name of the file.
    pub file_name: Option<String>,
    /// External identifiers by name.
    pub identifiers: BTreeMap<String, String>,
}

impl Upload {
    /// Reads the user metadata of an original, whose upload time defaults to when the object was last modified.
    ///
    /// Old objects have `_` where others have `-`; values are encoded as those of a form.
    ///
    /// *Errors*: [`Failure::Upload`] for a value with a malformed `%` sequence, or an upload time that is no ISO
    /// date-time.
    pub fn read<'a>(
        metadata: impl IntoIterator<Item = (&'a str, &'a str)>,
        last_modified: DateTime,
    ) -> Result<Self, Failure> {
        let mut upload = Self {
            uploaded_by: UNKNOWN_UPLOADER.to_owned(),
            upload_time: last_modified.in_utc(),
            file_name: None,
            identifiers: BTreeMap::new(),
        };
        for (name, value) in metadata {
            let problem = |problem: String| Failure::Upload { name: name.to_owned(), problem };
            let value = decode(value).ok_or_else(|| problem(format!("has a malformed % sequence: `{value}`")))?;
            let name = name.replace('_', "-");
            match name.as_str() {
                "uploaded-by" => upload.uploaded_by = value,
                "file-name" => upload.file_name = Some(value),
                "upload-time" => {
                    let time = DateTime::from_iso(&value);
                    upload.upload_time =
                        time.ok_or_else(|| problem(format!("is no ISO date-time: `{value}`")))?.in_utc();
                }
                _ => {
                    if let Some(identifier) = name.strip_prefix(IDENTIFIER) {
                        upload.identifiers.insert(identifier.to_owned(), value);
                    }
                }
            }
        }
        Ok(upload)
    }
}

/// Decodes the value of a form; invalid UTF-8 becomes U+FFFD. None where a `%` is not followed by two hex digits.
fn decode(value: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&decoded).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| digit.try_into().ok())
}
