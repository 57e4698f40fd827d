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
