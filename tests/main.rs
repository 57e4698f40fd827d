//! Every integration test in one binary, so that the library is linked once.

mod sandbox;
