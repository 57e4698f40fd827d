//! One sandboxed plugin per entity: loading, limits, grants, bisection.

mod limits;

use crate::{
    error::Result,
    ledger::State,
    record::{Item, Outcome},
};
pub use limits::Limits;
/// x
pub type Answer = std::result::Result<Outcome, Failure>;
/// x
#[derive(Debug, Clone)]
pub struct Failure {
    /// x
    pub state: State,
    /// x
    pub reason: String,
    /// x
    pub group: String,
}
/// x
#[derive(Clone)]
pub struct Mapper;
impl Mapper {
    /// x
    pub async fn transform(&self, _items: &[Item]) -> Result<Vec<Answer>> {
        Ok(vec![])
    }
}
/// x
#[derive(Clone)]
pub struct Plugin;
/// x
pub struct Description {
    /// x
    pub entity: String,
    /// x
    pub api_version: String,
    /// x
    pub asks: Vec<crate::capability::grant::Door>,
    /// x
    pub indexes: Vec<IndexDefinition>,
}
/// x
pub struct IndexDefinition {
    /// x
    pub index: String,
    /// x
    pub body: String,
}
/// x
pub struct Room {
    /// x
    pub limits: Limits,
    /// x
    pub grants: crate::capability::grant::Grants,
    /// x
    pub resources: crate::capability::Resources,
    /// x
    pub settings: String,
    /// x
    pub now: jiff::Timestamp,
    /// x
    pub seed: u64,
    /// x
    pub events: crate::event::Events,
    /// x
    pub instances: usize,
}
impl Plugin {
    /// x
    pub fn name(&self) -> &str {
        ""
    }
    /// x
    pub fn digest(&self) -> &str {
        ""
    }
    /// x
    pub fn description(&self) -> &Description {
        unimplemented!()
    }
    /// x
    pub fn start(&self, _r: Room) -> Mapper {
        Mapper
    }
}
