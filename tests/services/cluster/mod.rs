//! Whole runs by several processes: the real binary, a ledger in DynamoDB, and an index in a real cluster.

mod load;
mod prune;
mod race;
mod rebuild;
mod verify;
mod workers;
mod yard;

use servers::Server;

const ENGINES: [Server; 2] = [Server::Opensearch, Server::Elasticsearch];
