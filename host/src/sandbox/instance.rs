//! One instance of a plugin, and one call of it with every limit applied.
//!
//! A call that did not return cleanly leaves an instance that must not be used again: the caller drops it.

use std::{pin::pin, sync::Arc};

use wasmtime::{
    Store, UpdateDeadline,
    component::{ComponentExportIndex, ComponentType, Lift},
};

use super::{
    context::Services,
    fault::{Exceeded, Fault},
    guest::{Guest, Log, PluginPre, mapping, types},
    meter::Meter,
    reads::Reads,
};
use crate::record::Item;

/// How many ticks a plugin runs before it is checked and other tasks run.
const TICKS: u64 = 1;

/// What a plugin finds wrong with one of its settings.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
pub struct Flaw {
    /// The setting's name under `[plugin.settings]`, with dots if it is nested; empty if it is about all of them.
    pub setting: String,
    /// What is wrong with it, and what is expected.
    pub reason: String,
}

/// A plugin with its memory, ready to be called.
pub struct Instance {
    store: Store<Guest>,
    plugin: super::guest::Plugin,
}

impl Instance {
    /// Makes a fresh instance with its services.
    pub async fn new(pre: &PluginPre<Guest>, name: &str, services: &Arc<Services>) -> Result<Self, Fault> {
        let mut store = store(pre, name, services);
        let guard = LimitsGuard::begin(&mut store, 0);
        let plugin = guard.over(pre.instantiate_async(&mut store)).await?;
        Ok(Self { store, plugin })
    }

    /// Asks the plugin for its description.
    pub async fn describe(&mut self) -> Result<mapping::Description, Fault> {
        let mapping = self.plugin.reindex_plugin_mapping();
        LimitsGuard::begin(&mut self.store, 0).over(mapping.call_describe(&mut self.store)).await
    }

    /// Passes a batch to the plugin. Its reads go through `reads`, which keeps the answers.
    pub async fn transform(&mut self, items: &[Item], reads: &mut Reads) -> Result<Vec<types::Outcome>, Fault> {
        let batch: Vec<_> =
            items.iter().map(|item| types::Item { id: &item.id, version: item.version, body: &item.body }).collect();
        reads.alone = items.len() == 1;
        std::mem::swap(&mut self.store.data_mut().reads, reads);
        let mapping = self.plugin.reindex_plugin_mapping();
        let guard = LimitsGuard::begin(&mut self.store, items.len());
        let answer = guard.over(mapping.call_transform(&mut self.store, &batch)).await;
        std::mem::swap(&mut self.store.data_mut().reads, reads);
        answer.and_then(|outcomes| {
            if outcomes.len() == items.len() { Ok(outcomes) } else { Err(Fault::count(items.len(), outcomes.len())) }
        })
    }
}

/// Asks a fresh instance what is wrong with the settings of its context, through the optional `configuration` export.
pub async fn check(
    pre: &PluginPre<Guest>,
    name: &str,
    services: &Arc<Services>,
    export: &ComponentExportIndex,
) -> Result<Vec<Flaw>, Fault> {
    let mut store = store(pre, name, services);
    let guard = LimitsGuard::begin(&mut store, 0);
    let settings = services.context.settings.as_str();
    let call = async {
        let instance = pre.instance_pre().instantiate_async(&mut store).await?;
        let check = instance.get_typed_func::<(&str,), (Vec<Flaw>,)>(&mut store, export)?;
        Ok(check.call_async(&mut store, (settings,)).await?.0)
    };
    guard.over(call).await
}

/// The memory of an instance, with every limit applied.
fn store(pre: &PluginPre<Guest>, name: &str, services: &Arc<Services>) -> Store<Guest> {
    let mut store = Store::new(pre.engine(), Guest::new(name, services));
    store.limiter(|guest| &mut guest.limiter);
    store.epoch_deadline_callback(|guest| {
        if guest.data().meter.tick() {
            Ok(UpdateDeadline::YieldCustom(TICKS, Box::pin(tokio::task::yield_now())))
        } else {
            Err(Exceeded::Cpu.into())
        }
    });
    store.set_hostcall_fuel(usize::try_from(services.context.limits.output.as_u64()).unwrap_or(usize::MAX));
    store
}

/// Enforces the limits of one call: CPU and wall time. Keeps what the plugin wrote meanwhile.
struct LimitsGuard {
    meter: Arc<Meter>,
    services: Arc<Services>,
    log: Log,
    records: usize,
}

impl LimitsGuard {
    fn begin(store: &mut Store<Guest>, records: usize) -> Self {
        store.set_epoch_deadline(TICKS);
        let guest = store.data();
        let guard =
            Self { meter: guest.meter.clone(), services: guest.services.clone(), log: guest.log.clone(), records };
        guard.meter.begin(guard.services.context.limits.cpu_for(records));
        guard
    }

    /// Runs the call to its end or to a limit, and explains a failure.
    async fn over<T>(self, call: impl Future<Output = wasmtime::Result<T>>) -> Result<T, Fault> {
        let limits = &self.services.context.limits;
        let answer = tokio::time::timeout(limits.wall, self.meter.measure(pin!(call))).await;
        let written = self.log.end_call();
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Fault::new(&error, limits, self.records, &written)),
            Err(_) => Err(Fault::late(limits, self.records, &written)),
        }
    }
}
