//! One sandboxed plugin per entity: loading, limits, grants, bisection.

mod limits;

pub use limits::Limits;
