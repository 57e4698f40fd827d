//! From an object's key to the path of its file, and back.
//!
//! A key's parts between slashes are directories and a file of the same names, so that what people put there by
//! hand is found. A part that a file system would read otherwise (`..`, none at all, a control character, a
//! percent sign) is written with `%XX`: no key leaves the directory, and no two keys share a file.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 1024;

/// The longest name of a file, in bytes, to every usual file system.
const MAX_NAME_BYTES: usize = 255;

/// The file of a key.
pub(super) fn path(root: &Path, key: &str) -> Result<PathBuf> {
    let refuse = |reason: String| {
        let shown: String = key.chars().take(80).collect();
        Err(Error::usage(format!("the object's key {reason}")).with("key", shown))
    };
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return refuse(format!("has {} bytes, not 1 to {MAX_KEY_BYTES}", key.len()));
    }
    let mut path = root.to_owned();
    for part in key.split('/') {
        let name = name(part);
        if name.len() > MAX_NAME_BYTES {
            return refuse(format!("has a part longer than the {MAX_NAME_BYTES} bytes a file's name may have"));
        }
        path.push(name);
    }
    Ok(path)
}

/// The name of a file or directory for a part of a key.
fn name(part: &str) -> String {
    match part {
        "" => "%".to_owned(),
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => part.chars().fold(String::with_capacity(part.len()), |mut name, c| {
            if c.is_control() || matches!(c, '%' | '\\') {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
            } else {
                name.push(c);
            }
            name
        }),
    }
}

/// The part of a key that a name stands for; none for a name this module would not have given.
pub(super) fn part(found: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(found.len());
    let mut rest = if found == "%" { "" } else { found };
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        bytes.push(u8::from_str_radix(rest.get(at + 1..at + 3)?, 16).ok()?);
        rest = &rest[at + 3..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    let part = String::from_utf8(bytes).ok()?;
    (name(&part) == found).then_some(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_key_is_its_own_path() {
        assert_eq!(path(Path::new("r"), "a b/ü/x.tif").unwrap(), Path::new("r/a b/ü/x.tif"));
    }

    #[test]
    fn a_key_too_long_for_a_file_is_refused() {
        assert!(path(Path::new("r"), "").is_err());
        assert!(path(Path::new("r"), &"a".repeat(256)).is_err());
        assert!(path(Path::new("r"), &"a/".repeat(513)).is_err());
        assert!(path(Path::new("r"), &"a/".repeat(512)).is_ok());
    }

    proptest! {
        #[test]
        fn no_key_leaves_the_directory_and_every_key_is_found_again(key in "[./%\\\\\u{0}-\u{3}aZ\u{e4}]{1,30}") {
            let path = path(Path::new("root"), &key).unwrap();
            let names: Vec<_> = path.components().map(|name| name.as_os_str().to_str().unwrap().to_owned()).collect();
            prop_assert!(names[0] == "root" && !names.iter().any(|name| name == ".." || name == "." || name == "/"));
            let parts: Vec<_> = names[1..].iter().map(|name| part(name).unwrap()).collect();
            prop_assert_eq!(parts.join("/"), key);
        }

        #[test]
        fn a_foreign_name_never_panics(name in "\\PC{0,12}") {
            part(&name);
        }
    }
}
