//! The command line of this program.

use crate::common::{Common, Data, at_least_one, writable};
use crate::losses::Loss;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Trains a generator of images against a critic, and measures what it makes.
#[derive(Parser)]
pub struct Options {
    /// What to learn from (otherwise mnist, and digits where there is no folder)
    #[arg(long)]
    pub dataset: Option<DatasetName>,
    #[command(flatten)]
    pub data: Data,
    /// What the two networks are trained for
    #[arg(long, value_enum, default_value_t = Loss::Original)]
    pub loss: Loss,
    /// Tell both networks the class of each image
    #[arg(long)]
    pub conditional: bool,
    /// How often to go through the training set (otherwise digits 40, mnist and fashion-mnist 5)
    #[arg(long, value_parser = at_least_one)]
    pub epochs: Option<usize>,
    /// How many images are measured
    #[arg(long, value_name = "COUNT", value_parser = at_least_one, default_value_t = 10_000)]
    pub samples: usize,
    /// The standard deviation of the noise of images that are drawn and measured; below that of the training, 1, they
    /// are clearer and less various
    #[arg(long, value_name = "NUMBER", value_parser = not_negative, default_value_t = 0.9)]
    pub deviation: f32,
    /// Do not train: take the generator from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["checkpoint", "epochs"])]
    pub load: Option<PathBuf>,
    /// After each epoch, save here all that is needed to go on
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub checkpoint: Option<PathBuf>,
    /// Go on from the file of --checkpoint
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
    /// Save the averaged generator, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    pub save: Option<PathBuf>,
    /// Where the pictures and the classifier go
    #[arg(long, value_name = "FOLDER", default_value = "out")]
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

/// The datasets of gray pictures.
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
