//! word2vec: vectors for words, and the nearest neighbours of words.
//!
//!     cargo run --release --example word2vec -- --plot words.png
//!     cargo run --release --example word2vec -- --corpus one.txt.gz --corpus two.txt.gz --epochs 5 --vectors words.bin
//!     cargo run --release --example word2vec -- --load words.bin --words king,queen --similarity wordsim353.tsv
//!
//! Without `--corpus` it learns from 17 addresses of US presidents, 1991 to 2006, which are part of the program
//! (`examples/data/README.md`). That is little text: words such addresses are about get sensible vectors, others do
//! not.

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Place, Progress, Recorder, Report, at_least_one, draw_words, parse, writable};
use flate2::read::GzDecoder;
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use taut::data::Pca;
use taut::prelude::*;
use taut::text::word2vec::{self, Architecture, Config, Output, Parallel};
use taut::text::{Corpus, Questions, SectionScore, Tokens, VocabularyOptions, WordPairs, WordVectors};

const ADDRESSES: &[u8] = include_bytes!("data/addresses.txt.gz");
/// The number of neighbours shown for each word.
const NEIGHBOURS: usize = 6;
/// The words shown if none are given.
const WORDS: &str = "iraq,afghanistan,bosnia,russia,china,europe;terrorists,enemies,weapons,forces,troops,war;\
                     schools,students,teachers,college,education;health,medicare,seniors,insurance,doctors;\
                     taxes,budget,deficit,spending,debt,security;father,mother,children,families,parents";

/// The largest number of threads allowed.
const MOST_THREADS: usize = 1024;

fn threads(text: &str) -> Result<usize, String> {
    match at_least_one(text)? {
        count if count <= MOST_THREADS => Ok(count),
        _ => Err(format!("{MOST_THREADS} are the most")),
    }
}

/// Learns vectors for words from their contexts, and shows which words are near each other.
#[derive(Parser)]
struct Options {
    /// A text to learn from, one sentence per line, tokens separated by spaces; may be given several times
    #[arg(long, value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// Skip training and load the vectors from this file
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Dimension of the vectors
    #[arg(long, default_value_t = Config::default().dimension, value_parser = at_least_one)]
    dimension: usize,
    /// Number of context words before and after each word
    #[arg(long, default_value_t = Config::default().window, value_parser = at_least_one)]
    window: usize,
    /// Predict each word from the mean of its context (otherwise skip-gram)
    #[arg(long)]
    cbow: bool,
    /// Number of negative samples for each word
    #[arg(long, default_value_t = 5, value_parser = at_least_one)]
    negative: usize,
    /// Use a hierarchical softmax (a Huffman tree) in place of negative sampling
    #[arg(long)]
    hierarchical: bool,
    /// Leave out words that occur less often
    #[arg(long, default_value_t = 5)]
    minimum_count: u64,
    /// Subsampling threshold: occurrences of words more frequent than this are left out at random
    #[arg(long, default_value_t = Config::default().sample)]
    sample: f64,
    /// Number of passes over the corpus
    #[arg(long, default_value_t = 20, value_parser = at_least_one)]
    epochs: usize,
    /// Number of threads (default: all cores)
    #[arg(long, value_parser = threads)]
    threads: Option<usize>,
    /// Let all threads update the same vectors without locks: each run gives a different result
    #[arg(long)]
    hogwild: bool,
    /// Compare with human similarity ratings of word pairs; may be given several times
    #[arg(long, value_name = "FILE")]
    similarity: Vec<PathBuf>,
    /// Answer analogy questions, in the format of questions-words.txt
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// The words to show, separated by commas, with semicolons between groups
    #[arg(long, default_value = WORDS, hide_default_value = true)]
    words: String,
    /// Save the vectors in word2vec's format: text if the name ends in .txt, binary otherwise
    #[arg(long, value_name = "FILE", value_parser = writable())]
    vectors: Option<PathBuf>,
    /// Draw the words in a plane
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        // read first: better an error now than after training
        let pairs: Vec<WordPairs> = options.similarity.iter().map(WordPairs::load).collect::<Result<_, _>>()?;
        let questions = options.questions.as_ref().map(Questions::load).transpose()?;
        let mut report = Report::default();
        let vectors = match &options.load {
            Some(path) if is_text(path) => WordVectors::load_text(path)?,
            Some(path) => WordVectors::load_binary(path)?,
            None => learn(&options, &mut report)?,
        };

