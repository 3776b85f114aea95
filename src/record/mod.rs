//! Records of training runs: one folder for each run, which can be watched while the run goes on.
//!
//! The loop stays yours. A [`Run`] writes what it is given: the configuration, and metrics in CSV and JSON lines; with
//! the feature `tensorboard` also an event file, so that `tensorboard --logdir runs` draws the curves, together with
//! those of the other folders in `runs`. [`BestModel`] keeps the best model, [`EarlyStopping`] says when to stop.
//!
//! ```
//! use taut::metrics::WeightedMean;
//! use taut::prelude::*;
//! use taut::record::{BestModel, EarlyStopping, EarlyStoppingConfig, Run};
//! # fn main() -> Result<(), taut::files::FileError> {
//! # let folder = std::env::temp_dir().join(format!("taut-doc-record-{}", std::process::id()));
//! # let runs = folder.join("runs");
//! let mut rng = StdRng::seed_from_u64(0);
//! let (train, test) = taut::data::digits().split(0.25, &mut rng);
//! let mut model = <((Linear<64, 32>, Relu), Linear<32, 10>)>::init(&mut rng);
//! let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-2, ..Default::default() });
//!
//! let mut run = Run::create(runs.join("adam"))?;
//! run.configuration(&[("learning_rate", 1e-2), ("batch", 32.0)])?; // or anything else that is `Serialize`
//! let mut best = BestModel::in_file(run.best_path());
//! let mut stopping = EarlyStopping::new(EarlyStoppingConfig { patience: 2, ..Default::default() });
//! for epoch in 1..=4 {
//!     let mut training_loss = WeightedMean::default();
//!     for (images, labels) in train.batches::<32>(&mut rng) {
//!         let tape = Tape::training(&mut rng);
//!         let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
//!         training_loss.add(loss.item(), labels.count());
//!         optimizer.step(&mut model, &loss.backward());
//!     }
//!     let (images, labels) = test.whole();
//!     let logits = model.forward(images);
//!     let accuracy = logits.accuracy(&labels);
//!     let loss = f64::from(logits.cross_entropy(&labels).item());
//!     run.log(epoch, [("train/loss", training_loss.value()), ("test/loss", loss), ("test/accuracy", accuracy)])?;
//!     best.offer(&model, loss)?;
//!     if stopping.should_stop(loss) {
//!         break;
//!     }
//! }
//! best.load_into(&mut model)?;
//! # assert!(taut::record::read(run.folder())?.len() > 1);
//! # drop(run);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! # The folder
//!
//! | file | what |
//! | --- | --- |
//! | `configuration.json` | what [`Run::configuration`] was given |
//! | `metrics.jsonl` | a JSON object for each [`Run::log`]: `{"step":1,"seconds":0.52,"train/loss":0.61}` |
//! | `metrics.csv` | the same as a table, with a column for each metric |
//! | `events.out.tfevents.*` | the same for TensorBoard, with pictures and histograms (feature `tensorboard`) |
//! | `best.safetensors`, `last.safetensors` | the names that [`Run::best_path`] and [`Run::last_path`] give |
//!
//! Every call has written its line when it returns: a run can be watched, and a killed one leaves readable files.
//! [`read`] reads the metrics back, and [`Run::resume`] continues a run.

mod best_model;
mod early_stopping;
#[cfg(feature = "tensorboard")]
mod events;
mod lines;
mod run;
mod table;

pub use best_model::BestModel;
pub use early_stopping::{EarlyStopping, EarlyStoppingConfig};
pub use lines::{Measurement, read};
pub use run::Run;
