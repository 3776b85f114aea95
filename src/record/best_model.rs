//! The best model of a run.

use crate::files::{FileError, Reason};
use crate::io::Persist;
use crate::optim::{Snapshot, SnapshotMismatch, Threshold};
use crate::params::Parameters;
use std::path::PathBuf;

/// Keeps the best model so far, by a measurement such as the loss on a validation set, in memory or in a file.
///
/// ```
/// use taut::prelude::*;
/// use taut::record::BestModel;
/// # fn main() -> Result<(), taut::files::FileError> {
/// let mut model = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0));
/// let mut best = BestModel::in_memory(); // the smallest loss is the best
/// let mut weights = Vec::new();
/// for loss in [3.0, 1.0, 2.0] {
///     weights.push(model.weight.value().clone());
///     best.offer(&model, loss)?;
///     *model.weight.value_mut() = model.weight.value() + 1.0; // training goes on
/// }
/// best.load_into(&mut model)?;
/// assert_eq!((model.weight.value(), best.value()), (&weights[1], Some(1.0)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BestModel {
    larger_is_better: bool,
    value: Option<f64>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// The bytes of a file.
    Memory(Option<Vec<u8>>),
}

impl BestModel {
    /// Keeps a copy of the best model's parameters and buffers in memory. The smallest measurement is the best, as for
    /// a loss.
    pub fn in_memory() -> Self {
        BestModel { larger_is_better: false, value: None, place: Place::Memory(None) }
    }

    /// Saves the best model, as [`Persist::save`] does: the previous best stays until the next is complete. The
    /// smallest measurement is the best, as for a loss.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        BestModel { larger_is_better: false, value: None, place: Place::File(path.into()) }
    }

    /// Makes the largest measurement the best, as for an accuracy.
    #[must_use]
    pub fn larger_is_better(self) -> Self {
        BestModel { larger_is_better: true, ..self }
    }

    /// Keeps this model if it is better than all before, and returns whether it is. The first one always is; NaN is
    /// never better than a number, and any number is better than NaN.
    ///
    /// # Errors
    /// If the model cannot be saved. The previous best then remains.
    pub fn offer<M: Parameters>(&mut self, model: &M, measured: f64) -> Result<bool, FileError> {
        let is_better = match self.value {
            None => true,
            Some(best) if best.is_nan() => !measured.is_nan(),
            Some(best) => Threshold::Absolute(0.0).is_better(measured, best, self.larger_is_better),
        };
        if is_better {
            match &mut self.place {
                Place::File(path) => model.save(path)?,
                Place::Memory(bytes) => *bytes = Some(model.to_safetensors()?),
            }
            self.value = Some(measured);
        }
        Ok(is_better)
    }

    /// The measurement of the best model. `None` before the first one.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// Loads the parameters and buffers of the best model into this one.
    ///
    /// # Errors
    /// If no model was offered, the file cannot be read, or the model is a different one. It is then unchanged.
    pub fn load_into<M: Parameters>(&self, model: &mut M) -> Result<(), FileError> {
        match &self.place {
            Place::File(path) => model.load_parameters(path),
            Place::Memory(Some(bytes)) => model.load_safetensors(bytes),
            Place::Memory(None) => Err(FileError::of(None, Reason::Text("no model has been offered yet".to_string()))),
        }
    }

    /// The best measurement, for a [checkpoint](crate::Checkpoint) from which the run resumes. The model is not
    /// included: it is in its file.
    pub fn snapshot(&self) -> Snapshot {
        let value = self.value.map(|value| ("best".to_string(), value));
        let kept = ("kept".to_string(), f64::from(u8::from(value.is_some())));
        Snapshot { numbers: [kept].into_iter().chain(value).collect(), arrays: Vec::new() }
    }

    /// Restores a [snapshot](BestModel::snapshot). A model kept in memory is forgotten.
    ///
    /// # Errors
    /// If the snapshot is for something else, or is damaged. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let value = match snapshot.whole("kept")? {
            0 => None,
            _ => Some(snapshot.number("best")?),
        };
        match &mut self.place {
            Place::File(_) => self.value = value,
            Place::Memory(bytes) => (*bytes, self.value) = (None, None),
        }
        Ok(())
    }
}
