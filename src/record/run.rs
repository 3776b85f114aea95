//! The folder of one run.

#[cfg(feature = "tensorboard")]
use super::events::Events;
use super::lines::{self, Lines, Measurement, read_lines};
use super::table::{self, Table};
use crate::files::{FileError, Locked, write_atomically};
use serde_core::Serialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A training run that writes into its own folder, see [`record`](super).
///
/// ```
/// use taut::record::Run;
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let folder = std::env::temp_dir().join(format!("taut-doc-run-{}", std::process::id()));
/// let mut run = Run::create(&folder)?;
/// run.log(1, [("loss", 0.5_f32)])?;
/// run.log(2, [("loss", 0.25), ("accuracy", 0.875)])?;
/// let table = std::fs::read_to_string(folder.join("metrics.csv")).unwrap();
/// let columns = table.lines().map(|line| line.rsplit(',').take(2).collect::<Vec<_>>());
/// assert!(columns.eq([vec!["accuracy", "loss"], vec!["", "0.5"], vec!["0.875", "0.25"]]));
///
/// drop(run);
/// let error = Run::create(&folder).unwrap_err(); // the figures of two runs are not mixed
/// assert!(error.reason().starts_with("holds a run already"));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    start: Instant,
    /// The time that the run took before it was resumed.
    seconds_before: f64,
    /// The JSON lines, open for more. Locked, so that two programs do not write the same run.
    lines: Locked,
    table: Table,
    #[cfg(feature = "tensorboard")]
    events: Events,
}

impl Run {
    /// Starts a run in this folder, which is created if necessary.
    ///
    /// # Errors
    /// If the folder holds the metrics of a run already, or cannot be written.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, FileError> {
        let folder = folder.as_ref();
        let lines = open(folder)?;
        let length = lines.metadata().map_err(|error| FileError::system(folder, "cannot be read", error))?.len();
        if length > 0 {
            let advice = "choose another one, remove it, or continue the run with `Run::resume`";
            return Err(FileError::new(folder, format!("holds a run already: {advice}")));
        }
        Self::start(folder, lines, &[], 0)
    }

    /// Continues the run in this folder at step `next_step`, or starts one if there is none.
    ///
    /// A run is usually resumed from a checkpoint that is older than its last metrics: those of `next_step` and later
    /// steps are removed, and TensorBoard is told to forget them.
    ///
    /// # Errors
    /// If the metrics are damaged, another program is writing them, or the folder cannot be written.
    ///
    /// ```
    /// use taut::record::{Run, read};
    /// # fn main() -> Result<(), taut::files::FileError> {
    /// # let folder = std::env::temp_dir().join(format!("taut-doc-resume-{}", std::process::id()));
    /// let mut run = Run::create(&folder)?;
    /// (1..=3).try_for_each(|epoch| run.log(epoch, [("loss", 1.0)]))?;
    /// drop(run); // killed in epoch 4; the last checkpoint is of epoch 2
    ///
    /// let mut run = Run::resume(&folder, 3)?;
    /// run.log(3, [("loss", 0.5)])?;
    /// assert!(read(&folder)?.iter().map(|measurement| measurement.step).eq(1..=3));
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(folder: impl AsRef<Path>, next_step: usize) -> Result<Self, FileError> {
        let folder = folder.as_ref();
        let mut file = open(folder)?;
        let path = folder.join(lines::NAME);
        let Lines { mut measurements, is_cut } = read_lines(&path)?;
        let before = measurements.len();
        measurements.retain(|measurement| measurement.step < next_step);
        if is_cut || measurements.len() < before {
            let text: String = measurements.iter().map(Measurement::to_line).collect();
            write_atomically(&path, |out| out.write_all(text.as_bytes()))?;
            // the file has been replaced
            file = open(folder)?;
        }
        Self::start(folder, file, &measurements, next_step)
    }

    fn start(folder: &Path, lines: Locked, before: &[Measurement], step: usize) -> Result<Self, FileError> {
        let table = Table::create(folder.join(table::NAME), before)?;
        #[cfg(feature = "tensorboard")]
        let events = Events::create(folder, (step > 0).then_some(step))?;
        #[cfg(not(feature = "tensorboard"))]
        let _ = step;
        Ok(Run {
            folder: folder.to_path_buf(),
            start: Instant::now(),
            seconds_before: before.last().map_or(0.0, |last| last.seconds),
            lines,
            table,
            #[cfg(feature = "tensorboard")]
            events,
        })
    }

    /// The folder of the run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the best model, for [`BestModel::in_file`](super::BestModel::in_file).
    pub fn best_path(&self) -> PathBuf {
        self.folder.join("best.safetensors")
    }

    /// The file from which the run can be resumed, for [`Checkpoint::save`](crate::Checkpoint::save).
    pub fn last_path(&self) -> PathBuf {
        self.folder.join("last.safetensors")
    }

    /// Writes the configuration, replacing an existing one: all that is needed to repeat the run. The settings of
    /// taut's optimizers and schedules are `Serialize` with the feature `serde`, so one struct can hold all of a
    /// program's settings.
    ///
    /// # Errors
    /// If it cannot be written as JSON (a map whose keys are not strings), or the file cannot be written.
    pub fn configuration<C: Serialize + ?Sized>(&mut self, configuration: &C) -> Result<(), FileError> {
        let path = self.folder.join("configuration.json");
        let no_json = |error| FileError::new(&path, format!("was not written: the configuration is not JSON: {error}"));
        let text = serde_json::to_string_pretty(configuration).map_err(no_json)? + "\n";
        write_atomically(&path, |file| file.write_all(text.as_bytes()))?;
        #[cfg(feature = "tensorboard")]
        {
            // four spaces make it a code block in Markdown
            let shown: String = text.lines().map(|line| format!("    {line}\n")).collect();
            self.events.text("configuration", 0, &shown)?;
        }
        Ok(())
    }

    /// Writes metrics of a step (or an epoch, or whatever is counted): a line in each file. Names with a slash are
    /// shown in groups: `train/loss`, `train/accuracy`.
    ///
    /// # Errors
    /// If a file cannot be written.
    ///
    /// # Panics
    /// If a name is empty, `step` or `seconds`, or is given twice.
    #[track_caller]
    pub fn log<N: Into<String>, V: Into<f64>>(
        &mut self,
        step: usize,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), FileError> {
        let values: Vec<(String, f64)> = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        for (place, (name, _)) in values.iter().enumerate() {
            let taken = ["", "step", "seconds"].contains(&name.as_str());
            assert!(!taken, "Run::log: a metric cannot have the name `{name}`");
            assert!(values[..place].iter().all(|(other, _)| other != name), "Run::log: `{name}` is there twice");
        }
        let seconds = self.seconds_before + self.start.elapsed().as_secs_f64();
        self.add(&Measurement { step, seconds, values })
    }

    fn add(&mut self, measurement: &Measurement) -> Result<(), FileError> {
        let path = self.folder.join(lines::NAME);
        let written = (&*self.lines).write_all(measurement.to_line().as_bytes());
        written.map_err(|error| FileError::system(&path, "cannot be written", error))?;
        if self.table.has_columns(measurement) {
            self.table.add(measurement)?;
        } else {
            self.table = Table::create(self.table.path().clone(), &read_lines(&path)?.measurements)?;
        }
        #[cfg(feature = "tensorboard")]
        self.events.scalars(measurement.step, &measurement.values)?;
        Ok(())
    }
}

