//! The command line.

use lexopt::prelude::*;
use std::path::PathBuf;
use taut::files::ensure_writable;

const MOST_THREADS: usize = 1024;

/// All options that programs have in common, with what the help says. A program names those it takes.
const KNOWN: [(&str, &str, &str); 33] = [
    ("cbow", "", "predict each word from the mean of its context (otherwise skip-gram)"),
    ("checkpoint", "FILE", "after each epoch, save here all that is needed to go on"),
    ("confusion", "FILE.png", "draw which class was taken for which on the test set"),
    (
        "corpus",
        "FILE",
        "a text to learn from, a sentence on each line, its tokens parted by spaces; may be given several times",
    ),
    ("data", "FOLDER", "the folder of the data (otherwise the variable TAUT_DATA, or ./data)"),
    ("dataset", "NAME", "mnist or fashion-mnist"),
    ("dimension", "N", "how long the vectors are"),
    ("epochs", "N", "how often to go through the training set"),
    ("hierarchical", "", "predict on the way through a Huffman tree, without negative words"),
    ("hogwild", "", "let all threads change the same vectors at any time: each run gives another result"),
    ("json", "", "print the figures as one JSON object on the last line"),
    ("length", "N", "how many characters to write"),
    ("limit", "N", "use only the first N training samples"),
    ("load", "FILE", "do not train: take the model from this file"),
    ("long", "", "train for as many epochs as a good result needs"),
    ("minimum-count", "N", "leave out words that occur less often"),
    ("mistakes", "FILE.png", "draw the test images that were taken for something else with the most confidence"),
    ("negative", "N", "how many words that are not there each word is told apart from"),
    ("plot", "FILE.png", "draw the loss curves; of word vectors, the words in a plane"),
    ("predict", "NAME", "say what the model takes this for; with `-`, each line that is typed"),
    ("prompt", "TEXT", "what the written text begins with"),
    ("questions", "FILE", "answer analogy questions, in the format of questions-words.txt"),
    ("resume", "", "go on from the file of --checkpoint"),
    ("runs", "N", "how many times, each from another seed"),
    ("sample", "X", "leave out occurrences of words that are more than such a part of all"),
    ("save", "FILE", "save the trained model, as safetensors"),
    ("seed", "N", "the seed of everything random"),
    ("similarity", "FILE", "compare with how alike people find pairs of words; may be given several times"),
    (
        "temperature",
        "X",
        "how bold the written text is: 0 for the most likely characters, 1 for what the model believes",
    ),
    ("threads", "N", "how many threads (otherwise all cores)"),
    ("vectors", "FILE", "save the vectors in word2vec's format: text if the name ends in .txt, binary otherwise"),
    ("window", "N", "how many words before and after belong to a context"),
    ("words", "LIST", "the words to show, with commas between, and semicolons between groups"),
];

/// What was asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub cbow: bool,
    pub checkpoint: Option<PathBuf>,
    pub confusion: Option<PathBuf>,
    pub corpus: Vec<PathBuf>,
    pub data: Option<PathBuf>,
    pub dataset: String,
    pub dimension: usize,
    pub epochs: usize,
    pub hierarchical: bool,
    pub hogwild: bool,
    pub json: bool,
    pub length: usize,
    pub limit: Option<usize>,
    pub load: Option<PathBuf>,
    /// What `--long` makes of `epochs`.
    pub long: usize,
    pub minimum_count: u64,
    pub mistakes: Option<PathBuf>,
    pub negative: usize,
    pub plot: Option<PathBuf>,
    pub predict: Option<String>,
    pub prompt: String,
    pub questions: Option<PathBuf>,
    pub resume: bool,
    pub runs: usize,
    pub sample: f64,
    pub save: Option<PathBuf>,
    pub seed: u64,
    pub similarity: Vec<PathBuf>,
    pub temperature: f64,
    pub threads: Option<usize>,
    pub vectors: Option<PathBuf>,
    pub window: usize,
    pub words: String,
}

impl Options {
    /// Reads the command line into the defaults. `--help`, and what cannot be understood, end the program.
    pub fn parse(about: &str, taken: &[&str], defaults: Options) -> Options {
        let mut options = defaults.clone();
        match options.read(taken) {
            Ok(true) => options,
            Ok(false) => {
                print!("{}", help(about, taken, &defaults));
                std::process::exit(0)
            }
            Err(error) => {
                eprintln!("error: {error}\n\n{}", help(about, taken, &defaults));
                std::process::exit(2)
            }
        }
    }

