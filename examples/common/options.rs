//! How the programs read their command lines: each has a struct of its own with its options, made of these pieces where
//! they are the same.

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser};
use std::path::PathBuf;
use taut::files::ensure_writable;

/// What every program takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The seed of everything random
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print the figures as one JSON object on the last line
    #[arg(long)]
    pub json: bool,
}

/// Where the training set is, and how much of it is used.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// The folder of the data (otherwise the variable TAUT_DATA, or ./data)
    #[arg(long = "data", value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Use only the first LIMIT training samples
    #[arg(long, value_parser = at_least_one)]
    pub limit: Option<usize>,
}

impl Data {
    /// Whether the limit leaves enough samples to learn from, of which there are so many here.
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

/// Reads the command line. `--help`, and what cannot be understood, end the program.
pub fn parse<Options: Parser>() -> Options {
    Options::try_parse().unwrap_or_else(|error| {
        if error.use_stderr() {
            error.exit()
        }
        // clap's own printing of the help says nothing if it fails
        print!("{error}");
        std::process::exit(error.exit_code())
    })
}

/// A count of something that there must be.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".into()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

/// A file to write: that it cannot be written is said now, not after an hour of training.
pub fn writable() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| ensure_writable(&path).map(|()| path))
}
