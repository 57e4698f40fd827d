//! Where things are: the directory of the recipes, and what is opened there.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{code_cache, decoder};
use crate::{
    backend::{self, Backends, Mode, aws::Session},
    capability::{index::Index, queue::Queue},
    environment::{Environment, LOCAL},
    error::{Error, Kind, Result},
    run::{self, Project},
};

/// Which recipe, on which servers.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The recipe: a file, or its name among the recipes
    pub recipe: PathBuf,
    /// The environment; without it the recipe's own, or `local`
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
}

impl Target {
    /// The arguments that name the same target again.
    pub(super) fn again(&self) -> String {
        let env = self.env.as_ref().map(|env| format!(" --env {env}")).unwrap_or_default();
        format!("{}{env}", self.recipe.display())
    }
}

/// A text as one argument of a shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '%' | '+' | '=');
    let is_plain = !text.is_empty() && text.chars().all(plain) && !text.starts_with('-');
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The directory that holds the recipes and `.reindex`.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    said: bool,
}

impl Place {
    /// The directory that was said; else the working directory if it looks like one; else `recipes` in it.
    pub(super) fn new(said: Option<PathBuf>) -> Self {
        let (said, dir) = match said {
            Some(dir) => (true, dir),
            None if ["environments", ".reindex"].iter().any(|name| Path::new(name).is_dir()) => (false, ".".into()),
            None if Path::new("recipes").is_dir() => (false, "recipes".into()),
            None => (false, ".".into()),
        };
        Self { dir, said }
    }

    /// Reads a recipe and its environment, for a command that asks no server.
    pub(super) fn read(&self, target: &Target) -> Result<Project> {
        self.open(target, Mode::ReadOnly)
    }

    /// Reads a recipe and its environment, and finds out who calls AWS if anybody does.
    pub(super) async fn project(&self, target: &Target, mode: Mode) -> Result<Project> {
        let project = self.open(target, mode)?;
        Ok(if project.calls_aws() { project.with_aws(Session::standard().await) } else { project })
    }

    fn open(&self, target: &Target, mode: Mode) -> Result<Project> {
        let project = Project::open(&self.recipe(&target.recipe)?, target.env.as_deref(), mode, &variable)?;
        let project = project.with_code_cache(code_cache::open()?);
        Ok(match decoder::program() {
            Some(program) => project.with_decoder(program),
            None => project,
        })
    }

    /// Reads an environment without a recipe.
    pub(super) async fn servers(&self, name: Option<&str>, mode: Mode) -> Result<Servers> {
        if !self.dir.is_dir() {
            return Err(Error::new(Kind::NotFound, format!("there is no directory {}", self.dir.display()))
                .hint("name the directory of the recipes with -C"));
        }
        let environment = Environment::find(&self.dir, name.unwrap_or(LOCAL), &variable)?;
        let backends = run::backends(&environment, mode);
        let backends = if environment.calls_aws() {
            let (session, aws) = (Session::standard().await, &environment.aws);
            backends.with_aws(session.within(aws.region.as_deref(), aws.endpoint.as_deref()))
        } else {
            backends
        };
        Ok(Servers { backends, environment })
    }

    /// The option that lets other commands find what a recipe's environment keeps; empty if they do so by themselves.
    pub(super) fn option_for(&self, project: &Project) -> String {
        let own = Environment::find(&self.dir, &project.environment.name, &variable);
        let real = |environment: &Environment| environment.state.canonicalize().ok();
        if own.is_ok_and(|own| real(&own) == real(&project.environment)) {
            return String::new();
        }
        format!(" -C {}", project.recipe.dir.display())
    }

    /// Finds a recipe by its path, or by its name in the directory.
    fn recipe(&self, name: &Path) -> Result<PathBuf> {
        let here = (!self.said).then(|| name.to_owned());
        let there = self.dir.join(name);
        let candidates = here.into_iter().chain([there.clone(), there.with_added_extension("toml")]);
        candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| self.no_recipe(name))
    }

    fn no_recipe(&self, name: &Path) -> Error {
        let error = Error::new(Kind::NotFound, format!("there is no recipe {}", name.display()));
        let mut known = recipes(&self.dir);
        known.sort();
        if known.is_empty() {
            return error
                .with("looked in", self.dir.display().to_string())
                .hint("name the directory of the recipes with -C");
        }
        let wanted = name.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let near = known.iter().find(|known| strsim::jaro_winkler(known, &wanted) > 0.8);
        let error = error.with("there are", known.join(", "));
        match near {
            Some(near) => error.hint(format!("did you mean {}?", self.dir.join(near).display())),
            None => error,
        }
    }
}

/// An environment whose resources are opened one by one.
pub(super) struct Servers {
    environment: Environment,
    pub backends: Backends,
}

impl Servers {
    /// What the environment says of a resource.
    pub(super) fn config(&self, name: &str) -> Result<Option<&backend::Config>> {
        self.environment.backend(name).map(Some)
    }

    /// What the environment's file says of a resource, which `local` need not do.
    pub(super) fn bound(&self, name: &str) -> Result<Option<&backend::Config>> {
        match self.environment.backends.get(name) {
            None if self.environment.name != LOCAL => self.config(name),
            bound => Ok(bound),
        }
    }

    /// Opens an index.
    pub(super) fn index(&self, name: &str) -> Result<Arc<dyn Index>> {
        self.backends.index(name, self.config(name)?)
    }

    /// Opens a queue.
    pub(super) fn queue(&self, name: &str) -> Result<Arc<dyn Queue>> {
        self.backends.queue(name, self.config(name)?)
    }
}

/// The names of the recipes in a directory: TOML files that say which version of the format they are in.
fn recipes(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir).into_iter().flatten().filter_map(|file| Some(file.ok()?.path()));
    let is_recipe = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "toml")
            && std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.starts_with("recipe")))
    };
    let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    files.filter(is_recipe).filter_map(name).collect()
}

/// The value of an environment variable, for `${NAME}` in a file.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_recipe_is_found_by_path_and_by_name_and_a_misspelt_one_has_a_suggestion() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("persons.toml"), "recipe = 1\n").unwrap();
        fs::write(dir.path().join("clippy.toml"), "msrv = 1\n").unwrap();
        let place = Place { dir: dir.path().to_owned(), said: true };
        let file = dir.path().join("persons.toml");
        for name in ["persons", "persons.toml"] {
            assert_eq!(place.recipe(Path::new(name)).unwrap(), file);
        }
        assert_eq!(place.recipe(&file).unwrap(), file);
        let error = place.recipe(Path::new("recipes/person.toml")).unwrap_err().report();
        assert!(error.contains("there are  persons.toml\n") && error.contains("did you mean"), "{error}");
    }
}
