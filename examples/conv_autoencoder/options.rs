//! The command line of this program.

use crate::common::{Known, at_least_one, read_options};
use lexopt::ValueExt;
use std::path::PathBuf;
use taut::files::ensure_writable;

const ABOUT: &str = "Makes images short codes, and images of the codes again: three decoders side by side, and PCA.";
const KNOWN: [Known; 10] = [
    ("data", "FOLDER", "the folder of the data (otherwise the variable TAUT_DATA, or ./data)"),
    (
        "dataset",
        "NAME",
        "digits, mnist, fashion-mnist or cifar-10 (otherwise mnist, and digits where there is no folder)",
    ),
    ("denoise", "", "learn to make clean images of noisy ones"),
    ("epochs", "N", "how often to go through the training set [digits 60, mnist and fashion-mnist 4, cifar-10 7]"),
    ("json", "", "print the figures as one JSON object on the last line"),
    ("limit", "N", "use only the first N training samples"),
    ("load", "FILE", "do not train: take the models from this file"),
    ("out", "FOLDER", "where the pictures go [out]"),
    ("save", "FILE", "save the trained models, as safetensors"),
    ("seed", "N", "the seed of everything random [0]"),
];

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub data: Option<PathBuf>,
    pub dataset: Option<String>,
    pub denoise: bool,
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
            denoise: false,
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
                "denoise" => options.denoise = true,
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
