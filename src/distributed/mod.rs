//! Training with several processes, on one machine or many.
//!
//! Every process, a *rank*, runs the same program, with the same seed and the whole model. A batch is cut in parts, and
//! each rank computes the gradients of its parts; the sum of all of them is the same on every rank, and so is the step
//! that every optimizer takes.
//!
//! ```
//! use taut::distributed::{self, DistributedDataset};
//! use taut::prelude::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! distributed::run(|world| {
//!     let mut rng = StdRng::seed_from_u64(0); // the same on every rank
//!     let (train, test) = taut::data::digits().split(0.2, &mut rng);
//!     let mut model = <(Linear<64, 32>, Relu, Dropout<20>, Linear<32, 10>)>::init(&mut rng);
//!     let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-2, ..Default::default() });
//!     for batch in train.parts::<16>(4, world, &mut rng) {
//!         // batches of 64 in 4 parts of 16, which this rank computes, or some of them, or none
//!         let (loss, gradients) = batch.backward(&model, world, &mut rng, |tape, (images, labels)| {
//!             model.forward(tape.trace(images)).cross_entropy(&labels)
//!         })?;
//!         optimizer.step(&mut model, &gradients);
//!     }
//!     if world.is_first() {
//!         println!("{}", model.forward(test.whole().0).accuracy(&test.whole().1));
//!     }
//!     Ok::<_, distributed::CommunicationError>(())
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! Without the feature `mpi`, [`run`] starts the one process that there is. With it, the same program runs on as many
//! as `mpirun` starts; `docs/several-machines.md` in the source tells how.
//!
//! # The same bits on any number of processes
//!
//! The number of parts is part of the program, as the batch size is. What is computed of a part does not depend on the
//! rank that does it, and the gradients of parts are added in an order that the number of parts alone decides:
//! ((1 + 2) + (3 + 4)) + .., in pairs. So 1, 2, 3 or 4 processes give the same weights, to the last bit; a run that
//! was interrupted can go on with another number. Ranks compute in parallel only if there are at least as many parts.
//!
//! This takes three things besides: every rank draws the same random numbers from its generator (the order of the
//! samples, say: [`GlobalBatch::backward`] compares), what dropout drops of a sample depends on the sample's number and
//! not on its neighbours ([`Tape::training_of`](crate::trace::Tape::training_of)), and so does augmentation
//! ([`Augmentation::apply_to`](crate::data::Augmentation::apply_to)). All processors must have the same instructions,
//! as for one process.
//!
//! Batch norms take the statistics of each part, or those of the whole batch
//! ([`GlobalBatch::backward_synchronized`]); both give the same bits on any number of processes.
//!
//! [`Parts::OnePerRank`] is faster, as parts are as large as can be: all ranks have the same weights, but another
//! number of ranks has others, as different as rounding makes them.
//!
//! # What travels
//!
//! Of each gradient, each rank adds up a share, which it gets from all others, and hands out the sum: twice the size of
//! the gradients for each rank, whatever their number. They travel in [buckets](BUCKET_SIZE). Of an
//! [embedding](crate::nn::Embedding), the rows that were used travel, and not the table.
//!
//! In [`GlobalBatch::backward`], shares travel while the backward pass of a rank's last part still runs: a bucket
//! starts as soon as the pass is through with all its parameters, those of the last layers first. The sums come back
//! when it is done. A model of fewer numbers than a [bucket](BUCKET_SIZE) has only one, which travels afterwards.
//! Elsewhere ([`GlobalBatch::backward_synchronized`], [`PartialGradients`]), all travel after the backward pass. That
//! changes when gradients travel, and not what is added to what.
//!
//! # When a rank ends early
//!
//! With threads as ranks, the others get a [`CommunicationError`]. With MPI, a panic, an error that the program
//! returns, and the death of a process end all of them.

mod backward;
mod batches;
mod bytes;
mod communicator;
mod model;
#[cfg(feature = "mpi")]
mod mpi;
mod one_process;
mod overlap;
mod partial;
mod reduce;
mod run;
mod synchronized;
mod threads;
mod tree;

pub use batches::{DistributedDataset, GlobalBatch, Part, PartBatches, Parts};
pub use communicator::{CommunicationError, Communicator, Work};
pub use model::{broadcast, expect_equal};
pub use one_process::OneProcess;
pub use partial::PartialGradients;
pub use reduce::BUCKET_SIZE;
pub use run::run;
pub use threads::run_threads;

#[cfg(test)]
mod tests;
