//! Writes requests for existing objects: each object under some prefixes gets a request, even if it was done before.

use std::collections::BTreeMap;

use super::{Choice, Passed, Requests};
use crate::{
    capability::storage::{Listing, Omissions, Omitted},
    error::Result,
    event::Events,
    pipeline::{Stop, insist},
};

/// How many objects are listed and requested at a time.
const PAGE: usize = 1000;

/// How requests for existing objects are written again.
#[derive(Debug, Clone, Copy)]
pub struct Again<'a> {
    /// What the keys begin with; one empty text means all.
    pub prefixes: &'a [String],
    /// Which of those objects get a request.
    pub choice: &'a Choice,
    /// Whether nothing is written.
    pub dry: bool,
    /// How often a call to a busy server is tried.
    pub attempts: u32,
}

/// What was requested, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// How many objects got a request.
    pub asked: u64,
    /// How many did not, by reason.
    pub passed: BTreeMap<&'static str, u64>,
    /// Entries that are served as no object, although their names are accepted by the choice.
    #[serde(skip_serializing_if = "Omissions::is_empty")]
    pub omitted: Omissions,
}

impl Requests {
    /// Writes requests for existing objects, a page at a time, and hands each page's keys to `each`. Returns whether it
    /// reached the end. A second call changes nothing that is still to be done.
    pub async fn ask_again(
        &self,
        again: Again<'_>,
        (events, stop): (&Events, &Stop),
        mut each: impl FnMut(&[String], &Asked),
    ) -> Result<(Asked, bool)> {
        let mut asked = Asked::default();
        for prefix in apart(again.prefixes) {
            let mut after: Option<String> = None;
            loop {
                if stop.is_asked() {
                    return Ok((asked, false));
                }
                let list = || self.objects().bucket.list(prefix, after.as_deref(), PAGE);
                let Listing { objects, omitted, next } = insist(again.attempts, events, list).await?;
                let keys = asked.take(objects.into_iter().map(|info| info.key), again.choice);
                asked.omit(omitted, again.choice);
                if !again.dry {
                    let requests = || keys.iter().map(|key| self.ask(key).forced()).collect();
                    insist(again.attempts, events, || self.write(requests())).await?;
                }
                each(&keys, &asked);
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok((asked, true))
    }
}

impl Asked {
    /// Counts keys, and returns those that get a request.
    fn take(&mut self, keys: impl Iterator<Item = String>, choice: &Choice) -> Vec<String> {
        let mut taken = Vec::new();
        for key in keys {
            match choice.passes(&key) {
                Some(passed) => *self.passed.entry(passed.text()).or_default() += 1,
                None => taken.push(key),
            }
        }
        self.asked += taken.len() as u64;
        taken
    }

    /// Counts entries that are no objects, unless the choice would pass over them in any case.
    fn omit(&mut self, omitted: Vec<Omitted>, choice: &Choice) {
        for entry in omitted {
            match choice.passes(&entry.name) {
                Some(passed) if passed != Passed::Folder => *self.passed.entry(passed.text()).or_default() += 1,
                _ => self.omitted.add(entry),
            }
        }
    }
}

/// The prefixes without those that others contain, so that no object is listed twice.
fn apart(prefixes: &[String]) -> Vec<&str> {
    let mut sorted: Vec<_> = prefixes.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup_by(|later, earlier| later.starts_with(*earlier));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_within_another_is_not_listed_twice() {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert_eq!(apart(&texts(&["b", "a/x", "a/", "a/", "ab"])), ["a/", "ab", "b"]);
        assert_eq!(apart(&texts(&["b", "", "a"])), [""]);
        assert!(apart(&[]).is_empty());
    }
}
