//! This program's command line.

use crate::common::{Common, Data, DatasetName, at_least_one, writable};
use clap::Parser;
use std::path::PathBuf;

/// Compresses images to short codes and reconstructs them: three decoders side by side, and PCA.
#[derive(Parser)]
pub struct Options {
    /// The dataset (default: mnist, or digits without a data folder)
    #[arg(long)]
    pub dataset: Option<DatasetName>,
    #[command(flatten)]
    pub data: Data,
    /// Learn to reconstruct clean images from noisy ones
    #[arg(long)]
    pub denoise: bool,
    /// Number of passes over the training set (default: 60 for digits, 4 for mnist and fashion-mnist, 3 for cifar-10)
    #[arg(long, value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Skip training and load the models from this file
    #[arg(long, value_name = "FILE")]
    pub load: Option<PathBuf>,
    /// The folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    /// Save the trained models, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}