        let shown = show(&vectors, &options.words)?;
        for (path, pairs) in options.similarity.iter().zip(&pairs) {
            let score = vectors.score_pairs(pairs);
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            report.add(&format!("{name}_spearman"), score.spearman);
            report.add(&format!("{name}_covered"), format!("{} of {}", score.covered, score.total));
        }
        if let Some(questions) = &questions {
            let scores = vectors.score_questions(questions);
            for SectionScore { section, right, asked, total } in &scores {
                println!("{section:>28}: {right} of {asked} right, {} not known", total - asked);
            }
            let sum = |of: fn(&SectionScore) -> usize| scores.iter().map(of).sum::<usize>();
            report.add("questions_right", sum(|score| score.right));
            report.add("questions_asked", sum(|score| score.asked));
        }
        if let Some(path) = &options.vectors {
            if is_text(path) {
                vectors.save_text(path)?
            } else {
                vectors.save_binary(path)?
            }
            println!("the vectors are in {}", path.display());
        }
        if let Some(path) = &options.plot {
            draw_words(path, "the words in the plane in which they differ most", &places(&vectors, &shown))?;
        }
        report.add("words", vectors.vocabulary().len());
        report.add("dimension", vectors.dimension());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

fn is_text(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.strip_suffix(".gz").unwrap_or(&name).ends_with(".txt")
}

/// Prints the neighbours of the words in groups; returns the words that have a vector.
fn show<'a>(vectors: &WordVectors, groups: &'a str) -> Result<Vec<Vec<&'a str>>, Box<dyn Error>> {
    let words = groups.split(';').map(|group| group.split(',').map(str::trim).collect::<Vec<_>>());
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for group in words {
        let (here, missing): (Vec<&str>, Vec<&str>) = group.into_iter().partition(|word| vectors.of(word).is_some());
        known.push(here);
        unknown.extend(missing);
    }
    println!();
    for word in known.iter().flatten() {
        let near = vectors.nearest(word, NEIGHBOURS)?;
        let near: Vec<String> = near.iter().map(|(word, cosine)| format!("{word} {cosine:.2}")).collect();
        println!("{word:>12}: {}", near.join(", "));
    }
    if !unknown.is_empty() {
        println!("without a vector: {}", unknown.join(", "));
    }
    Ok(known)
}

/// Learns from the given files, or from the addresses.
fn learn(options: &Options, report: &mut Report) -> Result<WordVectors, Box<dyn Error>> {
    let corpus = if options.corpus.is_empty() {
        let mut text = String::new();
        GzDecoder::new(ADDRESSES).read_to_string(&mut text)?;
        Corpus::from_text(&text, Tokens::Spaces)
    } else {
        Corpus::from_files(&options.corpus, Tokens::Spaces).lower_case()
    };
    let vocabulary =
        corpus.vocabulary(VocabularyOptions { minimum_count: options.minimum_count, ..Default::default() })?;
    let config = Config {
        dimension: options.dimension,
        window: options.window,
        architecture: if options.cbow { Architecture::Cbow } else { Architecture::SkipGram },
        output: if options.hierarchical {
            Output::HierarchicalSoftmax
        } else {
            Output::NegativeSampling(options.negative)
        },
        sample: options.sample,
        epochs: options.epochs,
        parallel: if options.hogwild { Parallel::Hogwild } else { Config::default().parallel },
        ..Default::default()
    };
    let of_epoch = vocabulary.counts().iter().sum::<u64>();
    println!("{of_epoch} words, {} different ones", vocabulary.len());

    let bar = |epoch: u64| Progress::of_words(format!("epoch {epoch:2}/{}", options.epochs), of_epoch as usize);
    let (mut epoch, mut progress, mut read) = (1, Some(bar(1)), 0);
    let mut recorder = Recorder::start::<Options>(&options.common, "")?;
    let (mut losses, mut recorded) = (Vec::new(), Ok(()));
    let start = Instant::now();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0)).build()?;
    let mut rng = StdRng::seed_from_u64(options.common.seed);
    let vectors = pool.install(|| {
        word2vec::train(&corpus, vocabulary, &config, &mut rng, |step| {
            if let Some(bar) = &mut progress {
                bar.words(step.loss, (step.words - read) as usize);
            }
            read = step.words;
            if read >= epoch * of_epoch {
                if let Some(loss) = progress.take().map(|bar| bar.finish("")) {
                    let metrics = [("train/loss", loss), ("learning_rate", step.learning_rate)];
                    let logged = recorder.log(epoch as usize, metrics);
                    recorded = std::mem::replace(&mut recorded, Ok(())).and(logged);
                    losses.push(loss);
                }
                epoch += 1;
                progress = (epoch <= options.epochs as u64).then(|| bar(epoch));
            }
        })
    })?;
    recorded?;
    let seconds = start.elapsed().as_secs_f64();
    report.add("loss", losses.last().copied());
    report.add("words_per_second", (read as f64 / seconds).round());
    report.add("threads", pool.current_num_threads());
    report.add("seconds", seconds);
    Ok(vectors)
}

/// The positions of words in a plane: the principal components of their vectors, scaled to length 1.
fn places(vectors: &WordVectors, groups: &[Vec<&str>]) -> Vec<Place> {
    let words: Vec<(usize, &str)> =
        groups.iter().enumerate().flat_map(|(group, words)| words.iter().map(move |word| (group, *word))).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for vector in words.iter().filter_map(|(_, word)| vectors.of(word)) {
        // a vector of zeros, as a file may hold, has no direction
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        rows.extend(vector.iter().map(|x| x / length));
    }
    let rows = Tensor::from_vec(rows, (words.len(), vectors.dimension())).expect("a vector for each word");
    let plane = Pca::<2, _>::fit([rows.clone()]).transform(rows);
    let place = |(i, (group, word)): (usize, &(usize, &str))| Place {
        word: word.to_string(),
        at: [0, 1].map(|axis| plane[[i, axis]]),
        group: *group,
    };
    words.iter().enumerate().map(place).collect()
}
