//! Walks a directory in the order of its keys.
//!
//! Entries that are no objects have a place in that order as well, so that each entry is listed once, independent of
//! the size of the parts.

use std::{ffi::OsString, io, path::Path};

use rustix::fs::FileType;

use super::{
    directory::{Directory, Entry},
    key::{self, MAX_KEY_BYTES, UNFINISHED},
    object::{described, is_absent},
};
use crate::capability::storage::{Listing, Omitted};

/// Lists a part of the requested keys, and enters only directories that can contain them.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) prefix: String,
    pub(super) after: String,
    /// How many entries are listed, at least 1.
    pub(super) limit: usize,
    pub(super) listing: Listing,
    /// The place of the last listed entry.
    pub(super) last: String,
}

/// An entry of a directory, with its place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    /// A key; for a directory the prefix of its keys; or the nearest text if the name maps to no key.
    place: String,
    name: OsString,
    is_directory: bool,
    /// Why it is no object, and contains none.
    flaw: Option<&'static str>,
}

impl Walk {
    /// Walks below a bucket's directory; lists nothing if that does not exist.
    pub(super) fn through(mut self, root: &Path) -> io::Result<Listing> {
        match Directory::root(root) {
            Err(error) if is_absent(&error) => {}
            root => drop(self.directory(&root?, "", None)?),
        }
        Ok(self.listing)
    }

    /// Lists the entries of a directory, whose places begin with `above`; if there is a flaw above, none of them is an
    /// object. Returns whether there is room for more.
    fn directory(&mut self, directory: &Directory, above: &str, flaw: Option<&'static str>) -> io::Result<bool> {
        let mut entries: Vec<_> =
            directory.entries()?.into_iter().filter_map(|entry| placed(entry, above, flaw)).collect();
        entries.sort();
        for entry in entries {
            let goes_on = match entry.is_directory {
                true => !self.leads_on(&entry.place) || self.below(directory, &entry)?,
                false => !self.is_asked(&entry.place) || self.file(directory, entry)?,
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn below(&mut self, directory: &Directory, Placed { place, name, flaw, .. }: &Placed) -> io::Result<bool> {
        match directory.enter(name.as_ref()) {
            Err(error) if is_absent(&error) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(!self.is_asked(place) || self.omit(place, "a folder that this user may not read"))
            }
            found => self.directory(&found?, place, *flaw),
        }
    }

    fn file(&mut self, directory: &Directory, Placed { place, name, flaw, .. }: Placed) -> io::Result<bool> {
        if let Some(flaw) = flaw {
            return Ok(self.omit(&place, flaw));
        }
        match directory.file(name.as_ref()) {
            // It was removed, or became another kind of file, since the directory was read.
            Ok(None) => Ok(true),
            Err(error) if is_absent(&error) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(self.omit(&place, "this user may not read it"))
            }
            found => {
                let is_room = self.is_room(&place);
                if let (true, Some((file, found))) = (is_room, found?) {
                    self.listing.objects.push(described(&place, &file, &found));
                }
                Ok(is_room)
            }
        }
    }

    fn omit(&mut self, place: &str, reason: &'static str) -> bool {
        let is_room = self.is_room(place);
        if is_room {
            self.listing.omitted.push(Omitted { name: place.to_owned(), reason });
        }
        is_room
    }

    /// Whether there is room for one more entry; if not, the next part begins with it. Two entries of one place are in
    /// one part.
    fn is_room(&mut self, place: &str) -> bool {
        let listed = self.listing.objects.len() + self.listing.omitted.len();
        if listed >= self.limit && self.last != place {
            self.listing.next = Some(self.last.clone());
            return false;
        }
        self.last = place.to_owned();
        true
    }

    fn is_asked(&self, place: &str) -> bool {
        place.starts_with(&self.prefix) && place > self.after.as_str()
    }

    fn leads_on(&self, above: &str) -> bool {
        let asked = above.starts_with(&self.prefix) || self.prefix.starts_with(above);
        asked && (above > self.after.as_str() || self.after.starts_with(above))
    }
}

/// The place of an entry; none for the program's own files.
fn placed(Entry { name, kind }: Entry, above: &str, flaw: Option<&'static str>) -> Option<Placed> {
    if above.is_empty() && name == UNFINISHED {
        return None;
    }
    let part = name.to_str().and_then(key::part).unwrap_or_else(|| key::shown(&name));
    let is_directory = kind == FileType::Directory;
    let place = format!("{above}{part}{}", if is_directory { "/" } else { "" });
    let flaw = flaw.or_else(|| key::flaw(&name)).or_else(|| other(kind)).or_else(|| too_long(&place));
    Some(Placed { place, name, is_directory, flaw })
}

pub(super) fn other(kind: FileType) -> Option<&'static str> {
    match kind {
        FileType::RegularFile | FileType::Directory => None,
        FileType::Symlink => Some("a link, which is not followed"),
        _ => Some("a pipe, a socket or a device"),
    }
}

fn too_long(place: &str) -> Option<&'static str> {
    (place.len() > MAX_KEY_BYTES).then_some("its key has more than 1024 bytes")
}
