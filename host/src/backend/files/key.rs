//! From an object's key to the path of its file, and back.
//!
//! A key's parts between slashes are directories and a file of the same names, so that files which users put there by
//! hand are found. A part that a file system would interpret (`..`, an empty one, a control character) is written with
//! `%XX`, and so is a percent sign at the start of such a sequence: no key leaves the directory, and no two keys share
//! a file.

use std::ffi::OsStr;

use crate::error::{Error, Result};

/// The longest key, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 1024;

/// The longest name of a file, in bytes, on every usual file system.
const MAX_NAME_BYTES: usize = 255;

/// The directory in which objects are written before they get their name; no key maps to it.
pub(super) const UNFINISHED: &str = "%unfinished";

/// The path of a key's file below the bucket's directory: the names of the directories, and that of the file.
pub(super) fn names(key: &str) -> Result<Vec<String>> {
    let refuse = |reason: String| {
        let shown: String = key.chars().take(80).collect();
        Err(Error::usage(format!("the object's key {reason}")).with("key", shown))
    };
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return refuse(format!("has {} bytes, not 1 to {MAX_KEY_BYTES}", key.len()));
    }
    let names: Vec<_> = key.split('/').map(name).collect();
    if names.iter().any(|name| name.len() > MAX_NAME_BYTES) {
        return refuse(format!("has a part longer than the {MAX_NAME_BYTES} bytes a file's name may have"));
    }
    Ok(names)
}

/// The name of a file or directory for a part of a key.
fn name(part: &str) -> String {
    match part {
        "" => "%".to_owned(),
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        "%" | "%2E" | "%2E%2E" | UNFINISHED => format!("%25{}", &part[1..]),
        _ => part.char_indices().fold(String::with_capacity(part.len()), |mut name, (at, c)| {
            if c.is_control() || c == '\\' || c == '%' && escaped(&part[at + 1..]).is_some() {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
            } else {
                name.push(c);
            }
            name
        }),
    }
}

/// Decodes the sequence after a percent sign: its character, and its length in bytes; none if the percent sign is
/// literal.
fn escaped(rest: &str) -> Option<(char, usize)> {
    // Control characters beyond ASCII are two bytes in UTF-8.
    let (digits, length, range) = match rest.strip_prefix("C2%") {
        Some(second) => (second.get(..2)?, 5, 0x80..=0x9F),
        None => (rest.get(..2)?, 2, 0..=0x7F),
    };
    let byte = u8::from_str_radix(digits, 16).ok().filter(|byte| range.contains(byte))?;
    let is_meant = char::from(byte).is_control() || matches!(byte, b'%' | b'\\');
    (is_meant && format!("{byte:02X}") == digits).then_some((byte.into(), length))
}

/// The part of a key for a name; none for a name that this module would not have made.
pub(super) fn part(found: &str) -> Option<String> {
    let part = match found {
        "%" => String::new(),
        "%2E" => ".".to_owned(),
        "%2E%2E" => "..".to_owned(),
        _ => decoded(found),
    };
    (name(&part) == found).then_some(part)
}

fn decoded(found: &str) -> String {
    let (mut part, mut rest) = (String::with_capacity(found.len()), found);
    while let Some((before, behind)) = rest.split_once('%') {
        let (meant, length) = escaped(behind).unwrap_or(('%', 0));
        part.push_str(before);
        part.push(meant);
        rest = &behind[length..];
    }
    part + rest
}

/// Why the name of a file or directory is no part of a key; none if it is one.
pub(super) fn flaw(found: &OsStr) -> Option<&'static str> {
    let Some(name) = found.to_str() else { return Some("its name is not UTF-8") };
    if part(name).is_some() {
        None
    } else if name.contains('\\') {
        Some("its name has a backslash")
    } else if name.contains(char::is_control) {
        Some("its name has a line feed or another control character")
    } else {
        Some("its name has a `%` with digits that mean a character no name of a file has here")
    }
}

/// The name of a file or directory for display, on one line.
pub(super) fn shown(found: &OsStr) -> String {
    match found.to_str() {
        Some(name) => {
            name.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() }).collect()
        }
        None => found.as_encoded_bytes().escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_key_is_its_own_path() {
        assert_eq!(names("a b/ü/x.tif").unwrap(), ["a b", "ü", "x.tif"]);
    }

    #[test]
    fn a_percent_sign_is_itself_unless_it_would_begin_an_escape() {
        for own in ["100% cotton.tif", "a%20b.tif", "%", "%%.tif", "50%.tif", "caf%C3%A9.tif", "%C2%A3%E2%80%99", "%0a"]
        {
            let names = if own == "%" { "%25" } else { own };
            assert_eq!((name(own).as_str(), part(names).as_deref()), (names, Some(own)));
        }
        assert_eq!(name("a%25.tif"), "a%2525.tif");
        assert_eq!([part("a%25.tif"), part(UNFINISHED)], [None, None]);
    }

    #[test]
    fn a_name_that_stands_for_no_key_has_a_reason_and_is_shown_on_one_line() {
        use std::os::unix::ffi::OsStrExt as _;
        let cases: [(&[u8], _, _); 6] = [
            (b"a b%.tif", None, "a b%.tif"),
            (b".x", None, ".x"),
            (b"a%25.tif", Some("`%`"), "a%25.tif"),
            (b"a\n.tif", Some("line feed"), "a\\n.tif"),
            (b"a\\b.tif", Some("backslash"), "a\\b.tif"),
            (b"a\xFF.tif", Some("not UTF-8"), "a\\xff.tif"),
        ];
        for (name, reason, seen) in cases {
            let name = OsStr::from_bytes(name);
            let found = flaw(name);
            assert!(
                found.is_some() == reason.is_some() && found.unwrap_or("").contains(reason.unwrap_or("")),
                "{name:?}"
            );
            assert_eq!(shown(name), seen);
        }
    }

    #[test]
    fn a_key_too_long_for_a_file_is_refused() {
        assert!(names("").is_err());
        assert!(names(&"a".repeat(256)).is_err());
        assert!(names(&"a/".repeat(513)).is_err());
        assert!(names(&"a/".repeat(512)).is_ok());
    }

    proptest! {
        #[test]
        fn no_key_leaves_the_directory_and_every_key_is_found_again(key in "[./%\\\\\u{0}-\u{3}\u{80}\u{9f}0259CEaZ\u{e4}]{1,30}") {
            let names = names(&key).unwrap();
            prop_assert!(!names.iter().any(|name| name == ".." || name == "." || name.is_empty() || name.contains('/')));
            let parts: Vec<_> = names.iter().map(|name| part(name).unwrap()).collect();
            prop_assert_eq!(parts.join("/"), key);
        }

        #[test]
        fn a_name_stands_for_one_part_alone_or_for_none(found in "(\\PC|[%0259CE]){0,12}") {
            if let Some(part) = part(&found) {
                prop_assert_eq!(name(&part), found);
            }
        }
    }
}
