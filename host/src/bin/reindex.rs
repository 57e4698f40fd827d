//! The command line of `reindex`; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    reindex::cli::main()
}