    /// `false` if help is wanted.
    fn read(&mut self, taken: &[&str]) -> Result<bool, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(false),
                Long(name) if !taken.contains(&name) => return Err(argument.unexpected()),
                Long("cbow") => self.cbow = true,
                Long("checkpoint") => self.checkpoint = Some(parser.value()?.into()),
                Long("confusion") => self.confusion = Some(parser.value()?.into()),
                Long("corpus") => self.corpus.push(parser.value()?.into()),
                Long("data") => self.data = Some(parser.value()?.into()),
                Long("dataset") => self.dataset = parser.value()?.string()?,
                Long("dimension") => self.dimension = parser.value()?.parse()?,
                Long("epochs") => self.epochs = parser.value()?.parse()?,
                Long("hierarchical") => self.hierarchical = true,
                Long("hogwild") => self.hogwild = true,
                Long("json") => self.json = true,
                Long("length") => self.length = parser.value()?.parse()?,
                Long("limit") => self.limit = Some(parser.value()?.parse()?),
                Long("load") => self.load = Some(parser.value()?.into()),
                Long("long") => self.epochs = self.long,
                Long("minimum-count") => self.minimum_count = parser.value()?.parse()?,
                Long("mistakes") => self.mistakes = Some(parser.value()?.into()),
                Long("negative") => self.negative = parser.value()?.parse()?,
                Long("plot") => self.plot = Some(parser.value()?.into()),
                Long("predict") => self.predict = Some(parser.value()?.string()?),
                Long("prompt") => self.prompt = parser.value()?.string()?,
                Long("questions") => self.questions = Some(parser.value()?.into()),
                Long("resume") => self.resume = true,
                Long("runs") => self.runs = parser.value()?.parse()?,
                Long("sample") => self.sample = parser.value()?.parse()?,
                Long("save") => self.save = Some(parser.value()?.into()),
                Long("seed") => self.seed = parser.value()?.parse()?,
                Long("similarity") => self.similarity.push(parser.value()?.into()),
                Long("temperature") => self.temperature = parser.value()?.parse()?,
                Long("threads") => self.threads = Some(parser.value()?.parse()?),
                Long("vectors") => self.vectors = Some(parser.value()?.into()),
                Long("window") => self.window = parser.value()?.parse()?,
                Long("words") => self.words = parser.value()?.string()?,
                _ => return Err(argument.unexpected()),
            }
        }
        // better now than after an hour of training
        let written = [&self.checkpoint, &self.confusion, &self.mistakes, &self.plot, &self.save, &self.vectors];
        for file in written.into_iter().flatten() {
            ensure_writable(file).map_err(|error| error.to_string())?;
        }
        // 0 of what a program does not take is no mistake
        let counts = [
            ("dimension", self.dimension),
            ("epochs", self.epochs),
            ("limit", self.limit.unwrap_or(1)),
            ("negative", self.negative),
            ("runs", self.runs),
            ("threads", self.threads.unwrap_or(1)),
            ("window", self.window),
        ];
        for (name, count) in counts {
            if count == 0 && taken.contains(&name) {
                return Err(format!("--{name} 0: it must be at least 1").into());
            }
        }
        if self.threads.is_some_and(|threads| threads > MOST_THREADS) {
            return Err(format!("--threads: {MOST_THREADS} are the most").into());
        }
        if self.resume && self.checkpoint.is_none() {
            return Err("--resume goes on from the file of --checkpoint, which is not given".into());
        }
        Ok(true)
    }
}

impl Options {
    /// Whether `--limit` leaves enough samples to learn from, which here are so many.
    pub fn enough(&self, samples: usize, least: usize) -> Result<(), String> {
        match self.limit {
            _ if samples >= least => Ok(()),
            Some(limit) => {
                Err(format!("--limit {limit} leaves {samples} samples to learn from, and {least} are needed"))
            }
            None => Err(format!("there are {samples} samples to learn from, and {least} are needed")),
        }
    }
}

fn help(about: &str, taken: &[&str], defaults: &Options) -> String {
    let mut text = format!("{about}\n\nOptions:\n");
    for (name, value, meaning) in KNOWN.iter().filter(|(name, ..)| taken.contains(name)) {
        let default = match *name {
            "dataset" => format!(" [{}]", defaults.dataset),
            "dimension" => format!(" [{}]", defaults.dimension),
            "epochs" => format!(" [{}]", defaults.epochs),
            "length" => format!(" [{}]", defaults.length),
            "long" => format!(" [{}]", defaults.long),
            "minimum-count" => format!(" [{}]", defaults.minimum_count),
            "negative" => format!(" [{}]", defaults.negative),
            "runs" => format!(" [{}]", defaults.runs),
            "sample" => format!(" [{}]", defaults.sample),
            "seed" => format!(" [{}]", defaults.seed),
            "temperature" => format!(" [{}]", defaults.temperature),
            "window" => format!(" [{}]", defaults.window),
            _ => String::new(),
        };
        text += &format!("  {:<20} {meaning}{default}\n", format!("--{name} {value}"));
    }
    text + &format!("  {:<20} print this\n", "--help")
}
