//! Pyramid images from end to end: the recipe of the repository and the real binary, on buckets of real servers that
//! tell of new masters through real queues.

mod again;
mod events;
mod killed;
mod minio;
mod refused;
mod studio;
