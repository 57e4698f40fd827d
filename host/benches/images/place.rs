//! Masters, a recipe, and runs of the binary on them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::cost::{self, Cost};

/// How many images are decoded at a time, and by how many threads each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub workers: usize,
    pub threads: usize,
}

/// A directory with everything the measurements share; gone when it is dropped.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir_in(target()).unwrap();
        let place = Self { directory };
        for name in ["environments", "masters", "made"] {
            fs::create_dir(place.path(name)).unwrap();
        }
        fs::copy(component(), place.path("pyramid.wasm")).unwrap();
        let environment = "environment = 1\n[backend.masters.files]\ndirectory = '../masters'\n";
        fs::write(place.path("environments/local.toml"), environment).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Lays a picture among the masters under these names.
    pub fn masters(&self, picture: &Path, names: &[String]) {
        fs::remove_dir_all(self.path("masters")).unwrap();
        fs::create_dir(self.path("masters")).unwrap();
        for name in names {
            fs::copy(picture, self.master(name)).unwrap();
        }
    }

    pub fn master(&self, name: &str) -> PathBuf {
        self.path(&format!("masters/{name}.jpg"))
    }

    /// Where a run puts what it makes of a master.
    pub fn image(&self, name: &str) -> PathBuf {
        self.path(&format!(".reindex/objects/images/{name}.tif"))
    }

    /// Writes the recipe. It reduces to 4000 × 4000 and writes deflated tiles, which are its plugin's defaults.
    pub fn recipe(&self, Pace { workers, threads }: Pace, is_watching: bool) {
        let text = format!(
            "recipe = 1\n[plugin]\nfile = 'pyramid.wasm'\n\
             [source.requests]\nbucket = 'process'\nobjects = 'masters'\nwatch = {is_watching}\n\
             [grant.read]\nstorage = ['masters', 'images']\nimage = ['masters']\n\
             [grant.write]\nstorage = ['images', 'process']\n\
             [limits]\nwall = '10m'\n[run]\nbatch-records = 8\n\
             [image]\nworkers = {workers}\nthreads = {threads}\nmax-pixels = 1000000000\n"
        );
        fs::write(self.path("pyramid.toml"), text).unwrap();
    }

    /// A run that makes a pyramid of each of these masters.
    pub fn run(&self, names: &[String], pace: Pace) -> Cost {
        self.recipe(pace, false);
        let objects = self.path(".reindex/objects");
        if objects.exists() {
            fs::remove_dir_all(&objects).unwrap();
        }
        fs::create_dir_all(objects.join("process/requests")).unwrap();
        for name in names {
            let request = objects.join(format!("process/requests/{name}.json"));
            fs::write(request, format!("{{\"key\": \"{name}.jpg\"}}")).unwrap();
        }
        let cost = cost::run(vec![self.reindex("run")], 1);
        for name in names {
            assert!(self.image(name).exists(), "no pyramid of {name}");
        }
        cost
    }

    /// The binary, told to do something with the recipe.
    pub fn reindex(&self, command: &str) -> Command {
        let mut reindex = Command::new(env!("CARGO_BIN_EXE_reindex"));
        reindex.arg(command).arg("pyramid.toml").current_dir(self.directory.path()).env_clear();
        reindex.env("HOME", target()).env("XDG_CACHE_HOME", target().join("cache"));
        reindex
    }
}

/// Where everything lies that takes long to make.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target")
}

/// The pyramid plugin as it is shipped.
fn component() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2", "--package", "pyramid"])
        .current_dir(target().parent().unwrap())
        .status();
    assert!(built.unwrap().success(), "the plugin does not build");
    target().join("wasm32-wasip2/plugin/pyramid.wasm")
}
