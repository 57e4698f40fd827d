//! `reindex plugin`

mod build;
mod inspect;
mod memory;
mod new;
mod outcome;
mod sample;
mod test;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{code_cache, exit::Exit, place::quoted_path, signals::watched, ui::Ui};
use crate::{
    build as cargo,
    error::{Error, Result},
    event::Event,
    pipeline::Stop,
    run::load_plugin,
    sandbox,
};

/// Makes, builds, tests and inspects plugins
#[derive(Debug, Subcommand)]
pub(super) enum Plugin {
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Inspect(inspect::Inspect),
}

impl Plugin {
    pub(super) async fn run(self, ui: Ui) -> Result<Exit> {
        match self {
            Self::New(new) => new.run(ui),
            Self::Build(build) => build.run(ui).await,
            Self::Test(test) => test.run(ui).await,
            Self::Inspect(inspect) => inspect.run(ui).await,
        }
    }
}

/// Builds a source directory while the person sees what cargo does.
async fn built(ui: Ui, source: &Path) -> Result<cargo::Built> {
    let (stop, observer) = (Stop::new(), ui.observer());
    let (events, directory) = (observer.events(), source.to_owned());
    let work = async {
        let build = tokio::task::spawn_blocking(move || {
            cargo::plugin(&directory, &mut |line| events.send(Event::Waiting { reason: line.to_owned() }))
        });
        build.await.map_err(|error| Error::bug("the build gave up").because(error))?
    };
    watched(ui, std::slice::from_ref(&observer), &stop, format!("reindex plugin build {}", quoted_path(source)), work)
        .await
}

/// The component that a person named: a `.wasm` file, or a source directory, which is built.
async fn component(ui: Ui, named: &Path) -> Result<PathBuf> {
    if named.is_dir() { Ok(built(ui, named).await?.wasm) } else { Ok(named.to_owned()) }
}

/// Loads a component.
async fn load(file: &Path) -> Result<sandbox::Plugin> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
    let loaded = load_plugin(code_cache::open()?.as_ref(), &name, file).await;
    loaded.map_err(|error| match file.is_file() {
        true => error,
        false => error.hint("name a .wasm file or a plugin's source directory"),
    })
}
