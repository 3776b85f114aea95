//! The command line of this program.

use crate::common::{Common, Data, DatasetName, at_least_one, writable};
use clap::Parser;
use std::path::PathBuf;

/// Makes images short codes, and images of the codes again: three decoders side by side, and PCA.
#[derive(Parser)]
pub struct Options {
    /// What to learn from (otherwise mnist, and digits where there is no folder)
    #[arg(long)]
    pub dataset: Option<DatasetName>,
    #[command(flatten)]
    pub data: Data,
    /// Learn to make clean images of noisy ones
    #[arg(long)]
    pub denoise: bool,
    /// How often to go through the training set (otherwise digits 60, mnist and fashion-mnist 4, cifar-10 3)
    #[arg(long, value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Do not train: take the models from this file
    #[arg(long, value_name = "FILE")]
    pub load: Option<PathBuf>,
    /// Where the pictures go
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    /// Save the trained models, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}
