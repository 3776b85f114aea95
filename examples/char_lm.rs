//! A language model of characters: an LSTM reads Shakespeare, then writes text of its own.
//!
//!     cargo run --release --example char_lm -- --data FOLDER --save shakespeare.safetensors
//!     cargo run --release --example char_lm -- --load shakespeare.safetensors --prompt "ROMEO:" --temperature 0.5
//!
//! Needs `input.txt` of Tiny Shakespeare, or another English text of that name. The model is evaluated by the bits it
//! needs per character of the last tenth of the text, which is held out.
//!
//! Backpropagation through time is truncated: a window of 64 characters is one pass, and the state is carried to the
//! next window without its tape. Williams and Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of
//! Recurrent Network Trajectories", 1990; Graves, "Generating Sequences With Recurrent Neural Networks", 2013.

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Curve, Data, Progress, Recorder, Report, at_least_one, parse, plot, writable};
use rand::{Rng, RngExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use taut::data::find_folder;
use taut::files::FileError;
use taut::prelude::*;
use taut::text::{LineOptions, lines};

/// The newline and the 95 printable ASCII characters.
const CHARACTERS: usize = 96;
/// How many positions of the text are read in parallel, and how many characters per step.
const STREAMS: usize = 32;
const WINDOW: usize = 64;
const WIDTH: usize = 256;
const LEARNING_RATE: f64 = 3e-3;
/// Gradients are clipped to this norm, since those of recurrent networks can explode.
const LONGEST: f64 = 1.0;

/// After each character, logits for the next.
#[derive(Init, Parameters)]
struct LanguageModel {
    characters: Embedding<CHARACTERS, 64>,
    memory: Lstm<64, WIDTH>,
    output: (Dropout<20>, Linear<WIDTH, CHARACTERS>),
}

type State<B, T = NoTrace> = LstmState<B, Const<WIDTH>, f32, T>;

/// Characters, and the state before them, become logits and the state after them.
impl<B: Dim, L: Dim, T: Trace> Module<(Tensor<(B, L), usize, T>, State<B, T>)> for LanguageModel {
    type Output = (Tensor<(B, L, Const<CHARACTERS>), f32, T>, State<B, T>);
    fn apply(&self, (text, state): (Tensor<(B, L), usize, T>, State<B, T>)) -> Self::Output {
        let (remembered, [state]) = self.memory.forward((self.characters.forward(text), [state]));
        (self.output.forward(remembered), state)
    }
}

/// Nothing read yet.
fn blank<B: Dim>(batch: B) -> State<B> {
    let zeros = Tensor::zeros_with((batch, Const));
    LstmState { hidden: zeros.clone(), cell: zeros }
}

/// Learns to write like Shakespeare, character by character.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 5, value_parser = at_least_one)]
    epochs: usize,
    /// Train for 15 epochs, enough for a good result
    #[arg(long, conflicts_with = "epochs")]
    long: bool,
    /// Skip training and load the model from this file
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Save the trained model, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    save: Option<PathBuf>,
    /// Draw the loss curves
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    /// The beginning of the generated text
    #[arg(long, default_value = "\n", hide_default_value = true, allow_hyphen_values = true)]
    prompt: String,
    /// How many characters to write
    #[arg(long, default_value_t = 500)]
    length: usize,
    /// Sampling temperature: 0 always takes the most likely character, 1 samples the model's distribution
    #[arg(long, default_value_t = 0.7, allow_negative_numbers = true)]
    temperature: f64,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run(|| {
        let mut options: Options = parse();
        if options.long {
            options.epochs = 15;
        }
        let prompt = encode(&options.prompt).map_err(|(_, character)| {
            format!("--prompt: `{character}` is no ASCII character, and the model knows only those")
        })?;
        if prompt.is_empty() || options.temperature.is_nan() || options.temperature < 0.0 {
            return Err("--prompt has at least one character, and --temperature is not negative".into());
        }
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        if let Some(path) = &options.load {
            println!("{}", write_on(&LanguageModel::load(path)?, &prompt, &options, &mut rng));
            return Ok(());
        }
        let start = Instant::now();
        let folder = find_folder(options.data.folder.as_deref(), "tinyshakespeare", "input.txt")?;
        let plain = folder.join("input.txt");
        let text = read(&if plain.is_file() { plain } else { folder.join("input.txt.gz") })?;
        let (train, test) = text.split_at(text.len() / 10 * 9);
        let train = &train[..options.data.limit.unwrap_or(train.len()).min(train.len())];
        let least = STREAMS * 2 * WINDOW;
        if train.len().min(test.len()) <= least {
            return Err(
                format!("the text is too short: {least} characters to learn from and to test on are needed").into()
            );
        }
        println!("{} characters to learn from, {} to test", train.len(), test.len());

        let mut model = LanguageModel::init(&mut rng);
        let mut optimizer = Adam::new(AdamConfig { learning_rate: LEARNING_RATE, ..Default::default() });
        let mut recorder = Recorder::start::<Options>(&options.common, "")?;
        let (mut learned, mut measured) = (Vec::new(), Vec::new());
        for epoch in 1..=options.epochs {
            // the learning rate decays as half a cosine from 1 to 0
            let rate = |part: f64| {
                let part = ((epoch - 1) as f64 + part) / options.epochs as f64;
                LEARNING_RATE * 0.5 * (1.0 + (std::f64::consts::PI * part).cos())
            };
            let windows = Windows::new(train, rng.random_range(0..WINDOW));
            let mut progress = Progress::new(format!("epoch {epoch:2}/{}", options.epochs), windows.count);
            learn(&mut model, &mut optimizer, windows, rate, &mut progress, &mut rng);
            let result = measure(&model, test);
            let bits = progress.finish(&format!(", test {:.3} bits", result.bits)) / std::f64::consts::LN_2;
            learned.push(bits);
            let test = [("test/bits", result.bits), ("test/accuracy", result.accuracy)];
            recorder.log(epoch, [("train/bits", bits), test[0], test[1]])?;
            measured.push(result);
        }

        recorder.last(&model)?;
        println!("\n{}", write_on(&model, &prompt, &options, &mut rng));
        if let Some(path) = &options.save {
            model.save(path)?;
            println!("the model is in {}", path.display());
        }
        if let Some(path) = &options.plot {
            let of_test = measured.iter().map(|result| result.bits).collect();
            let curves = [("training", learned), ("test", of_test)];
            plot(path, "bits per character", &curves.map(|(name, values)| Curve { name: name.into(), values }))?;
        }
        let mut report = Report::default();
        if let Some(result) = measured.last() {
            report.add("bits_per_character", result.bits);
            report.add("test_accuracy", result.accuracy);
        }
        report.add("epochs", options.epochs);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

/// Trains on the text once. `rate` gives the learning rate once a fraction of it has been read.
fn learn(
    model: &mut LanguageModel,
    optimizer: &mut Adam,
    windows: Windows,
    rate: impl Fn(f64) -> f64,
    progress: &mut Progress,
    rng: &mut impl Rng,
) {
    let count = windows.count as f64;
    let mut state = blank(Const::<STREAMS>);
    for (step, (text, next)) in windows.enumerate() {
        optimizer.set_learning_rate(rate(step as f64 / count));
        let tape = Tape::training(rng);
        let (logits, last) = model.forward((tape.trace(text), state.trace(&tape)));
        // the tape ends with this window; only the state is carried on
        state = last.detach();
        let loss = logits.reshape::<Rank2<{ STREAMS * WINDOW }, CHARACTERS>>().cross_entropy(&next);
        progress.batch(loss.item(), STREAMS * WINDOW);
        let mut gradients = loss.backward();
        gradients.clip_norm(LONGEST);
        optimizer.step(model, &gradients);
    }
}

/// Numbers for the characters, 0 for the newline; or the line and the character that has no number.
fn encode(text: &str) -> Result<Vec<usize>, (usize, char)> {
    let mut line = 1;
    let number = |character| match character {
        '\n' => {
            line += 1;
            Ok(0)
        }
        ' '..='~' => Ok(character as usize - 31),
        other => Err((line, other)),
    };
    text.chars().map(number).collect()
}

fn decode(number: usize) -> char {
    if number == 0 { '\n' } else { char::from(number as u8 + 31) }
}

fn read(path: &Path) -> Result<Vec<usize>, FileError> {
    let options = LineOptions { longest: usize::MAX, ..Default::default() };
    let lines: Vec<String> = lines(path, options)?.collect::<Result<_, _>>()?;
    encode(&(lines.join("\n") + "\n")).map_err(|(line, character)| {
        FileError::new(
            path,
            format!("line {line}: `{character}` is no ASCII character, and the model knows only those"),
        )
    })
}

/// A text that is read window by window from several equidistant positions; each window comes with the characters
/// shifted by one, the targets.
struct Windows<'a> {
    text: &'a [usize],
    /// The distance between positions, the offset of the next window from each, and the number of windows.
    apart: usize,
    from: usize,
    count: usize,
}

impl<'a> Windows<'a> {
    fn new(text: &'a [usize], from: usize) -> Self {
        let apart = (text.len() - 1) / STREAMS;
        Windows { text, apart, from, count: (apart - from) / WINDOW }
    }
}

impl Iterator for Windows<'_> {
    type Item = (Tensor<Rank2<STREAMS, WINDOW>, usize>, Tensor<Rank1<{ STREAMS * WINDOW }>, usize>);
    fn next(&mut self) -> Option<Self::Item> {
        if self.from + WINDOW > self.apart {
            return None;
        }
        let window = Tensor::from_fn(|[stream, step]: [usize; 2]| self.text[stream * self.apart + self.from + step]);
        let next = |place: usize| place / WINDOW * self.apart + self.from + place % WINDOW + 1;
        let next = Tensor::from_fn(|[place]: [usize; 1]| self.text[next(place)]);
        self.from += WINDOW;
        Some((window, next))
    }
}

/// How well a model predicts a text: bits per character, and how often its most likely character is right.
struct Measured {
    bits: f64,
    accuracy: f64,
}

fn measure(model: &LanguageModel, text: &[usize]) -> Measured {
    let windows = Windows::new(text, 0);
    let count = windows.count as f64;
    let (mut loss, mut accuracy) = (0.0, 0.0);
    let mut state = blank(Const::<STREAMS>);
    for (text, next) in windows {
        let (logits, last) = model.forward((text, state));
        state = last;
        let logits = logits.reshape::<Rank2<{ STREAMS * WINDOW }, CHARACTERS>>();
        accuracy += logits.accuracy(&next);
        loss += f64::from(logits.cross_entropy(&next).item());
    }
    Measured { bits: loss / count / std::f64::consts::LN_2, accuracy: accuracy / count }
}

/// The prompt and its continuation by the model.
fn write_on(model: &LanguageModel, prompt: &[usize], options: &Options, rng: &mut impl Rng) -> String {
    let mut text = prompt.to_vec();
    let mut state = blank(Const::<1>);
    let mut read = 0;
    while text.len() < prompt.len() + options.length {
        let unread = Tensor::from_slice(&text[read..], (Const::<1>, text.len() - read)).expect("as long as it is");
        read = text.len();
        let (logits, last) = model.forward((unread, state));
        state = last;
        let logits = LastStep.forward(logits).slice(0);
        text.push(draw(logits, options.temperature as f32, rng));
    }
    text.into_iter().map(decode).collect()
}

/// A character drawn from softmax(logits / temperature); at temperature 0 the most likely one.
fn draw(logits: Tensor<Rank1<CHARACTERS>>, temperature: f32, rng: &mut impl Rng) -> usize {
    if temperature == 0.0 {
        return logits.argmax_axis::<0>().item();
    }
    let probabilities = (logits / temperature).softmax::<0>();
    let mut left = rng.random::<f32>();
    let drawn = probabilities.iter().position(|probability| {
        left -= probability;
        left < 0.0
    });
    // rounding may leave a little probability after the last character
    drawn.unwrap_or_else(|| probabilities.argmax_axis::<0>().item())
}
