//! The plugin that makes tiled pyramid TIFFs of master images: what it asks for, and its reads.
//!
//! A request names an object of the bucket `masters`; its TIFF comes to the bucket `images`. The rules are in [`plan`],
//! the names in [`name`], the recipe's settings in [`options`]. A batch is read for as a whole, so that several images
//! are looked at at a time.

use std::convert::identity;

use reindex_guest::{
    Capability, Description, Flaw, Invalid, Item, Outcome, Plugin,
    image::{self, Object, Origin},
    settings,
    storage::{Bucket, Table},
};

pub mod name;
pub mod options;
pub mod plan;
pub mod request;

use options::Options;
use plan::{IMAGES, RECORDS, Seen, Task, plan};
use request::{MASTERS, Request};

/// The only bucket from which requests are taken away.
const PROCESS: &str = "process";

/// As many objects as a list has, at most; one as long may lack some.
const MOST_LISTED: usize = 1000;

/// The plugin.
pub struct Pyramids;

impl Plugin for Pyramids {
    fn describe() -> Description {
        Description::new("pyramids")
            .reads(Capability::Image, MASTERS)
            .reads(Capability::Storage, MASTERS)
            .reads(Capability::Storage, IMAGES)
            .writes(Capability::Storage, IMAGES)
            .writes(Capability::Storage, PROCESS)
            .reads(Capability::Storage, RECORDS)
            .if_granted()
            .writes(Capability::Storage, RECORDS)
            .if_granted()
    }

    fn transform(batch: Vec<Item>) -> Vec<Outcome> {
        let options = match Options::read(&settings::get()) {
            Ok(options) => options,
            Err(flaws) => return batch.iter().map(|_| misconfigured(&flaws).into()).collect(),
        };
        let requests = batch.iter().map(|item| Request::read(&item.body, options.whole_name)).collect();
        let tasks = together(requests, |requests| look(requests, &options));
        let outcomes = together(tasks, |tasks| open(tasks, &options));
        outcomes.into_iter().map(|decided| decided.unwrap_or_else(identity)).collect()
    }

    fn check(settings: &str) -> Vec<Flaw> {
        Options::read(settings).err().unwrap_or_default()
    }
}

fn misconfigured(flaws: &[Flaw]) -> Invalid {
    Invalid::new(flaws.iter().map(|flaw| flaw.reason.as_str()).collect::<Vec<_>>().join("; "))
}

/// Takes those of a batch a step further of which nothing is decided yet, all at once.
///
/// Where the step itself fails, each of them has its outcome.
fn together<T, U>(
    items: Vec<Result<T, Outcome>>,
    step: impl FnOnce(Vec<T>) -> Result<Vec<Result<U, Outcome>>, Outcome>,
) -> Vec<Result<U, Outcome>> {
    let mut open = Vec::new();
    let decided: Vec<_> = items.into_iter().map(|item| item.map(|item| open.push(item)).err()).collect();
    let (answers, otherwise) = match step(open) {
        Ok(answers) => (answers, Outcome::Retry("it was not answered".to_owned())),
        Err(outcome) => (Vec::new(), outcome),
    };
    let mut answers = answers.into_iter();
    let mut answer = || answers.next().unwrap_or_else(|| Err(otherwise.clone()));
    decided.into_iter().map(|decided| decided.map_or_else(&mut answer, Err)).collect()
}

/// Finds out what the buckets hold, and plans by it.
fn look(requests: Vec<Request>, options: &Options) -> Result<Vec<Result<Task, Outcome>>, Outcome> {
    let masters = Bucket::open(MASTERS)?;
    let keys: Vec<_> = requests.iter().map(|request| request.master.key.clone()).collect();
    let outputs: Vec<_> = requests.iter().map(|request| request.output.clone()).collect();
    let found = masters.head_many(&keys)?;
    let made = Bucket::open(IMAGES)?.head_many(&outputs)?;
    let namesakes = if options.whole_name { vec![Vec::new(); keys.len()] } else { namesakes(&masters, &requests)? };
    let records = match options.records {
        Some(_) => Table::open(RECORDS)?.get_many(&keys)?,
        None => vec![None; keys.len()],
    };
    let seen = found.into_iter().zip(namesakes).zip(made).zip(records);
    let seen = seen.map(|(((master, namesakes), made), record)| Seen { master, namesakes, made, record });
    Ok(requests.into_iter().zip(seen).map(|(request, seen)| plan(request, seen, options)).collect())
}

/// The keys of masters that share path and stem, for each request.
fn namesakes(masters: &Bucket, requests: &[Request]) -> Result<Vec<Vec<String>>, Outcome> {
    let prefixes: Vec<_> = requests.iter().map(|request| format!("{}.", request.master.base())).collect();
    let lists = masters.list_many(&prefixes)?.into_iter().zip(requests);
    let some = lists.map(|(list, Request { master, .. })| {
        let objects = if list.len() < MOST_LISTED {
            list
        } else {
            let all: Vec<_> = master.namesakes().collect();
            masters.head_many(&all)?.into_iter().flatten().collect()
        };
        Ok(objects.into_iter().map(|object| object.key).filter(|key| master.shares_stem_with(key)).collect())
    });
    some.collect()
}

/// Looks at the images themselves, and says what is to be made of them.
fn open(tasks: Vec<Task>, options: &Options) -> Result<Vec<Result<Outcome, Outcome>>, Outcome> {
    let origin = |task: &Task| Origin::Object(Object { bucket: MASTERS.to_owned(), key: task.master().key.clone() });
    let headers = image::describe_many(&tasks.iter().map(origin).collect::<Vec<_>>())?;
    let renditions: Vec<_> = tasks.iter().map(|task| task.measured(options)).collect();
    let sizes = image::measure_many(&renditions)?;
    let images = headers.into_iter().zip(sizes);
    Ok(tasks.into_iter().zip(images).map(|(task, (header, size))| Ok(task.outcome(&header?, size?, options))).collect())
}

reindex_guest::export!(Pyramids);
