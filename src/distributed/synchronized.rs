//! The gradients of a batch whose parts run at the same time and exchange statistics in between.

use super::backward::share;
use super::batches::{GlobalBatch, Part};
use super::bytes::{Reader, Writer};
use super::communicator::{CommunicationError, Communicator};
use super::partial::PartialGradients;
use super::reduce::Share;
use crate::kernels::denormals::Mode;
use crate::numbers::{Generator, ValuesMut};
use crate::params::Parameters;
use crate::tape::{Brought, Interrupted, Meeting};
use crate::tensor::{Float, Tensor};
use crate::trace::{Gradients, Tape, Traced, Training};
use rand::Rng;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::ScopedJoinHandle;

/// The usual size of a main thread's stack.
const STACK: usize = 8 << 20;

/// A part of the batch, in a thread that waits except when it is its turn.
struct Running<'scope> {
    number: usize,
    turn: Sender<Brought>,
    brings: Receiver<Vec<f64>>,
    /// Until it is done.
    thread: Option<ScopedJoinHandle<'scope, Share>>,
    outcome: Option<std::thread::Result<Share>>,
}

impl Running<'_> {
    /// Lets it run until it meets the others, and returns what it brings; `None` if it is done.
    fn advance(&mut self, brought: &Brought) -> Option<Vec<f64>> {
        let thread = self.thread.take()?;
        // nobody takes it if the thread has ended
        let _ = self.turn.send(brought.clone());
        let meets = self.brings.recv().ok();
        match meets {
            Some(_) => self.thread = Some(thread),
            None => self.outcome = Some(thread.join()),
        }
        meets
    }
}

impl<X: Send> GlobalBatch<X> {
    /// [`backward`](Self::backward) in which [batch norms](crate::nn::BatchNorm) use the statistics of the whole batch,
    /// over all parts and ranks, and gradients pass through them as if the batch were in one piece. The running
    /// averages follow the whole batch. The results are the same bits on any number of ranks.
    ///
    /// The parts of a rank run in separate threads, one at a time, and each waits at a batch norm for the others. So
    /// their tapes are in memory together, like that of a whole batch. Operations use rayon's global pool, whatever
    /// pool this is called in.
    ///
    /// ```
    /// use taut::distributed::{DistributedDataset, run_threads};
    /// use taut::prelude::*;
    /// let means = run_threads(2, |world| {
    ///     let mut rng = StdRng::seed_from_u64(0);
    ///     let mut model = BatchNorm1d::<1>::init(&mut rng);
    ///     let data = Tensor::from([[1.0], [2.0], [3.0], [6.0]]);
    ///     let batch = data.parts::<1>(4, world, &mut rng).next().unwrap();
    ///     let loss = |tape: &Tape<Training>, x| model.forward(tape.trace(x)).mean();
    ///     let (_, gradients) = batch.backward_synchronized(&model, world, &mut rng, loss).unwrap();
    ///     Sgd::new(SgdConfig::default()).step(&mut model, &gradients);
    ///     model.running_mean.value()[[0]] / 0.1
    /// });
    /// assert_eq!(means, [3.0, 3.0]);
    /// ```
    ///
    /// # Errors
    /// If another rank has ended, or the ranks differ in their models or random numbers, or the parts run through
    /// different batch norms.
    ///
    /// # Panics
    /// If the loss depends on parameters outside `model`.
    #[doc(alias = "SyncBatchNorm")]
    #[track_caller]
    pub fn backward_synchronized<E: Float, M: Parameters>(
        self,
        model: &M,
        world: &dyn Communicator,
        rng: &mut (impl Rng + ?Sized),
        loss: impl Fn(&Tape<Training>, X) -> Tensor<(), E, Traced<Training>> + Sync,
    ) -> Result<(f64, Gradients), CommunicationError> {
        let (seed, like) = self.seed(rng);
        let samples = self.samples();
        let (loss, mode) = (&loss, Mode::current());
        let partial = std::thread::scope(|scope| {
            let start = |part: Part<X>| {
                let number = part.number;
                let (turn, turns) = channel();
                let (bring, brings) = channel();
                let program = move || {
                    let _guard = mode.enter();
                    let meeting = Meeting::new(number == 0, bring, turns);
                    meeting.begin();
                    let tape = Tape::training_with(part.samples.clone(), &mut Generator::new(seed), meeting);
                    share(tape, part, samples, &mut |tape, data| loss(tape, data))
                };
                let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, program);
                let thread = Some(thread.expect("a thread can be started"));
                Running { number, turn, brings, thread, outcome: None }
            };
            conduct(self.into_parts().into_iter().map(start).collect(), world)
        })?;
        let Share { loss, gradients } = partial.reduce(model, world, like)?;
        Ok((loss, gradients))
    }
}

