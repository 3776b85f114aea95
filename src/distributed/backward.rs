//! The gradients of a batch whose parts are divided among the ranks.

use super::batches::{GlobalBatch, Part};
use super::communicator::{CommunicationError, Communicator};
use super::model::{Hash, structure};
use super::overlap::Overlap;
use super::partial::PartialGradients;
use super::reduce::{Places, Share, buckets, expect_alike, reduce_blocks};
use crate::memory::Storage;
use crate::numbers::Generator;
use crate::params::Parameters;
use crate::tensor::{Float, Tensor};
use crate::trace::{Gradients, Tape, Traced, Training};
use rand::Rng;

impl<X> GlobalBatch<X> {
    /// The mean loss of the batch and its gradients, the same on all ranks, where `loss` computes the mean loss of one
    /// part's samples: a forward and a backward pass for each part of this rank, and the sum over all ranks.
    ///
    /// Each part has a tape that knows its [samples](Tape::training_of), with a seed drawn from `rng`: all ranks must
    /// pass generators in the same state. Batch norms normalise each part by its own statistics, and the running
    /// averages follow the parts in turn; for statistics of the whole batch, see
    /// [`backward_synchronized`](Self::backward_synchronized).
    ///
    /// During the backward pass of the last part, gradients of the layers already passed are on their way.
    ///
    /// # Errors
    /// If another rank has ended, or the ranks differ in their models or random numbers.
    ///
    /// # Panics
    /// If the loss depends on parameters outside `model`.
    #[track_caller]
    pub fn backward<E: Float, M: Parameters>(
        self,
        model: &M,
        world: &dyn Communicator,
        rng: &mut (impl Rng + ?Sized),
        mut loss: impl FnMut(&Tape<Training>, X) -> Tensor<(), E, Traced<Training>>,
    ) -> Result<(f64, Gradients), CommunicationError> {
        let (seed, like) = self.seed(rng);
        let samples = self.samples();
        let tape = |part: &Part<X>| Tape::training_of(part.samples.clone(), &mut Generator::new(seed));
        let mut parts = self.into_parts();
        let mut partial = PartialGradients::new();
        let mut add = |partial: &mut PartialGradients, part: Part<X>| {
            partial.add_share(part.number, share(tape(&part), part, samples, &mut loss));
        };
        // a single bucket could start only after the backward pass
        let places = (world.size() > 1).then(|| Places::of(model)).filter(|places| buckets(places).len() > 1);
        let Some(places) = places else {
            parts.into_iter().for_each(|part| add(&mut partial, part));
            let Share { loss, gradients } = partial.reduce(model, world, like)?;
            return Ok((loss, gradients));
        };
        // before anything is sent whose amount depends on the model
        let alike = [structure(model), like];
        expect_alike(world, alike)?;
        let last = parts.pop();
        parts.into_iter().for_each(|part| add(&mut partial, part));
        let mut overlap = Overlap::new(partial.tree, last.as_ref().map(|part| part.number), &places, world.size());
        let mut last = last.map(|part| {
            let tape = tape(&part);
            let weight = part.weight(samples);
            let loss = loss(&tape, part.data);
            overlap.begin(|parameter| tape.has_parameter(parameter));
            (loss, weight)
        });
        let came = world.exchange_during(overlap.bucket_count(), &mut |hand_over| {
            let share = last.take().map(|(loss, weight)| {
                let value = loss.item().as_f64() * weight;
                let take = &mut |parameter, gradient| overlap.take(parameter, gradient, hand_over);
                Share { loss: value, gradients: loss.backward_telling(E::of(weight), take) }
            });
            overlap.finish(share, hand_over);
        })?;
        let Share { loss, gradients } = reduce_blocks(overlap.into_blocks(), world, &places, alike, Some(came))?;
        Ok((loss, gradients))
    }

    /// A seed for the tapes, and a number that must be the same on all ranks.
    pub(super) fn seed(&self, rng: &mut (impl Rng + ?Sized)) -> (u64, u64) {
        let seed = rng.next_u64();
        let mut hash = Hash::default();
        for number in [seed, self.samples() as u64, self.part_count() as u64] {
            hash.add(&number.to_le_bytes());
        }
        (seed, hash.0)
    }
}

/// Loss and gradients of a part, weighted by its share of the samples.
pub(super) fn share<X, E: Float>(
    tape: Tape<Training>,
    part: Part<X>,
    samples: usize,
    loss: &mut impl FnMut(&Tape<Training>, X) -> Tensor<(), E, Traced<Training>>,
) -> Share {
    let weight = part.weight(samples);
    let loss = loss(&tape, part.data);
    let value = loss.item().as_f64() * weight;
    let upstream = Tensor::from_storage((), Storage::filled(1, E::of(weight)));
    Share { loss: value, gradients: loss.vector_jacobian(upstream) }
}
