//! `reindex plugin new`

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use clap::Args;

use crate::{
    cli::{exit::Exit, place::quoted_path, ui::Ui},
    error::{Error, Kind, Result},
};

/// Makes a directory with a plugin that builds, passes its tests, and runs
///
/// The SDK and the WIT files come with it, so it builds anywhere; inside a workspace that has the SDK, that one is used.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  reindex plugin new plugins/contacts
  reindex plugin test plugins/contacts
  reindex run plugins/contacts/recipe.toml")]
pub(in crate::cli) struct New {
    /// The directory to make; its last part is the plugin's name, such as `contacts`
    dir: PathBuf,
}

/// A file of the template: where it goes, and what it holds.
type Embedded = (&'static str, &'static str);

macro_rules! embedded {
    ($root:literal: $($from:literal => $to:literal),* $(,)?) => {
        [$(($to, include_str!(concat!("../../../../", $root, $from)))),*]
    };
}

/// The plugin itself; `{{name}}` stands for its name.
const TEMPLATE: [Embedded; 9] = embedded!("plugins/guest/template/":
    "gitignore.tmpl" => ".gitignore",
    "rust-toolchain.toml.tmpl" => "rust-toolchain.toml",
    "src/lib.rs.tmpl" => "src/lib.rs",
    "src/mapping.rs.tmpl" => "src/mapping.rs",
    "index.json.tmpl" => "index.json",
    "samples/first.json.tmpl" => "samples/first.json",
    "samples/first.expected.json.tmpl" => "samples/first.expected.json",
    "samples.jsonl.tmpl" => "samples.jsonl",
    "recipe.toml.tmpl" => "recipe.toml",
);

/// The manifest of a plugin that stands on its own.
const MANIFEST: &str = include_str!("../../../../plugins/guest/template/Cargo.toml.tmpl");

/// The manifest of a plugin in a workspace that has the SDK.
const MEMBER: &str = r#"[package]
name = "{{name}}"
version = "0.1.0"
edition = "2024"
publish = false

# A component for the host, and a library for native tests.
[lib]
crate-type = ["cdylib", "rlib"]

[dependencies]
reindex-guest.workspace = true

[dev-dependencies]
reindex-guest = { workspace = true, features = ["samples"] }
"#;

/// The SDK, for a plugin that stands on its own.
const SDK: [Embedded; 15] = embedded!("plugins/guest/":
    "Cargo.toml" => "Cargo.toml",
    "src/attribute.rs" => "src/attribute.rs",
    "src/description.rs" => "src/description.rs",
    "src/document.rs" => "src/document.rs",
    "src/document/tests.rs" => "src/document/tests.rs",
    "src/json.rs" => "src/json.rs",
    "src/json/parse.rs" => "src/json/parse.rs",
    "src/json/tests.rs" => "src/json/tests.rs",
    "src/json/text.rs" => "src/json/text.rs",
    "src/lib.rs" => "src/lib.rs",
    "src/outcome.rs" => "src/outcome.rs",
    "src/plugin.rs" => "src/plugin.rs",
    "src/read.rs" => "src/read.rs",
    "src/rendition.rs" => "src/rendition.rs",
    "src/samples.rs" => "src/samples.rs",
);

/// The WIT files, beside the SDK.
const WIT: [Embedded; 6] = embedded!("wit/":
    "image.wit" => "wit/image.wit",
    "index.wit" => "wit/index.wit",
    "queue.wit" => "wit/queue.wit",
    "storage.wit" => "wit/storage.wit",
    "types.wit" => "wit/types.wit",
    "world.wit" => "wit/world.wit",
);

