//! `reindex rerun`

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    place::{Place, Target, quoted},
    signals::watched,
    ui::Ui,
};
use crate::{
    backend::Mode,
    error::Result,
    event::Event,
    observe::text::{self, number, one_line},
    pipeline::Stop,
    request::Asked,
};

/// Asks for objects once more: writes a request for each object of the recipe's bucket whose key begins so
///
/// Only names are asked for that end as the recipe's `endings` say. The next run works on them, or `reindex serve` at
/// once, and does so although it was done before. Nothing is read but the list of the bucket.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex rerun recipes/pyramid.toml digital/isaac_gala/ --dry-run
  reindex rerun recipes/pyramid.toml digital/ rbsc/ --env prod
  reindex rerun recipes/pyramid.toml --all")]
pub(super) struct Rerun {
    #[command(flatten)]
    pub(super) target: Target,
    /// What the keys of the objects begin with
    #[arg(value_name = "PREFIX", required_unless_present = "all", conflicts_with = "all", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    prefixes: Vec<String>,
    /// All objects that the recipe makes requests of
    #[arg(long)]
    all: bool,
    /// Only prints the keys that would be asked for
    #[arg(long)]
    dry_run: bool,
    /// Writes the result as JSON instead
    #[arg(long)]
    json: bool,
}

/// The result, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Answer<'a> {
    #[serde(flatten)]
    asked: &'a Asked,
    dry_run: bool,
}

impl Rerun {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let mode = if self.dry_run { Mode::ReadOnly } else { Mode::ReadWrite };
        let project = place.project(&self.target, mode).await?;
        let (stop, observer) = (Stop::new(), ui.observer());
        let events = observer.events();
        let each = |keys: &[String], asked: &Asked| {
            if self.dry_run && !self.json {
                observer.aside(&mut || keys.iter().for_each(|key| ui.data(&one_line(key))));
            }
            events.send(Event::Waiting { reason: format!("{} asked for", text::count(asked.asked, "object")) });
        };
        let prefixes = (!self.all).then_some(self.prefixes.as_slice());
        let work = project.rerun(prefixes, self.dry_run, (&events, &stop), each);
        let (asked, ended) = watched(ui, std::slice::from_ref(&observer), &stop, self.again(place), work).await?;
        if self.json {
            ui.json(&Answer { asked: &asked, dry_run: self.dry_run });
        }
        Ok(self.end(place, ui, &asked, ended))
    }

    fn end(&self, place: &Place, ui: Ui, asked: &Asked, ended: bool) -> Exit {
        for (reason, count) in &asked.passed {
            ui.say(&format!("not asked for: {}, {reason}", text::count(*count, "object")));
        }
        asked.omitted.lines().iter().for_each(|line| ui.say(&one_line(line)));
        let omitted = match asked.omitted.count() {
            0 => String::new(),
            count => format!("; {} omitted", number(count)),
        };
        let what = format!("{}{omitted}", text::count(asked.asked, "object"));
        match (ended, self.dry_run) {
            (false, _) => {
                ui.ending(&format!("stopped: {what} asked for"), &self.again(place));
                return Exit::Stopped;
            }
            (true, true) => ui.ending(&format!("would ask for {what}"), &self.command(place)),
            (true, false) => ui.ending(
                &format!("asked for {what}"),
                &format!("reindex run {} works on them, unless `reindex serve` does", place.again(&self.target)),
            ),
        }
        Exit::Done
    }

    /// The command that starts over, which changes nothing of what was asked for already.
    fn again(&self, place: &Place) -> String {
        self.command(place) + if self.dry_run { " --dry-run" } else { "" }
    }

    /// The command that asks for the objects.
    fn command(&self, place: &Place) -> String {
        let prefixes: Vec<_> = self.prefixes.iter().map(|prefix| quoted(prefix)).collect();
        let prefixes = if self.all { "--all".to_owned() } else { prefixes.join(" ") };
        format!("reindex rerun {} {prefixes}", place.again(&self.target))
    }
}
