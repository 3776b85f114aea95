//! This program's command line.

use crate::common::{Common, Data, at_least_one, writable};
use crate::losses::Loss;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Trains a generator of images against a critic, and measures its images
#[derive(Parser)]
pub struct Options {
    /// The dataset (default: mnist, or digits without a data folder)
    #[arg(long)]
    pub dataset: Option<DatasetName>,
    #[command(flatten)]
    pub data: Data,
    /// The objective of the two networks
    #[arg(long, value_enum, default_value_t = Loss::Original)]
    pub loss: Loss,
    /// Tell both networks the class of each image
    #[arg(long)]
    pub conditional: bool,
    /// Number of passes over the training set (default: 40 for digits, 5 for mnist and fashion-mnist)
    #[arg(long, value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// Number of images to measure
    #[arg(long, value_name = "COUNT", value_parser = at_least_one, default_value_t = 10_000)]
    pub samples: usize,
    /// The standard deviation of the noise for the images drawn and measured; below that of training, 1, they are
    /// clearer and less varied
    #[arg(long, value_name = "NUMBER", value_parser = not_negative, default_value_t = 0.9)]
    pub deviation: f32,
    /// Skip training and load the generator from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["checkpoint", "epochs"])]
    pub load: Option<PathBuf>,
    /// Save everything needed to resume to this file after each epoch
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub checkpoint: Option<PathBuf>,
    /// Resume from the file given by --checkpoint
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
    /// Save the averaged generator, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub save: Option<PathBuf>,
    /// The folder for the pictures and the classifier
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

/// The datasets of grayscale images.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum DatasetName {
    Digits,
    Mnist,
    FashionMnist,
}

fn not_negative(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|error| format!("{error}"))?;
    if number >= 0.0 && number.is_finite() { Ok(number) } else { Err("it must be 0 or more, and finite".into()) }
}
