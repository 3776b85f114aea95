//! What the programs share: options, progress, curves, and the figures at the end.

// each program uses only part of this
#![allow(dead_code, unused_imports)]

/// Like the standard library's macro, which panics when the reader is gone (`| head -1`) or the disk is full. This one
/// ends the program, with a message in the second case.
macro_rules! print {
    ($($argument:tt)*) => { $crate::common::write_out(format_args!($($argument)*)) };
}

/// Like [`print`], followed by a newline.
macro_rules! println {
    () => { $crate::common::write_out(format_args!("\n")) };
    ($($argument:tt)*) => { $crate::common::write_out(format_args!("{}\n", format_args!($($argument)*))) };
}

pub mod agents;
mod confusion;
mod mistakes;
mod options;
mod picture;
mod plot;
mod progress;
mod recorder;
mod report;
mod scatter;

pub use confusion::draw_confusion;
pub use mistakes::{Mistake, draw_mistakes};
pub use options::{Common, Data, Processes, at_least_one, parse, writable};
pub use picture::{BLACK, Picture};
pub use plot::{Curve, Panel, plot, plot_panels};
pub use progress::Progress;
pub use recorder::Recorder;
pub use report::Report;
pub use scatter::{Place, draw_words};

use clap::ValueEnum;
use std::fmt::{self, Display, Formatter};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use taut::data::{find_folder, mnist};
use taut::distributed::{self, Communicator};
use taut::files::FileError;

/// Whether another process prints.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Whether this process leaves it to another one to print and to write.
fn is_quiet() -> bool {
    QUIET.load(Relaxed)
}

/// Writes to standard output, or ends the program.
pub fn write_out(arguments: std::fmt::Arguments<'_>) {
    if is_quiet() {
        return;
    }
    /// The exit code of a program that wrote to a closed pipe, as shells report it.
    const CLOSED_PIPE: i32 = 141;
    if let Err(error) = std::io::stdout().write_fmt(arguments) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(CLOSED_PIPE);
        }
        eprintln!("error: the standard output cannot be written: {error}");
        std::process::exit(1)
    }
}

/// Runs a program: an error is printed as a sentence and makes the exit code nonzero.
pub fn run(program: impl FnOnce() -> Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a program on all processes that `mpirun` started, or on this one: the first prints.
pub fn run_on_all(program: impl FnOnce(&dyn Communicator) -> Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    run(|| {
        distributed::run(|world| {
            QUIET.store(!world.is_first(), Relaxed);
            program(world)
        })
    })
}

/// Two datasets whose files have the same names and sizes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MnistKind {
    Mnist,
    FashionMnist,
}

impl MnistKind {
    /// Where its files are.
    pub fn folder(self, data: Option<&Path>) -> Result<PathBuf, FileError> {
        match self {
            MnistKind::Mnist => mnist::find(data),
            MnistKind::FashionMnist => find_folder(data, "fashion-mnist", "train-images-idx3-ubyte"),
        }
    }
}

impl Display for MnistKind {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write_name(*self, formatter)
    }
}

/// The image datasets.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DatasetName {
    Digits,
    Mnist,
    FashionMnist,
    #[value(name = "cifar-10")]
    Cifar10,
}

impl Display for DatasetName {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write_name(*self, formatter)
    }
}

/// Writes a value's name on the command line.
fn write_name(value: impl ValueEnum, formatter: &mut Formatter) -> fmt::Result {
    formatter.write_str(value.to_possible_value().expect("no value is skipped").get_name())
}
