//! Going through a directory in the order of its keys.
//!
//! What is no object has a place in that order as well, so that each entry is met once, however the parts are cut.

use std::{ffi::OsString, io, path::Path};

use rustix::fs::FileType;

use super::{
    directory::{Directory, Entry},
    key::{self, MAX_KEY_BYTES, UNFINISHED},
    object::{described, is_absent},
};
use crate::capability::storage::{Listing, Omitted};

/// Lists a part of what is asked for, going only where that can be.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) prefix: String,
    pub(super) after: String,
    /// How many entries are listed, at least 1.
    pub(super) limit: usize,
    pub(super) listing: Listing,
    /// The place of the last entry that was listed.
    pub(super) last: String,
}

/// What lies in a directory, in its place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    /// A key; what the keys in a directory begin with; or whatever comes nearest where the name stands for none.
    place: String,
    name: OsString,
    is_directory: bool,
    /// Why it is no object, nor holds any.
    flaw: Option<&'static str>,
}

impl Walk {
    /// Walks below a bucket's directory; there is nothing if that is not there.
    pub(super) fn through(mut self, root: &Path) -> io::Result<Listing> {
        match Directory::root(root) {
            Err(error) if is_absent(&error) => {}
            root => drop(self.directory(&root?, "", None)?),
        }
        Ok(self.listing)
    }

    /// Lists what is in a directory, whose places begin with `above`; none of it is an object if there is a flaw above.
    /// Answers whether there is room for more.
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
            // It went away, or became something else, since the directory was read.
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

    /// Whether there is room for one entry more; where there is none, the next part begins with it. Two of one place are
    /// in one part.
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

/// The place of an entry; none if it is ours.
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
