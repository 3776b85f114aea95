//! Where the parts of a batch meet while they run, each on its own tape in its own thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

/// What all parts brought to a meeting, in their order.
pub type Brought = Arc<Vec<Vec<f64>>>;

/// One part's connection to the others.
pub struct Meeting {
    /// Whether this is the first part: the one that notes what all have in common.
    pub is_first: bool,
    bring: Sender<Vec<f64>>,
    take: Receiver<Brought>,
}

/// A part ends with this panic when the others can no longer come.
pub struct Interrupted;

impl Meeting {
    pub fn new(is_first: bool, bring: Sender<Vec<f64>>, take: Receiver<Brought>) -> Self {
        Meeting { is_first, bring, take }
    }

    /// Waits for all parts, which must bring the same number of values, and returns what they brought.
    pub fn gather(&self, numbers: Vec<f64>) -> Brought {
        let brought = self.bring.send(numbers).ok().and_then(|()| self.take.recv().ok());
        brought.unwrap_or_else(|| std::panic::resume_unwind(Box::new(Interrupted)))
    }

    /// Waits until this part may begin.
    pub fn begin(&self) {
        if self.take.recv().is_err() {
            std::panic::resume_unwind(Box::new(Interrupted));
        }
    }
}
