//! What a recipe of requests needs beside its runs: who takes in events, and asking for everything once more.

use std::sync::Arc;

use super::Project;
use crate::{
    error::{Error, Result},
    event::Events,
    pipeline::Stop,
    recipe::{self, Source},
    request::{Again, Asked, Choice, Intake, Notifier, Requests, Served},
};

impl Project {
    /// The recipe's requests.
    ///
    /// *Errors*: its source is another.
    pub fn requests(&self) -> Result<Arc<Requests>> {
        let Source::Requests { bucket, prefix, objects, .. } = &self.recipe.source else {
            return Err(Error::usage("the recipe's source is none of requests")
                .with("recipe", self.recipe.place_of("source"))
                .hint("`[source.requests]` names the buckets of requests and of the objects they ask for"));
        };
        let (bucket, objects) = (self.served(bucket)?, self.served(objects)?);
        Ok(Arc::new(Requests::new(bucket, prefix, objects, self.max_bytes())))
    }

    /// Which objects the recipe makes requests of.
    pub fn choice(&self) -> Choice {
        match &self.recipe.source {
            Source::Requests { prefixes, endings, .. } => {
                Choice { prefixes: prefixes.clone(), endings: endings.clone() }
            }
            _ => Choice::default(),
        }
    }

    /// The intake of events of the objects' bucket, which writes requests; none if the recipe names no notifier.
    pub fn intake(&self, events: &Events) -> Result<Option<Intake>> {
        let Source::Requests { objects, intake: Some(intake), .. } = &self.recipe.source else { return Ok(None) };
        let notifier = match intake {
            recipe::Intake::Queue(queue) => Notifier::Queue(self.queue(queue)?),
            recipe::Intake::Watch => {
                let bound = self.environment.backends.get(objects);
                let watch = self.backends.watch(objects, bound, &self.recipe.name, events);
                Notifier::Watch(
                    watch.map_err(|error| error.with("recipe", self.recipe.place_of("source.requests.watch")))?,
                )
            }
        };
        Ok(Some(Intake::new(notifier, self.requests()?, self.choice(), events.clone())))
    }

    fn served(&self, name: &str) -> Result<Served> {
        let bucket = self.backends.bucket(name, self.environment.backends.get(name))?;
        Ok(Served { name: name.to_owned(), bucket })
    }

    /// Refuses servers that are others than the environment says, before anything is written to them.
    pub async fn look(&self) -> Result<()> {
        self.servers().look(&self.resources()?).await.map(drop)
    }

    /// Asks once more for the objects whose keys begin so, or for all of the recipe's; `each` is handed their keys page
    /// by page, and what they come to so far. Nothing is written where it is `dry`. Answers whether it came to the end.
    pub async fn rerun(
        &self,
        prefixes: Option<&[String]>,
        dry: bool,
        (events, stop): (&Events, &Stop),
        each: impl FnMut(&[String], &Asked),
    ) -> Result<(Asked, bool)> {
        let requests = self.requests()?;
        self.look().await?;
        let Choice { prefixes: own, endings } = self.choice();
        let own = if own.is_empty() { vec![String::new()] } else { own };
        let choice = Choice { prefixes: Vec::new(), endings };
        let attempts = self.recipe.run.attempts;
        let again = Again { prefixes: prefixes.unwrap_or(&own), choice: &choice, dry, attempts };
        requests.ask_again(again, (events, stop), each).await
    }
}
