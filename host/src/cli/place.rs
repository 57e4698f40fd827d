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
    document,
    environment::{Environment, LOCAL},
    error::{Error, Kind, Result},
    recipe::Recipe,
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

/// A text as one argument of a shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '%' | '+' | '=');
    let is_plain = !text.is_empty() && text.chars().all(plain) && !text.starts_with('-');
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A path as one argument of a shell.
pub(super) fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
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

    /// Reads a recipe and its environment, and the credentials for AWS if anything calls it.
    pub(super) async fn project(&self, target: &Target, mode: Mode) -> Result<Project> {
        let project = self.open(target, mode)?;
        Ok(if project.calls_aws() { project.with_aws(Session::standard().await) } else { project })
    }

    fn open(&self, target: &Target, mode: Mode) -> Result<Project> {
        let (recipe, env) = (self.recipe(&target.recipe)?, target.env.as_deref());
        let project = Project::open_in(Some(&self.dir), &recipe, env, mode, &variable)?;
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
        let environment = Environment::find(&self.dir, &self.dir, name.unwrap_or(LOCAL), &variable)?;
        let backends = run::backends(&environment, mode);
        let backends = if environment.calls_aws() {
            let (session, aws) = (Session::standard().await, &environment.aws);
            backends.with_aws(session.within(aws.region.as_deref(), aws.endpoint.as_deref()))
        } else {
            backends
        };
        Ok(Servers { backends, environment })
    }

    /// The arguments that name the same recipe and environment again.
    pub(super) fn again(&self, target: &Target) -> String {
        format!("{}{}", quoted_path(&target.recipe), self.options(target.env.as_deref()))
    }

    /// The options that name the same environment again, with a space before each.
    pub(super) fn options(&self, env: Option<&str>) -> String {
        options(env, self.said.then_some(&self.dir))
    }

    /// The options by which a command without a recipe finds what a recipe's environment keeps.
    pub(super) fn options_for(&self, project: &Project) -> String {
        let environment = &project.environment;
        let env = Some(environment.name.as_str()).filter(|name| *name != LOCAL);
        let own = Environment::find(&self.dir, &self.dir, &environment.name, &variable);
        let real = |environment: &Environment| environment.state.canonicalize().ok();
        if own.is_ok_and(|own| real(&own) == real(environment)) {
            return self.options(env);
        }
        let file = environment.file.as_deref().and_then(Path::parent);
        options(env, file.unwrap_or(&environment.state).parent())
    }

    /// What the recipes of the directory name.
    fn named(&self) -> Vec<String> {
        let recipes =
            recipes(&self.dir).into_iter().filter_map(|name| Recipe::load(&self.dir.join(name), &variable).ok());
        recipes.flat_map(|recipe| recipe.resources()).map(|resource| resource.name).collect()
    }

    /// A recipe of the directory that is like this, as an argument; the first by name.
    pub(super) fn recipe_that(&self, is_like: impl Fn(&Recipe) -> bool) -> Option<String> {
        let mut names = recipes(&self.dir);
        names.sort();
        let is_like =
            |name: &String| Recipe::load(&self.dir.join(name), &variable).is_ok_and(|recipe| is_like(&recipe));
        let name = names.into_iter().find(is_like)?;
        let path = if self.said || self.dir == Path::new(".") { name.into() } else { self.dir.join(name) };
        Some(quoted_path(&path))
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

    /// Refuses the name of something that is empty, unless the environment binds it or a recipe names it: an empty
    /// answer would hide that it is misspelt.
    pub(super) fn is_meant(&self, place: &Place, what: &str, name: &str) -> Result<()> {
        let named = place.named();
        if self.environment.backends.contains_key(name) || named.iter().any(|named| named == name) {
            return Ok(());
        }
        let error = Error::new(Kind::NotFound, format!("there is no {what} `{name}`"));
        let error = self.looked_in(error, name);
        let known = named.iter().chain(self.environment.backends.keys()).map(String::as_str);
        Err(match document::nearest(name, known) {
            Some(near) => {
                error.hint(format!("did you mean `{near}`? if it was used elsewhere, name that directory with -C"))
            }
            None => error.hint(format!(
                "no recipe in {} names it, and nothing is in it; if it was used elsewhere, name that directory with -C",
                place.dir.display()
            )),
        })
    }

    /// Adds to an error where a resource was looked for: the environment, and its database if it is kept there.
    pub(super) fn looked_in(&self, error: Error, name: &str) -> Error {
        let error = error.with("environment", self.environment.name.clone());
        match self.environment.backends.get(name) {
            None => error.with("looked in", self.environment.database.display().to_string()),
            Some(_) => error,
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

fn options(env: Option<&str>, dir: Option<impl AsRef<Path>>) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = |dir: &Path| quoted_path(dir.strip_prefix(&here).unwrap_or(dir));
    let env = env.map(|env| format!(" --env {}", quoted(env))).unwrap_or_default();
    let dir = dir.map(|dir| format!(" -C {}", short(dir.as_ref()))).unwrap_or_default();
    env + &dir
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
