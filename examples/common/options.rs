//! Command lines: each program has its own options struct, built from these pieces where they are the same.

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser};
use std::path::PathBuf;
use taut::distributed::Parts;
use taut::files::ensure_writable;

/// The options of every program.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The seed of everything random
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print the figures as one JSON object on the last line
    #[arg(long)]
    pub json: bool,
    /// Write configuration, metrics and model to this folder (with `--features tensorboard` for TensorBoard, too)
    #[arg(long, value_name = "FOLDER")]
    pub record: Option<PathBuf>,
}

/// Where the training set is, and how much of it to use.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// The data folder (default: the variable TAUT_DATA, or ./data)
    #[arg(long = "data", value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Use only the first LIMIT training samples
    #[arg(long, value_parser = at_least_one)]
    pub limit: Option<usize>,
}

impl Data {
    /// Checks that the limit leaves at least `least` of `samples` samples to learn from.
    pub fn enough(&self, samples: usize, least: usize) -> Result<(), String> {
        match self.limit {
            _ if samples >= least => Ok(()),
            Some(limit) => {
                Err(format!("--limit {limit} leaves {samples} samples to learn from, and {least} are needed"))
            }
            None => Err(format!("there are {samples} samples to learn from, and {least} are needed")),
        }
    }
}

/// How batches are shared out among the processes that `mpirun` started.
#[derive(Args, Clone, Debug)]
pub struct Processes {
    /// Cut each batch into this many parts, which the processes share: any number of them gives the same results
    #[arg(long, default_value_t = 4, value_parser = at_least_one)]
    parts: usize,
    /// Cut each batch into one part for each process instead: faster, and another number of them gives other results
    #[arg(long, conflicts_with = "parts")]
    part_per_process: bool,
}

impl Processes {
    pub fn parts(&self) -> Parts {
        if self.part_per_process { Parts::OnePerRank } else { Parts::Fixed(self.parts) }
    }
}

/// Reads the command line. `--help` and invalid arguments end the program.
pub fn parse<Options: Parser>() -> Options {
    Options::try_parse().unwrap_or_else(|error| {
        if error.use_stderr() {
            error.exit()
        }
        // clap's own printing of the help ignores failures to write
        print!("{error}");
        std::process::exit(error.exit_code())
    })
}

/// Parses a count that must not be 0.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".into()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

/// A file to write. If it cannot be written, that is said now, not after an hour of training.
pub fn writable() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| ensure_writable(&path).map(|()| path))
}
