//! What the programs share: options, progress, curves, and the figures at the end.

// each program uses a part of this
#![allow(dead_code)]

pub mod mistakes;
mod options;
mod picture;
mod plot;
mod progress;
mod report;

pub use options::Options;
pub use plot::{Curve, plot};
pub use progress::Progress;
pub use report::Report;

use std::process::ExitCode;

/// Runs a program: an error is printed as a sentence, and its exit code says that there was one.
pub fn run(program: impl FnOnce() -> Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
