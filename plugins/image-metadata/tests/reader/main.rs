//! What the reader finds in images: worked examples, any bytes, and the libraries whose texts it has.

mod container;
mod examples;
