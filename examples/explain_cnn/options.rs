//! The command line of this program.

use crate::common::{Common, Data, DatasetName, at_least_one, writable};
use clap::Parser;
use std::path::PathBuf;

/// Shows what a convolutional network looks at, and checks whether the maps can be trusted.
#[derive(Parser)]
pub struct Options {
    /// What to learn from (otherwise mnist, and digits where there is no folder)
    #[arg(long)]
    pub dataset: Option<DatasetName>,
    #[command(flatten)]
    pub data: Data,
    /// How often to go through the training set (otherwise digits 15, the others 2)
    #[arg(long, value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Explain a network that mnist_cnn or cifar10_cnn saved, or this program (`--save`)
    #[arg(long, value_name = "FILE")]
    pub load: Option<PathBuf>,
    /// Where the pictures go
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    /// Save the trained network, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}
