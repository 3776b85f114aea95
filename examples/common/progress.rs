//! A bar for one epoch, and the line that stays of it.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// Follows one epoch. Where there is no terminal, only the line at the end is printed.
pub struct Progress {
    title: String,
    bar: ProgressBar,
    start: Instant,
    samples: usize,
    total_loss: f64,
}

impl Progress {
    /// An epoch of this many batches.
    pub fn new(title: String, batches: usize) -> Self {
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}").expect("a valid template");
        let bar = ProgressBar::new(batches as u64).with_style(style).with_prefix(title.clone());
        Progress { title, bar, start: Instant::now(), samples: 0, total_loss: 0.0 }
    }

    /// A batch of so many samples had this mean loss.
    pub fn batch(&mut self, loss: f32, samples: usize) {
        self.samples += samples;
        self.total_loss += f64::from(loss) * samples as f64;
        if !self.bar.is_hidden() {
            self.bar.set_message(self.figures());
        }
        self.bar.inc(1);
    }

    fn loss(&self) -> f64 {
        self.total_loss / self.samples as f64
    }

    fn figures(&self) -> String {
        let rate = self.samples as f64 / self.start.elapsed().as_secs_f64();
        format!("loss {:.4}, {rate:.0} samples/s", self.loss())
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
