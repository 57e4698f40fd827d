//! A list of ids, from a file or from standard input.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use crate::error::{Error, Result};

/// Reads ids, one a line.
pub(super) fn read_ids(file: &Path) -> Result<Vec<String>> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => io::stdin().read_to_string(&mut text).map(drop),
        _ => fs::read_to_string(file).map(|read| text = read),
    };
    let name = if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() };
    read.map_err(|error| Error::usage(format!("cannot read the ids from {name}")).because(error))?;
    let ids: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(Error::usage(format!("{name} holds no ids")).hint("write one id a line"));
    }
    Ok(ids)
}
