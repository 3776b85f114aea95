//! A progress bar for one epoch, and the line that remains of it.

use super::is_quiet;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;
use taut::metrics::WeightedMean;

/// The progress of one epoch. Without a terminal, only the final line is printed.
pub struct Progress {
    title: String,
    bar: ProgressBar,
    start: Instant,
    /// What is counted.
    unit: &'static str,
    loss: WeightedMean,
}

impl Progress {
    /// An epoch of this many batches.
    pub fn new(title: String, batches: usize) -> Self {
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}").expect("a valid template");
        let bar = if is_quiet() { ProgressBar::hidden() } else { ProgressBar::new(batches as u64) };
        let bar = bar.with_style(style).with_prefix(title.clone());
        Progress { title, bar, start: Instant::now(), unit: "samples", loss: WeightedMean::default() }
    }

    /// An epoch of this many words.
    pub fn of_words(title: String, words: usize) -> Self {
        Progress { unit: "words", ..Progress::new(title, words) }
    }

    /// Adds a batch of this many samples with its mean loss.
    pub fn batch(&mut self, loss: impl Into<f64>, samples: usize) {
        self.add(loss.into(), samples);
        self.bar.inc(1);
    }

    /// Adds this many words with their mean loss.
    pub fn words(&mut self, loss: f64, words: usize) {
        self.add(loss, words);
        self.bar.inc(words as u64);
    }

    fn add(&mut self, loss: f64, samples: usize) {
        self.loss.add(loss, samples);
        if !self.bar.is_hidden() {
            self.bar.set_message(self.figures());
        }
    }

    fn figures(&self) -> String {
        let rate = self.loss.total() as f64 / self.start.elapsed().as_secs_f64();
        format!("loss {:.4}, {rate:.0} {}/s", self.loss.value(), self.unit)
    }

    /// Clears the bar and prints a line with the loss, the speed, and `more`. Returns the mean loss.
    pub fn finish(self, more: &str) -> f64 {
        self.bar.finish_and_clear();
        println!("{}: {}{more}", self.title, self.figures());
        self.loss.value()
    }

    /// Clears the bar. Returns the mean loss.
    pub fn finish_silently(self) -> f64 {
        self.bar.finish_and_clear();
        self.loss.value()
    }
}
