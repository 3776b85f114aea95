//! What the programs share: options, progress, curves, and the figures at the end.

// each program uses a part of this
#![allow(dead_code, unused_imports)]

pub mod agents;
mod confusion;
mod mistakes;
mod options;
mod picture;
mod plot;
mod progress;
mod report;
mod scatter;

pub use confusion::draw_confusion;
pub use mistakes::{Mistake, draw_mistakes};
pub use options::Options;
pub use plot::{Curve, Panel, plot, plot_panels};
pub use progress::Progress;
pub use report::Report;
pub use scatter::{Place, draw_words};

use std::path::PathBuf;
use std::process::ExitCode;
use taut::data::{find_folder, mnist};
use taut::files::FileError;

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

/// The folder of the dataset that was asked for, MNIST or Fashion-MNIST.
pub fn mnist_folder(options: &Options) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let folder: Result<_, FileError> = match options.dataset.as_str() {
        "mnist" => mnist::find(options.data.as_deref()),
        "fashion-mnist" => find_folder(options.data.as_deref(), "fashion-mnist", "train-images-idx3-ubyte"),
        other => return Err(format!("--dataset {other}: there are mnist and fashion-mnist").into()),
    };
    Ok(folder?)
}
