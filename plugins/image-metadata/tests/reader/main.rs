//! What the reader finds in images: worked examples, any bytes, and the libraries whose texts it has.

mod any_bytes;
mod container;
mod examples;
mod reference;
mod samples;
mod seed;
