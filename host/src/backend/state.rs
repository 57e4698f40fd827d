//! The directory in which the embedded default keeps its state.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// The name of the directory beside the recipes, or of a parent of an environment's state.
pub const NAME: &str = ".reindex";

/// Creates a directory for state. A directory named [`NAME`], or the parent with that name, gets a `.gitignore`, which
/// keeps databases and objects out of the repository of the recipes.
///
/// *Errors*: those of the file system; a `.gitignore` that cannot be written is not an error.
pub fn make(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    if let Some(named) = directory.ancestors().find(|part| part.file_name().is_some_and(|name| name == NAME)) {
        // An existing one is kept; a missing one does no harm.
        let _ = File::create_new(named.join(".gitignore")).and_then(|mut file| file.write_all(b"*\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_ignores_itself_and_other_directories_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let of = |path: &str| directory.path().join(path);
        make(&of("a/.reindex/prod")).unwrap();
        make(&of("b")).unwrap();
        assert_eq!(fs::read_to_string(of("a/.reindex/.gitignore")).unwrap(), "*\n");
        assert!(!of("a/.reindex/prod/.gitignore").exists() && !of("b/.gitignore").exists());
        fs::write(of("a/.reindex/.gitignore"), "mine").unwrap();
        make(&of("a/.reindex")).unwrap();
        assert_eq!(fs::read_to_string(of("a/.reindex/.gitignore")).unwrap(), "mine");
    }
}
