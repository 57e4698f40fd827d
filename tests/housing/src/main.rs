//! `housing people 100000 > people.jsonl`: made-up records, one a line.

use std::io::{self, BufWriter, ErrorKind, Write};

use clap::Parser;
use housing::{Form, Housing, Kind};

/// Writes made-up persons, tenures and assets, one record a line. Links are complete for four people to three
/// tenancies and three properties.
#[derive(Parser)]
struct Arguments {
    /// The table to write.
    kind: Kind,
    /// How many records.
    #[arg(value_parser = clap::value_parser!(u64).range(..=1 << 60))]
    count: u64,
    /// The number of the first record.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1 << 60))]
    from: u64,
    /// Another seed makes other people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many of a thousand records are faulty; 4 if no number is given.
    #[arg(long, default_value_t = 0, default_missing_value = "4", num_args = 0..=1, require_equals = true)]
    invalid: u64,
    /// How a record is written.
    #[arg(long, default_value = "dynamodb-json")]
    form: Form,
}

fn main() -> io::Result<()> {
    match write(&Arguments::parse()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn write(arguments: &Arguments) -> io::Result<()> {
    let Arguments { kind, count, from, seed, invalid, form } = *arguments;
    let housing = Housing { seed, invalid_per_thousand: invalid, form };
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut line = String::new();
    for n in from..from + count {
        line.clear();
        housing.append(kind, n, &mut line);
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}