impl New {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        let name = self.name()?;
        if self.dir.read_dir().is_ok_and(|mut files| files.next().is_some()) || self.dir.is_file() {
            return Err(Error::usage(format!("{} is there already, and nothing is overwritten", self.dir.display()))
                .hint("choose another name, or remove it first"));
        }
        let member = is_member(&self.dir);
        self.write("Cargo.toml", &filled(if member { MEMBER } else { MANIFEST }, &name))?;
        for (to, text) in TEMPLATE {
            // A workspace has its own toolchain file, and its own list of what git ignores.
            if !(member && matches!(to, "rust-toolchain.toml" | ".gitignore")) {
                self.write(to, &filled(text, &name))?;
            }
        }
        if !member {
            for (to, text) in SDK.into_iter().chain(WIT) {
                self.write(&format!("vendor/reindex-guest/{to}"), text)?;
            }
        }
        let dir = quoted_path(&self.dir);
        ui.data(&self.dir.display().to_string());
        ui.ending(
            &format!("made plugin `{name}`; the mapping is {dir}/src/mapping.rs"),
            &format!("reindex plugin test {dir}; reindex run {dir}/recipe.toml"),
        );
        Ok(Exit::Done)
    }

    /// The plugin's name, which is a cargo package and an index too.
    fn name(&self) -> Result<String> {
        let name = self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits) && !name.ends_with('-') {
            return Ok(name);
        }
        Err(Error::usage(format!("`{name}` cannot be a plugin's name"))
            .hint("use lowercase letters, digits and dashes, beginning with a letter, such as `contacts`"))
    }

    fn write(&self, to: &str, text: &str) -> Result<()> {
        let file = self.dir.join(to);
        let made = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
        made.map_err(|error| {
            Error::new(Kind::Unavailable, "a file of the plugin cannot be written")
                .with("file", file.display().to_string())
                .because(error)
        })
    }
}

fn filled(template: &str, name: &str) -> String {
    template.replace("{{name}}", name)
}

/// Whether the nearest workspace above a directory takes it as a member and has the SDK among its dependencies. Any
/// other plugin stands on its own: cargo refuses a package that lies in a workspace and is no member of it.
fn is_member(dir: &Path) -> bool {
    let Ok(dir) = std::path::absolute(dir) else { return false };
    let manifest = |above: &Path| fs::read_to_string(above.join("Cargo.toml")).ok()?.parse::<toml::Table>().ok();
    let workspace = |above: &Path| Some((above.to_owned(), manifest(above)?.get("workspace")?.clone()));
    let Some((root, workspace)) = dir.ancestors().skip(1).find_map(workspace) else { return false };
    let within = dir.strip_prefix(root).unwrap_or(&dir);
    let names = |key: &str| {
        let listed = workspace.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        listed.filter_map(toml::Value::as_str).any(|pattern| is_like(within, Path::new(pattern)))
    };
    let has_sdk = workspace.get("dependencies").is_some_and(|dependencies| dependencies.get("reindex-guest").is_some());
    has_sdk && names("members") && !names("exclude")
}

/// Whether a path is like a pattern of a workspace, in which `*` stands for any part of a path.
fn is_like(path: &Path, pattern: &Path) -> bool {
    let (path, pattern) = (path.components(), pattern.components().filter(|part| *part != Component::CurDir));
    path.clone().count() == pattern.clone().count()
        && path.zip(pattern).all(|(part, like)| part == like || like.as_os_str() == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file below a directory, relative to it.
    fn files(directory: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![directory.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push(path.strip_prefix(directory).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn nothing_of_the_sdk_the_wit_and_the_template_is_left_out() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let names = |list: &[Embedded], prefix: &str| {
            let mut names: Vec<_> =
                list.iter().filter_map(|(to, _)| to.strip_prefix(prefix)).map(str::to_owned).collect();
            names.sort();
            names
        };
        assert_eq!(names(&SDK, "src/"), files(&root.join("plugins/guest/src")));
        assert_eq!(names(&WIT, "wit/"), files(&root.join("wit")));
        assert_eq!(TEMPLATE.len() + 1, files(&root.join("plugins/guest/template")).len());
    }

    #[test]
    fn only_a_plugin_that_the_workspace_takes_as_a_member_is_one() {
        let root = tempfile::tempdir().unwrap();
        let takes = |manifest: &str, dir: &str| {
            fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
            is_member(&root.path().join(dir))
        };
        let workspace = "[workspace]\nmembers = [\"host\", \"./plugins/*\"]\nexclude = [\"plugins/old\"]\n";
        let with_sdk = format!("{workspace}[workspace.dependencies]\nreindex-guest = \"1\"\n");
        assert!(takes(&with_sdk, "plugins/parcels"));
        for dir in ["parcels", "plugins/old", "plugins/deep/parcels", "host/parcels"] {
            assert!(!takes(&with_sdk, dir), "{dir}");
        }
        assert!(!takes(workspace, "plugins/parcels"), "the workspace has no SDK");
    }

    #[test]
    fn a_name_that_cargo_or_an_index_would_refuse_is_refused() {
        for name in ["Contacts", "a b", "-x", "x-", "..", "1st", "ü", ""] {
            assert!(New { dir: name.into() }.name().is_err(), "{name}");
        }
        assert_eq!(New { dir: "plugins/grid-image".into() }.name().unwrap(), "grid-image");
    }
}
