//! What the programs share: options, progress, curves, and the figures at the end.

// each program uses a part of this
#![allow(dead_code, unused_imports)]

/// Prints as the standard library's macro of this name, which panics where nobody reads any more (`| head -1`) and where
/// the disk is full. This one ends the program, with a sentence in the second case.
macro_rules! print {
    ($($argument:tt)*) => { $crate::common::write_out(format_args!($($argument)*)) };
}

/// As [`print`], and a line end.
macro_rules! println {
    () => { $crate::common::write_out(format_args!("\n")) };
    ($($argument:tt)*) => { $crate::common::write_out(format_args!("{}\n", format_args!($($argument)*))) };
}

pub mod agents;
mod command_line;
mod confusion;
mod mistakes;
mod options;
mod picture;
mod plot;
mod progress;
mod report;
mod scatter;

pub use command_line::{Known, at_least_one, read_options};
pub use confusion::draw_confusion;
pub use mistakes::{Mistake, draw_mistakes};
pub use options::Options;
pub use picture::{BLACK, Picture};
pub use plot::{Curve, Panel, plot, plot_panels};
pub use progress::Progress;
pub use report::Report;
pub use scatter::{Place, draw_words};

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use taut::data::{find_folder, mnist};

/// Writes to the standard output, or ends the program.
pub fn write_out(arguments: std::fmt::Arguments<'_>) {
    /// What a shell reports of a program that wrote to a closed pipe.
    const CLOSED_PIPE: i32 = 141;
    if let Err(error) = std::io::stdout().write_fmt(arguments) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(CLOSED_PIPE);
        }
        eprintln!("error: the standard output cannot be written: {error}");
        std::process::exit(1)
    }
}

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
    find_mnist(&options.dataset, options.data.as_deref())
}

/// The folder of the dataset of this name, MNIST or Fashion-MNIST.
pub fn find_mnist(name: &str, data: Option<&Path>) -> Result<PathBuf, Box<dyn std::error::Error>> {
    match name {
        "mnist" => Ok(mnist::find(data)?),
        "fashion-mnist" => Ok(find_folder(data, "fashion-mnist", "train-images-idx3-ubyte")?),
        other => Err(format!("--dataset {other}: there are mnist and fashion-mnist").into()),
    }
}
