//! `reindex plugin test`

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use jiff::Timestamp;
use similar::{ChangeTag, TextDiff};

use super::{
    component, load,
    memory::{Documents, Records},
    outcome,
    sample::Sample,
};
use crate::{
    capability::{
        Capability, Resources,
        grant::{Access, Grant, Grants},
    },
    cli::{
        exit::Exit,
        json,
        place::quoted_path,
        ui::{DIM, GREEN, RED, Ui, YELLOW},
    },
    error::{Error, Result},
    event::{Event, Events},
    observe::text::{clean, first_line, one_line},
    record::{Item, Outcome},
    sandbox::{Answer, Context, Plugin},
};

/// The day a tested plugin lives in.
const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// What a tested plugin's randomness is made of.
const SEED: u64 = 1;

/// Runs a plugin's samples in the sandbox and compares the outcomes with the expected ones
///
/// Each sample's items run together, alone and reversed: a plugin that answers differently is not a pure function of
/// its items, and fails. Nothing is asked of any server, and no image is opened: a sample says what the plugin finds.
#[derive(Debug, Args)]
#[command(after_help = "A sample is `<name>.json` beside `<name>.expected.json`:

  { \"items\":    [{ \"id\": \"p-1\", \"version\": 7, \"body\": {…} }],
    \"settings\": {…},                                     what a recipe says under [plugin.settings]
    \"tables\":   { \"people\": { \"p-1\": {…} } },          records by table and key
    \"indexes\":  { \"persons\": { \"p-1\": {…} } },         documents by index and id
    \"buckets\":  { \"masters\": { \"a/p.jpg\": {…} } },     objects by bucket and key: `size`, `etag`, `content-type`,
                                                         `metadata`, `text`, all of them optional
    \"images\":   { \"masters\": { \"a/p.jpg\": {…} } } }    what they are: `width` and `height`, perhaps `format`,
                                                         `size`, `pages`, `bands`, `bits`, `colour`, `alpha`,
                                                         `orientation`, `profile` (base64), `blocks` ([{ `name`,
                                                         `offset`, `base64` }]); or `flaw`: \"missing\", or
                                                         { \"refused\" | \"unreadable\" | \"fatal\": \"why\" }

Only `items` is needed. What the plugin asks for is granted, and what it only wishes for if the sample names it.

Examples:
  reindex plugin test plugins/persons
  reindex plugin test plugins/persons --accept
  reindex plugin test persons.wasm --samples plugins/persons/samples

Exits with 7 when an outcome differs.")]
pub(in crate::cli) struct Test {
    /// A source directory, which is built, or a .wasm file
    plugin: PathBuf,
    /// The directory of samples [default: `samples` in the plugin's directory, or beside the file]
    #[arg(long, value_name = "DIR")]
    samples: Option<PathBuf>,
    /// Writes what the plugin answers into the expected files
    #[arg(long)]
    accept: bool,
}

/// How one sample went.
enum Verdict {
    Passed,
    Accepted,
    /// The difference, as text from the expected to the actual.
    Differs(String, String),
    /// Why the answers cannot be compared.
    Broken(Vec<String>),
}

impl Test {
    pub(super) async fn run(self, ui: Ui) -> Result<Exit> {
        let samples = Sample::all(&self.directory())?;
        let plugin = load(&component(ui, &self.plugin).await?).await?;
        let mut failed = 0;
        for sample in &samples {
            let verdict = self.verdict(ui, &plugin, sample).await?;
            failed += u32::from(matches!(verdict, Verdict::Differs(..) | Verdict::Broken(_)));
            show(ui, sample, &verdict);
        }
        let samples_option = self.samples.as_ref().map(|dir| format!(" --samples {}", quoted_path(dir)));
        let again = format!("reindex plugin test {}{}", quoted_path(&self.plugin), samples_option.unwrap_or_default());
        let passed = samples.len() - failed as usize;
        let line = format!("{passed} of {} samples passed: together, alone and reversed", samples.len());
        match failed {
            0 => ui.ending(&line, &self.next()),
            _ => ui.ending(&line, &format!("mend the plugin, or `{again} --accept` if its answers are right")),
        }
        Ok(if failed == 0 { Exit::Done } else { Exit::Differences })
    }

    /// Tries the recipe beside the plugin, if there is one.
    fn next(&self) -> String {
        let recipe = self.plugin.join("recipe.toml");
        if recipe.is_file() {
            return format!("reindex run {} --dry-run", quoted_path(&recipe));
        }
        "name the plugin in a recipe, and try `reindex run RECIPE --dry-run`".to_owned()
    }

    fn directory(&self) -> PathBuf {
        let beside = if self.plugin.is_dir() { Some(self.plugin.as_path()) } else { self.plugin.parent() };
        self.samples.clone().unwrap_or_else(|| beside.unwrap_or(Path::new(".")).join("samples"))
    }

    async fn verdict(&self, ui: Ui, plugin: &Plugin, sample: &Sample) -> Result<Verdict> {
        let mapper = plugin.start(room(ui, plugin, sample)?);
        let together = mapper.transform(&sample.items).await?;
        let mut alone = Vec::new();
        for item in &sample.items {
            alone.extend(mapper.transform(std::slice::from_ref(item)).await?);
        }
        let backwards: Vec<_> = sample.items.iter().rev().cloned().collect();
        let mut reversed = mapper.transform(&backwards).await?;
        reversed.reverse();
        let mut faults = impure(&sample.items, "alone", &together, &alone);
        faults.extend(impure(&sample.items, "in reverse order", &together, &reversed));
        let outcomes = outcomes(&sample.items, together, &mut faults);
        if !faults.is_empty() {
            return Ok(Verdict::Broken(faults));
        }
        let actual = outcome::text(&outcomes).map_err(|error| Error::bug("cannot write outcomes").because(error))?;
        self.compare(sample, actual)
    }

    fn compare(&self, sample: &Sample, actual: String) -> Result<Verdict> {
        let file = sample.expected();
        let about = |message: &str| Error::usage(message).with("expected", file.display().to_string());
        let expected = match fs::read_to_string(&file) {
            Ok(text) => match serde_json::from_str::<&serde_json::value::RawValue>(&text) {
                Ok(raw) => json::pretty(raw.get()),
                Err(_) if self.accept => String::new(),
                Err(error) => return Err(about("the expected outcomes are not JSON").because(error)),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(about("the expected outcomes cannot be read").because(error)),
        };
        if expected == actual {
            return Ok(Verdict::Passed);
        }
        if self.accept {
            fs::write(&file, &actual).map_err(|error| about("the file cannot be written").because(error))?;
            return Ok(Verdict::Accepted);
        }
        Ok(Verdict::Differs(expected, actual))
    }
}

/// Everything the plugin asks for, filled with what the sample names. A wish is granted if the sample names it.
fn room(ui: Ui, plugin: &Plugin, sample: &Sample) -> Result<Context> {
    let description = plugin.description();
    let wishes = description.wishes.iter().filter(|grant| sample.names(grant));
    let grants: Vec<_> = description.asks.iter().chain(wishes).collect();
    let events = Events::new(move |event| {
        if let Event::PluginLog { plugin, line } = event {
            ui.say(&format!("{plugin} | {}", first_line(&line)));
        }
    });
    Ok(Context {
        limits: crate::recipe::default_limits()?,
        resources: resources(&grants, sample)?,
        grants: grants.into_iter().cloned().collect::<Grants>(),
        settings: sample.settings.clone(),
        now: NOW,
        seed: SEED,
        events,
        instances: 1,
    })
}

/// The resources that may be read. A name of `storage` is a table to one plugin and a bucket to another.
fn resources(grants: &[&Grant], sample: &Sample) -> Result<Resources> {
    let mut resources = Resources { images: Some(Arc::new(sample.images.clone())), ..Resources::default() };
    for Grant { capability, name, .. } in grants.iter().filter(|grant| grant.access == Access::Read) {
        let bucket = || Arc::new(sample.buckets.get(name).cloned().unwrap_or_default());
        match capability {
            Capability::Storage => {
                let records = Records::new(name, sample.tables.get(name).cloned().unwrap_or_default())?;
                resources.tables.insert(name.clone(), Arc::new(records));
                resources.buckets.insert(name.clone(), bucket());
            }
            Capability::Image => drop(resources.buckets.insert(name.clone(), bucket())),
            Capability::Index => {
                let documents = Documents(sample.indexes.get(name).cloned().unwrap_or_default());
                resources.indexes.insert(name.clone(), Arc::new(documents));
            }
            // A sample cannot say how deep a queue is; a plugin that asks is told that there is none.
            Capability::Queue => {}
        }
    }
    Ok(resources)
}

/// The items whose answers depend on who else is in the batch, or on what came before.
fn impure(items: &[Item], how: &str, together: &[Answer], other: &[Answer]) -> Vec<String> {
    let pairs = items.iter().zip(together.iter().zip(other));
    let differing = pairs.filter(|(_, (together, other))| match (together, other) {
        (Ok(together), Ok(other)) => together != other,
        (Err(_), Err(_)) => false,
        _ => true,
    });
    differing
        .map(|(item, (together, other))| {
            let (together, other) = (brief(together), brief(other));
            format!("item `{}` is not mapped purely: {together}\n  but {how}: {other}", item.id)
        })
        .collect()
}

fn brief(answer: &Answer) -> String {
    match answer {
        Ok(outcome) => {
            let text = outcome::text(std::slice::from_ref(outcome)).unwrap_or_default();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        Err(failure) => first_line(&failure.reason),
    }
}

/// The outcomes, and a fault for each item that has none.
fn outcomes(items: &[Item], answers: Vec<Answer>, faults: &mut Vec<String>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (item, answer) in items.iter().zip(answers) {
        match answer {
            Ok(outcome) => outcomes.push(outcome),
            Err(failure) => faults.push(format!("item `{}` has no outcome: {}", item.id, failure.reason)),
        }
    }
    outcomes
}

fn show(ui: Ui, sample: &Sample, verdict: &Verdict) {
    let name = one_line(&sample.file.file_stem().unwrap_or_default().to_string_lossy());
    let count = ui.style(DIM, &format!("({} items)", sample.items.len()));
    let line = |style, word: &str| ui.data(&format!("{} {name} {count}", ui.style(style, word)));
    match verdict {
        Verdict::Passed => line(GREEN, "passed  "),
        Verdict::Accepted => line(YELLOW, "accepted"),
        Verdict::Differs(expected, actual) => {
            line(RED, "differs ");
            if expected.is_empty() {
                ui.data("  there are no expected outcomes yet; these are the plugin's:");
            }
            difference(ui, expected, actual);
        }
        Verdict::Broken(faults) => {
            line(RED, "fails   ");
            faults.iter().for_each(|fault| ui.data(&format!("  {}", clean(fault).replace('\n', "\n  "))));
        }
    }
}

/// The lines that differ, with some around them.
fn difference(ui: Ui, expected: &str, actual: &str) {
    const AROUND: usize = 3;
    let diff = TextDiff::from_lines(expected, actual);
    for (n, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if n > 0 {
            ui.data(&ui.style(DIM, "  …"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = clean(change.value().trim_end_matches('\n'));
            ui.data(&match change.tag() {
                ChangeTag::Delete => ui.style(RED, &format!("  - {text}")),
                ChangeTag::Insert => ui.style(GREEN, &format!("  + {text}")),
                ChangeTag::Equal => format!("    {text}"),
            });
        }
    }
}
