//! Training with several processes, on one machine or many.
//!
//! Every process, a *rank*, runs the same program, with the same seed and the whole model. A batch is divided into
//! parts, and each rank computes the gradients of its parts; their sum is the same on every rank, and so is the step
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
//! Without the feature `mpi`, [`run`] runs the program in this process alone. With it, the same program runs on as many
//! processes as `mpirun` starts; `docs/several-machines.md` in the source explains how.
//!
//! # The same bits on any number of processes
//!
//! The number of parts is a setting of the program, like the batch size. A part's computation does not depend on its
//! rank, and the gradients of parts are added in pairs, ((1 + 2) + (3 + 4)) + .., in an order that depends only on the
//! number of parts. So 1, 2, 3 or 4 processes give the same weights, to the last bit, and an interrupted run can be
//! resumed with another number. There should be at least as many parts as ranks, or some ranks are idle.
//!
//! Three more things are needed. Every rank must draw the same random numbers, the order of the samples for example,
//! from its generator: [`GlobalBatch::backward`] checks that. Dropout must depend on a sample's number and not on its
//! neighbours ([`Tape::training_of`](crate::trace::Tape::training_of)), and so must augmentation
//! ([`Augmentation::apply_to`](crate::data::Augmentation::apply_to)). All processors must have the same instructions,
//! as for one process.
//!
//! Batch norms use the statistics of each part, or those of the whole batch ([`GlobalBatch::backward_synchronized`]);
//! both give the same bits on any number of processes.
//!
//! [`Parts::OnePerRank`] is faster, as its parts are as large as possible: all ranks have the same weights, but these
//! depend on the number of ranks, as far as rounding does.
//!
//! # Communication
//!
//! For each gradient, each rank adds up one share, which it receives from all others, and sends the sum to all: twice
//! the size of the gradients per rank, whatever the number of ranks. They are sent in [buckets](BUCKET_SIZE). Of the
//! gradient of an [embedding](crate::nn::Embedding), only the rows used are sent, not the table.
//!
//! In [`GlobalBatch::backward`], shares are sent while the backward pass of a rank's last part still runs: a bucket
//! starts as soon as the gradients of all its parameters are complete, those of the last layers first. The sums come
//! back when the pass is done. A model with fewer numbers than a [bucket](BUCKET_SIZE) has only one, which is sent
//! afterwards. Elsewhere ([`GlobalBatch::backward_synchronized`], [`PartialGradients`]), everything is sent after the
//! backward pass. This changes when gradients are sent, not the order of the additions.
//!
//! # When a rank ends early
//!
//! With threads as ranks, the others get a [`CommunicationError`]. With MPI, a panic, an error returned by the program,
//! or the death of one process ends all of them.

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
