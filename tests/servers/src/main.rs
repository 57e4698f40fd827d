//! `servers run dynamodb opensearch`: the servers of the tests, for trying things by hand.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks")]

use std::{
    io::{self, Read},
    process::ExitCode,
};

use servers::{Credentials, Error, Options, Running, Server, fetch, is_fetched, start};

const USAGE: &str = "usage: servers fetch [SERVER…]   all of them, unless some are named
       servers run SERVER…       until standard input ends, or Ctrl-C
       servers list";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (command, named) = arguments.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let named: Vec<Server> = match named.iter().map(|name| name.parse()).collect() {
        Ok(named) => named,
        Err(why) => return fail(&format!("{why}\n{USAGE}")),
    };
    match (command, &named[..]) {
        ("fetch", []) => fetch_all(&Server::ALL),
        ("fetch", named) => fetch_all(named),
        ("run", [_, ..]) => run(&named).map_or_else(|error| fail(&error.to_string()), |()| ExitCode::SUCCESS),
        ("list", []) => list(),
        _ => fail(USAGE),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Fetches what can be had, so that one run says everything that is missing.
fn fetch_all(servers: &[Server]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for server in servers {
        match fetch(*server) {
            Ok(_) => eprintln!("{server} is here"),
            Err(error) => code = fail(&error.to_string()),
        }
    }
    code
}

fn list() -> ExitCode {
    for server in Server::ALL {
        let state = if is_fetched(server).unwrap_or_default() { "fetched" } else { "not fetched" };
        println!("{server} {state}");
    }
    ExitCode::SUCCESS
}

fn run(servers: &[Server]) -> Result<(), Error> {
    let options = Options::default();
    let running: Vec<Running> = servers.iter().map(|server| start(*server, &options)).collect::<Result<_, _>>()?;
    for server in &running {
        println!("{} {}", server.server(), server.url());
    }
    hint(&running);
    // An unreadable standard input has ended as well.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

/// What the AWS clients take from their environment.
fn hint(running: &[Running]) {
    for server in running {
        let service = match server.server() {
            Server::Dynamodb => "DYNAMODB",
            Server::S3 | Server::Minio => "S3",
            Server::Sqs => "SQS",
            Server::Opensearch | Server::Elasticsearch | Server::Nats => continue,
        };
        eprintln!("export AWS_ENDPOINT_URL_{service}={}", server.url());
    }
    if let Some(Credentials { access_key, secret_key, region }) = running.iter().find_map(Running::credentials) {
        eprintln!("export AWS_ACCESS_KEY_ID={access_key} AWS_SECRET_ACCESS_KEY={secret_key} AWS_REGION={region}");
    }
}
