//! The command line of this program.

use crate::common::{Known, at_least_one, read_options};
use lexopt::ValueExt;
use std::path::PathBuf;
use taut::files::ensure_writable;

const ABOUT: &str = "Shows what a convolutional network looks at, and checks whether the maps can be trusted.";
const KNOWN: [Known; 9] = [
    ("data", "FOLDER", "the folder of the data (otherwise the variable TAUT_DATA, or ./data)"),
    (
        "dataset",
        "NAME",
        "digits, mnist, fashion-mnist or cifar-10 (otherwise mnist, and digits where there is no folder)",
    ),
    ("epochs", "N", "how often to go through the training set [digits 15, otherwise 2]"),
    ("json", "", "print the figures as one JSON object on the last line"),
    ("limit", "N", "use only the first N training samples"),
    ("load", "FILE", "explain a network that mnist_cnn or cifar10_cnn saved, or this program (`--save`)"),
    ("out", "FOLDER", "where the pictures go [out]"),
    ("save", "FILE", "save the trained network, as safetensors"),
    ("seed", "N", "the seed of everything random [0]"),
];

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub data: Option<PathBuf>,
    pub dataset: Option<String>,
    pub epochs: Option<usize>,
    pub json: bool,
    pub limit: Option<usize>,
    pub load: Option<PathBuf>,
    pub out: PathBuf,
    pub save: Option<PathBuf>,
    pub seed: u64,
}

impl Options {
    /// Reads the command line.
    pub fn parse() -> Self {
        let mut options = Options {
            data: None,
            dataset: None,
            epochs: None,
            json: false,
            limit: None,
            load: None,
            out: "out".into(),
            save: None,
            seed: 0,
        };
        read_options(ABOUT, &KNOWN, |name, parser| {
            match name {
                "data" => options.data = Some(parser.value()?.into()),
                "dataset" => options.dataset = Some(parser.value()?.string()?),
                "epochs" => options.epochs = Some(at_least_one(name, parser)?),
                "json" => options.json = true,
                "limit" => options.limit = Some(at_least_one(name, parser)?),
                "load" => options.load = Some(parser.value()?.into()),
                "out" => options.out = parser.value()?.into(),
                "save" => {
                    let file = PathBuf::from(parser.value()?);
                    ensure_writable(&file).map_err(|error| error.to_string())?;
                    options.save = Some(file);
                }
                _ => options.seed = parser.value()?.parse()?,
            }
            Ok(())
        });
        options
    }
}
