//! Which keys are masters, and what is made under which key. Decided by the name alone.

use reindex_guest::{Invalid, Outcome};

/// How the name of an image ends, in any case.
pub const ENDINGS: [&str; 11] =
    [".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".heic", ".bmp", ".pdf", ".eps"];

/// The longest key of an object, in bytes.
const MAX_KEY_BYTES: usize = 1024;

/// A master image by its key: `<path><stem><ending>`, where the path is everything up to the last `/`.
#[derive(Debug, Clone, PartialEq)]
pub struct Master {
    /// The whole key.
    pub key: String,
    /// How many bytes of it the ending takes.
    ending: usize,
}

impl Master {
    /// Takes a key whose name is that of an image.
    ///
    /// *Errors*: [`Outcome::Skip`] for any other, with the reason.
    pub fn of(key: &str) -> Result<Self, Outcome> {
        let name = key.rsplit('/').next().unwrap_or_default();
        if name.starts_with('.') {
            return Err(Outcome::Skip("its name begins with a dot".to_owned()));
        }
        let ending = ENDINGS.iter().find(|ending| ends_with(name, ending));
        let other = || Outcome::Skip(format!("its name ends in none of {}", ENDINGS.join(" ")));
        Ok(Self { key: key.to_owned(), ending: ending.ok_or_else(other)?.len() })
    }

    /// Its ending as it is written there, such as `.JPG`.
    pub fn ending(&self) -> &str {
        &self.key[self.key.len() - self.ending..]
    }

    /// Path and stem.
    pub fn base(&self) -> &str {
        &self.key[..self.key.len() - self.ending]
    }

    /// Whether it is a document whose first page is taken.
    pub fn is_pdf(&self) -> bool {
        self.ending().eq_ignore_ascii_case(".pdf")
    }

    /// The key of its TIFF: `<path><stem>.tif`, or `<path><stem><ending>.tif` where the whole name is kept.
    ///
    /// *Errors*: it would be too long.
    pub fn output(&self, whole_name: bool) -> Result<String, Invalid> {
        let output = format!("{}.tif", if whole_name { &self.key } else { self.base() });
        match output.len() {
            ..=MAX_KEY_BYTES => Ok(output),
            bytes => Err(Invalid::new(format!("the key of its TIFF has {bytes} bytes, more than {MAX_KEY_BYTES}"))),
        }
    }

    /// The key of the copy of a document: `<path><stem>.pdf`, or its own where the whole name is kept.
    pub fn copy(&self, whole_name: bool) -> String {
        if whole_name { self.key.clone() } else { format!("{}.pdf", self.base()) }
    }

    /// Whether another key is that of an image of the same path and stem.
    pub fn shares_stem_with(&self, key: &str) -> bool {
        key.strip_prefix(self.base())
            .is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
    }

    /// Every key of an image of the same path and stem, whether there is one or not.
    pub fn namesakes(&self) -> impl Iterator<Item = String> {
        ENDINGS.iter().flat_map(|ending| spellings(ending)).map(|ending| format!("{}{ending}", self.base()))
    }
}

fn ends_with(name: &str, ending: &str) -> bool {
    let (name, ending) = (name.as_bytes(), ending.as_bytes());
    name.len() > ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending)
}

/// An ending in small letters, in each way to write some of them large.
fn spellings(ending: &str) -> impl Iterator<Item = String> {
    let spelling = move |large: u32| {
        let letter =
            |(n, letter): (usize, char)| if large >> n & 1 == 1 { letter.to_ascii_uppercase() } else { letter };
        format!(".{}", ending.chars().skip(1).enumerate().map(letter).collect::<String>())
    };
    (0..1 << (ending.len() - 1)).map(spelling)
}
