//! Gradients of some parts of a batch.

use super::communicator::{CommunicationError, Communicator};
use super::reduce::{Share, reduce};
use super::tree::{Block, Tree};
use crate::params::Parameters;
use crate::trace::Gradients;

/// The gradients of the parts that this rank computes, on the way to the sum over all ranks. For training loops with
/// several backward passes; [`GlobalBatch::backward`](super::GlobalBatch::backward) does all of it.
///
/// ```
/// use taut::distributed::{DistributedDataset, PartialGradients, run_threads};
/// use taut::prelude::*;
/// let data = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]);
/// let sums = run_threads(2, |world| {
///     let mut rng = StdRng::seed_from_u64(0);
///     let layer = Linear::<2, 1>::init(&mut rng);
///     let batch = data.parts::<1>(4, world, &mut rng).next().unwrap();
///     let mut partial = PartialGradients::new();
///     for part in batch.into_parts() {
///         let tape = Tape::training_of(part.samples, &mut StdRng::seed_from_u64(7));
///         partial.add(part.number, layer.forward(tape.trace(part.data)).sum().backward());
///     }
///     partial.all_reduce(&layer, world).unwrap().of(&layer.weight).to_array()
/// });
/// assert_eq!(sums, [[[16.0, 20.0]]; 2]);
/// ```
#[derive(Clone, Debug)]
#[must_use = "gradients change nothing until an optimizer's `step` takes them"]
pub struct PartialGradients {
    pub(super) tree: Tree<Share>,
}

impl PartialGradients {
    /// Without any parts.
    #[expect(clippy::new_without_default, reason = "as of a list, but nobody would want a default one")]
    pub fn new() -> Self {
        PartialGradients { tree: Tree::new() }
    }

    /// Adds the gradients of a part.
    ///
    /// # Panics
    /// If the parts are not added in order.
    #[track_caller]
    pub fn add(&mut self, part: usize, gradients: Gradients) {
        self.add_share(part, Share { loss: 0.0, gradients });
    }

    #[track_caller]
    pub(super) fn add_share(&mut self, part: usize, share: Share) {
        if let Some(next) = self.tree.end().filter(|&next| next != part) {
            panic!("PartialGradients: part {next} comes next, and not {part}");
        }
        self.tree.push(Block { start: part, len: 1, sum: share }, &mut Share::add);
    }

    /// The sum of the gradients of all parts on all ranks, in an order that depends only on the number of parts: the
    /// same bits on every rank, whatever the number of ranks. New running statistics are included; if the parts are of
    /// one batch, each moves the averages in turn. Gradients of inputs are not.
    ///
    /// # Errors
    /// If another rank has ended or has a different model, or the parts are not all those from 0 on, each once.
    ///
    /// # Panics
    /// If there are gradients of parameters outside `model`.
    #[track_caller]
    pub fn all_reduce<M: Parameters>(
        self,
        model: &M,
        world: &dyn Communicator,
    ) -> Result<Gradients, CommunicationError> {
        Ok(self.reduce(model, world, 0)?.gradients)
    }

    /// The same with the sum of the losses. `like` must be the same number on all ranks.
    #[track_caller]
    pub(super) fn reduce<M: Parameters>(
        self,
        model: &M,
        world: &dyn Communicator,
        like: u64,
    ) -> Result<Share, CommunicationError> {
        reduce(self.tree, world, model, like)
    }
}

impl Gradients {
    /// The sum of the gradients of all ranks, each of which computed some, added in the order of [`PartialGradients`]:
    /// the same bits on every rank. Multiply it by 1 / [`world.size()`](Communicator::size) for the mean. Gradients of
    /// inputs are not included.
    ///
    /// `model` identifies the parameters on all ranks; if the gradients are of several models, pass all of them:
    /// `&(&generator, &critic)`.
    ///
    /// ```
    /// use taut::distributed::run_threads;
    /// use taut::prelude::*;
    /// let sums = run_threads(3, |world| {
    ///     let model = Linear::<1, 1>::init(&mut StdRng::seed_from_u64(0));
    ///     let x = Tensor::from([world.rank() as f32]);
    ///     let gradients = model.forward(Tape::inference().trace(x)).sum().backward();
    ///     gradients.all_reduce(&model, world).unwrap().of(&model.weight).to_array()
    /// });
    /// assert_eq!(sums, [[[3.0]]; 3]);
    /// ```
    ///
    /// # Errors
    /// If another rank has ended, or has a different model.
    ///
    /// # Panics
    /// If there are gradients of parameters outside `model`.
    #[track_caller]
    pub fn all_reduce<M: Parameters>(
        self,
        model: &M,
        world: &dyn Communicator,
    ) -> Result<Gradients, CommunicationError> {
        let mut partial = PartialGradients::new();
        partial.add(world.rank(), self);
        partial.all_reduce(model, world)
    }
}
