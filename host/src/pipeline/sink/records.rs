//! Records: put into their tables, and updates of existing records.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Refusal, Settled, Sinks, Work, bound, settled};
use crate::{
    capability::storage::Update,
    error::Result,
    ledger::State,
    record::{self, Effect},
};

impl Sinks {
    pub(super) async fn records(&self, batch: &mut [Work]) -> Result<()> {
        let mut tables: BTreeMap<String, (Vec<usize>, Vec<String>)> = BTreeMap::new();
        for (at, work) in batch.iter().enumerate().filter(|(_, work)| work.failure.is_none()) {
            for effect in &work.effects {
                if let Effect::PutRecord { table, body } = effect {
                    let (owners, records) = tables.entry(table.clone()).or_default();
                    owners.push(at);
                    records.push(body.clone());
                }
            }
        }
        for (name, (owners, records)) in tables {
            let table = bound(&self.resources.tables, "table", &name)?;
            let answers = self.insist(|| table.put_many(&records)).await?;
            for (at, answer) in owners.into_iter().zip(answers) {
                match settled(answer, &[])? {
                    Ok(()) => batch[at].counts.records += 1,
                    Err(refusal) => batch[at].fail(refusal),
                }
            }
        }
        Ok(())
    }

    pub(super) async fn updates(&self, batch: &mut [Work]) -> Result<()> {
        let mut tables: BTreeMap<String, (Vec<usize>, Vec<Update>)> = BTreeMap::new();
        for (at, work) in batch.iter_mut().enumerate().filter(|(_, work)| work.failure.is_none()) {
            let updates: Vec<_> = work.effects.iter().filter_map(|effect| self.update(effect)).collect();
            for (table, update) in updates {
                match update {
                    Ok(update) => {
                        let (owners, updates) = tables.entry(table).or_default();
                        owners.push(at);
                        updates.push(update);
                    }
                    Err(refusal) => work.fail(refusal),
                }
            }
        }
        for (name, (owners, updates)) in tables {
            let table = bound(&self.resources.tables, "table", &name)?;
            let answers = self.insist(|| table.update_many(&updates)).await?;
            for ((at, update), answer) in owners.into_iter().zip(&updates).zip(answers) {
                match settled(answer, &[&update.key])? {
                    Ok(true) => batch[at].counts.records += 1,
                    Ok(false) => batch[at].fail(missing(&name, &update.key)),
                    Err(refusal) => batch[at].fail(refusal),
                }
            }
        }
        Ok(())
    }

    /// Returns the update of an effect, with the time in it if it asks for one.
    fn update(&self, effect: &Effect) -> Option<(String, Settled<Update>)> {
        let Effect::UpdateRecord { table, key, attributes, timed } = effect else { return None };
        let time = timed.iter().map(|name| (name.clone(), json!(self.clock.now().to_string())));
        let time = serde_json::Value::Object(time.collect()).to_string();
        let attributes = record::set(attributes, &time);
        let update = attributes.map(|attributes| Update { key: key.clone(), attributes });
        let refused = |reason| Refusal::new(State::KnownError, format!("the attributes {reason}"), &[]);
        Some((table.clone(), update.map_err(refused)))
    }
}

fn missing(table: &str, key: &str) -> Refusal {
    Refusal::new(State::KnownError, format!("there is no record `{key}` in `{table}`"), &[key])
}
