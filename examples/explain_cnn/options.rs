//! This program's command line.

use crate::common::{Common, Data, DatasetName, at_least_one, writable};
use clap::Parser;
use std::path::PathBuf;

/// Shows what a convolutional network looks at, and checks whether the maps can be trusted.
#[derive(Parser)]
pub struct Options {
    /// The dataset (default: mnist, or digits without a data folder)
    #[arg(long)]
    pub dataset: Option<DatasetName>,
    #[command(flatten)]
    pub data: Data,
    /// Number of passes over the training set (default: 15 for digits, 2 for the others)
    #[arg(long, value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Explain a network saved by mnist_cnn, cifar10_cnn or this program (`--save`)
    #[arg(long, value_name = "FILE")]
    pub load: Option<PathBuf>,
    /// The folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    /// Save the trained network, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}
