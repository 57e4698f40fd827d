//! Queues on the real servers: what every queue promises, and what only a service can suffer.

mod nats;
pub mod sqs;
