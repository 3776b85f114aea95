//! A bar for one epoch, and the line that stays of it.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// Follows one epoch. Where there is no terminal, only the line at the end is printed.
pub struct Progress {
    title: String,
    bar: ProgressBar,
    start: Instant,
    /// What is learned from, and how many so far.
    unit: &'static str,
    samples: usize,
    total_loss: f64,
}

impl Progress {
    /// An epoch of this many batches.
    pub fn new(title: String, batches: usize) -> Self {
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}").expect("a valid template");
        let bar = ProgressBar::new(batches as u64).with_style(style).with_prefix(title.clone());
        Progress { title, bar, start: Instant::now(), unit: "samples", samples: 0, total_loss: 0.0 }
    }

    /// An epoch of this many words.
    pub fn of_words(title: String, words: usize) -> Self {
        Progress { unit: "words", ..Progress::new(title, words) }
    }

    /// A batch of so many samples had this mean loss.
    pub fn batch(&mut self, loss: f32, samples: usize) {
        self.add(f64::from(loss), samples);
        self.bar.inc(1);
    }

    /// So many words had this mean loss.
    pub fn words(&mut self, loss: f64, words: usize) {
        self.add(loss, words);
        self.bar.inc(words as u64);
    }

    fn add(&mut self, loss: f64, samples: usize) {
        self.samples += samples;
        self.total_loss += loss * samples as f64;
        if !self.bar.is_hidden() {
            self.bar.set_message(self.figures());
        }
    }

    fn loss(&self) -> f64 {
        self.total_loss / self.samples as f64
    }

    fn figures(&self) -> String {
        let rate = self.samples as f64 / self.start.elapsed().as_secs_f64();
        format!("loss {:.4}, {rate:.0} {}/s", self.loss(), self.unit)
    }

    /// Takes the bar away and prints a line with the loss, the speed, and what else there is to say. Gives the mean
    /// loss.
    pub fn finish(self, more: &str) -> f64 {
        self.bar.finish_and_clear();
        println!("{}: {}{more}", self.title, self.figures());
        self.loss()
    }

    /// Takes the bar away. Gives the mean loss.
    pub fn finish_silently(self) -> f64 {
        self.bar.finish_and_clear();
        self.loss()
    }
}