/// What only TensorBoard shows. With the feature `tensorboard`.
#[cfg(feature = "tensorboard")]
impl Run {
    /// Writes a histogram of numbers: gradients, weights or the outputs of a layer. It has 30 bins of equal width, like
    /// TensorFlow's; NaN and infinities are left out.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn histogram<S: crate::Shape, E: crate::Float, T: crate::Trace>(
        &mut self,
        name: &str,
        step: usize,
        values: &crate::Tensor<S, E, T>,
    ) -> Result<(), FileError> {
        let values = values.iter().map(crate::Float::as_f64).collect();
        self.events.histograms(step, vec![(name.to_string(), values)])
    }

    /// Writes a histogram of each parameter of a model, under its name: `parameters/hidden.0.weight`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn parameters<M: crate::Parameters>(&mut self, step: usize, model: &M) -> Result<(), FileError> {
        let mut histograms = Vec::new();
        crate::params::each_parameter(model, &mut |name, leaf| {
            let values = match leaf.values {
                crate::params::Values::F32(values) => values.iter().map(|&value| value.into()).collect(),
                crate::params::Values::F64(values) => values.to_vec(),
            };
            histograms.push((format!("parameters/{name}"), values));
        });
        self.events.histograms(step, histograms)
    }

    /// Writes a text, which is shown as Markdown.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn text(&mut self, name: &str, step: usize, text: &str) -> Result<(), FileError> {
        self.events.text(name, step, text)
    }

    /// Writes a picture of shape (channels, height, width), with one channel or three, and numbers from 0 to 1. Also
    /// needs the feature `image`.
    ///
    /// # Errors
    /// If the picture has no pixels, or the file cannot be written.
    #[cfg(feature = "image")]
    pub fn picture<C: crate::data::png::Colours, H: crate::Dim, W: crate::Dim>(
        &mut self,
        name: &str,
        step: usize,
        picture: &crate::Tensor<(C, H, W)>,
    ) -> Result<(), FileError> {
        let bytes = crate::data::png::encode(picture).map_err(|reason| FileError::new(self.events.path(), reason))?;
        let (colours, height, width) = picture.shape();
        self.events.picture(name, step, [colours.size(), height.size(), width.size()], bytes)
    }
}

/// The JSON lines of a run, for appending, and locked. The folder and the file are created if necessary.
fn open(folder: &Path) -> Result<Locked, FileError> {
    std::fs::create_dir_all(folder).map_err(|error| FileError::system(folder, "cannot be made", error))?;
    let path = folder.join(lines::NAME);
    let opened = OpenOptions::new().append(true).create(true).open(&path);
    let file = opened.map_err(|error| FileError::system(&path, "cannot be opened", error))?;
    Locked::new(file).ok_or_else(|| FileError::new(folder, "is being written by another run"))
}