/// Lets the parts of this rank take turns, from meeting to meeting, and exchanges what they bring with the other ranks.
fn conduct(mut parts: Vec<Running<'_>>, world: &dyn Communicator) -> Result<PartialGradients, CommunicationError> {
    let mut brought = Brought::default();
    loop {
        let mut meets = Vec::new();
        for part in &mut parts {
            meets.push(part.advance(&brought));
        }
        if parts.iter().any(|part| matches!(part.outcome, Some(Err(_)))) {
            stop(std::mem::take(&mut parts));
        }
        match exchange(&meets, world) {
            Ok(Some(all)) => brought = Arc::new(all),
            Ok(None) => break,
            Err(error) => {
                stop(parts);
                return Err(error);
            }
        }
    }
    let mut partial = PartialGradients::new();
    for Running { number, outcome, .. } in parts {
        if let Some(Ok(share)) = outcome {
            partial.add_share(number, share);
        }
    }
    Ok(partial)
}

/// Ends all parts. If one has panicked, its panic is resumed here.
fn stop(parts: Vec<Running<'_>>) {
    let mut panic = None;
    for Running { turn, thread, outcome, .. } in parts {
        drop(turn);
        let outcome = outcome.or_else(|| thread.map(ScopedJoinHandle::join));
        if let Some(Err(found)) = outcome
            && !found.is::<Interrupted>()
        {
            panic.get_or_insert(found);
        }
    }
    if let Some(panic) = panic {
        std::panic::resume_unwind(panic);
    }
}

/// What all parts of all ranks bring to a meeting; `None` if all are done.
fn exchange(meets: &[Option<Vec<f64>>], world: &dyn Communicator) -> Result<Option<Vec<Vec<f64>>>, CommunicationError> {
    let mut writer = Writer::default();
    for meets in meets {
        writer.bytes.push(u8::from(meets.is_some()));
        if let Some(numbers) = meets {
            writer.size(numbers.len());
            numbers.iter().for_each(|&number| writer.f64(number));
        }
    }
    let mut all = Vec::new();
    for (rank, message) in world.all_gather(&writer.bytes)?.iter().enumerate() {
        let mut reader = Reader::new(rank, message);
        while !reader.is_at_end() {
            let mut numbers = None;
            if reader.byte()? == 1 {
                let mut values = vec![0.0; reader.below(message.len(), "number of numbers")?];
                reader.values(ValuesMut::F64(&mut values))?;
                numbers = Some(values);
            }
            all.push(numbers);
        }
    }
    let len = |numbers: &Option<Vec<f64>>| numbers.as_ref().map(Vec::len);
    if all.iter().any(|numbers| len(numbers) != len(&all[0])) {
        let text = "one part of a batch runs through other batch norms than another".to_string();
        return Err(CommunicationError::Disagreement(text));
    }
    // all have some, or none does
    let all: Vec<_> = all.into_iter().flatten().collect();
    Ok(Some(all).filter(|all| !all.is_empty()))
}
