//! Every test that is not a unit test, in one binary, so that the library is linked once.

mod contract;
mod sandbox;
