//! The command line: one file a command.
//!
//! The only room that prints, reads environment variables, catches signals and exits. It holds no logic of a
//! run: it opens what was named, calls the library, shows what happened, and says the next step.

mod check;
mod code_cache;
mod completions;
mod decoder;
mod diff;
mod exit;
mod failures;
mod iam;
mod ids;
mod json;
mod lines;
mod load;
mod object;
mod place;
mod plugin;
mod prune;
mod queue;
mod recipe;
mod rerun;
mod retry;
mod run;
mod search;
mod serve;
mod signals;
mod status;
mod table;
mod ui;
mod verify;

use std::{
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use self::{
    check::Check,
    diff::Diff,
    exit::Exit,
    failures::Failures,
    iam::Iam,
    place::{Place, Target},
    prune::Prune,
    rerun::Rerun,
    retry::Retry,
    run::Run,
    status::Status,
    ui::{Color, Log, Ui},
    verify::Verify,
};
use crate::error::{Error, Result};

/// Rebuilds search indexes from the stores that hold the truth.
#[derive(Debug, Parser)]
#[command(name = "reindex", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(
    after_help = "Begin with:\n  reindex run recipes/persons.toml\n  reindex search persons Smith\n\nThe exit codes are below `reindex --help`."
)]
#[command(after_long_help = format!("Begin with:\n  reindex run recipes/persons.toml\n  reindex search persons Smith\n\n{}", exit::TABLE))]
struct Cli {
    /// Where the recipes and `.reindex` are [default: here, or ./recipes]
    #[arg(short = 'C', long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    dir: Option<PathBuf>,
    /// How to show a run: a bar on a terminal and lines elsewhere, unless said here
    #[arg(long, global = true, value_name = "FORM", help_heading = "Everywhere")]
    log: Option<Log>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Everywhere")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Run),
    Serve(serve::Serve),
    Check(Check),
    Diff(Diff),
    Verify(Verify),
    Status(Status),
    Failures(Failures),
    Retry(Retry),
    Rerun(Rerun),
    Prune(Prune),
    Load(load::Load),
    Iam(Iam),
    Search(search::Search),
    Get(search::Get),
    #[command(subcommand)]
    Queue(queue::Queue),
    #[command(subcommand)]
    Table(table::Table),
    #[command(subcommand)]
    Object(object::Object),
    #[command(subcommand)]
    Ids(ids::Ids),
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    #[command(subcommand)]
    Recipe(recipe::Recipe),
    #[command(subcommand)]
    Environment(recipe::Environment),
    Completions(completions::Completions),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ui = Ui::new(cli.log, cli.color);
    let place = Place::new(cli.dir);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| start(cli.command, &place, ui)));
    let exit = match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            ui.error(&error);
            error.kind().into()
        }
        Err(_) => {
            ui.error(&Error::bug("reindex stumbled over itself").hint("report the lines above; nothing done is lost"));
            Exit::Bug
        }
    };
    exit.into()
}

fn start(command: Command, place: &Place, ui: Ui) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::bug("cannot start threads").because(error))?;
    let again = command.target().map(|target| place.again(target));
    let exit = runtime.block_on(command.run(place, ui));
    let exit = exit.map_err(|error| match again {
        Some(again) => error.about_recipe(&again),
        None => error,
    });
    // A thread that still blocks on a dead disk must not keep the program.
    runtime.shutdown_background();
    exit
}

impl Command {
    /// The recipe it is about, if it is about one.
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Run(Run { target, .. })
            | Self::Check(Check { target, .. })
            | Self::Diff(Diff { target, .. })
            | Self::Verify(Verify { target, .. })
            | Self::Status(Status { target, .. })
            | Self::Failures(Failures { target, .. })
            | Self::Retry(Retry { target, .. })
            | Self::Rerun(Rerun { target, .. })
            | Self::Prune(Prune { target, .. })
            | Self::Iam(Iam { target, .. }) => Some(target),
            Self::Ids(ids) => Some(ids.target()),
            _ => None,
        }
    }

    async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        match self {
            Self::Run(run) => run.run(place, ui).await,
            Self::Serve(serve) => serve.run(place, ui).await,
            Self::Check(check) => check.run(place, ui).await,
            Self::Diff(diff) => diff.run(place, ui).await,
            Self::Verify(verify) => verify.run(place, ui).await,
            Self::Status(status) => status.run(place, ui).await,
            Self::Failures(failures) => failures.run(place, ui).await,
            Self::Retry(retry) => retry.run(place, ui).await,
            Self::Rerun(rerun) => rerun.run(place, ui).await,
            Self::Prune(prune) => prune.run(place, ui).await,
            Self::Iam(iam) => iam.run(place, ui),
            Self::Load(load) => load.run(place, ui).await,
            Self::Search(search) => search.run(place, ui).await,
            Self::Get(get) => get.run(place, ui).await,
            Self::Queue(queue) => queue.run(place, ui).await,
            Self::Table(table) => table.run(place, ui).await,
            Self::Object(object) => object.run(place, ui).await,
            Self::Ids(ids) => ids.run(place, ui).await,
            Self::Plugin(plugin) => plugin.run(ui).await,
            Self::Recipe(recipe) => recipe.run(ui),
            Self::Environment(environment) => environment.run(ui),
            Self::Completions(completions) => completions.run(ui),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_sound_and_every_command_has_an_example() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        each_leaf(&command, &mut |leaf| {
            let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("reindex "), "`{}` has no example", leaf.get_name());
            assert!(leaf.get_about().is_some(), "`{}` does not say what it does", leaf.get_name());
        });
    }

    fn each_leaf(command: &clap::Command, see: &mut dyn FnMut(&clap::Command)) {
        if command.has_subcommands() {
            command.get_subcommands().for_each(|sub| each_leaf(sub, see));
        } else {
            see(command);
        }
    }
}
