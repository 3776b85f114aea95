//! Threads of one process as ranks.

use super::communicator::{CommunicationError, Communicator, Work, expect_exchanges, expect_messages};
use std::sync::mpsc::{Receiver, Sender, channel};

/// One rank: a channel to each rank, itself included, and one from each.
struct Rank {
    number: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
}

/// Runs `program` on this many ranks, each a thread of this process, and returns their results. For tests: a program
/// that gives the same on several threads does so on several machines, if its ranks share nothing.
///
/// ```
/// use taut::distributed::run_threads;
/// let greetings = run_threads(3, |world| {
///     let greeting = format!("from {} of {}", world.rank(), world.size());
///     world.broadcast(greeting.as_bytes()).unwrap()
/// });
/// assert_eq!(greetings, [b"from 0 of 3", b"from 0 of 3", b"from 0 of 3"]);
/// ```
///
/// # Panics
/// If there are no ranks, or if one panics: with its message, when all have ended.
#[track_caller]
pub fn run_threads<R: Send>(ranks: usize, program: impl Fn(&dyn Communicator) -> R + Sync) -> Vec<R> {
    assert!(ranks > 0, "run_threads: at least one rank");
    let (mut to, mut from): (Vec<Vec<_>>, Vec<Vec<_>>) = (0..ranks).map(|_| (Vec::new(), Vec::new())).unzip();
    for to in &mut to {
        for from in &mut from {
            let (sender, receiver) = channel();
            to.push(sender);
            from.push(receiver);
        }
    }
    let program = &program;
    std::thread::scope(|scope| {
        let threads: Vec<_> = to
            .into_iter()
            .zip(from)
            .enumerate()
            .map(|(number, (to, from))| {
                scope.spawn(move || {
                    let rank = Rank { number, to, from };
                    program(&rank) // then the rank is dropped, so that the others notice
                })
            })
            .collect();
        let ends: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        ends.into_iter().map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

impl Rank {
    fn send(&self, outgoing: impl IntoIterator<Item = Vec<u8>>) -> Result<(), CommunicationError> {
        for (rank, (to, message)) in self.to.iter().zip(outgoing).enumerate() {
            to.send(message).map_err(|_| CommunicationError::Gone { rank })?;
        }
        Ok(())
    }

    fn receive(&self) -> Result<Vec<Vec<u8>>, CommunicationError> {
        let receive = |(rank, from): (usize, &Receiver<_>)| from.recv().map_err(|_| CommunicationError::Gone { rank });
        self.from.iter().enumerate().map(receive).collect()
    }
}

impl Communicator for Rank {
    fn rank(&self) -> usize {
        self.number
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        expect_messages(outgoing.len(), self.size());
        self.send(outgoing.iter().map(|message| message.to_vec()))?;
        self.receive()
    }

    fn exchange_during(&self, count: usize, work: &mut Work<'_>) -> Result<Vec<Vec<Vec<u8>>>, CommunicationError> {
        let (mut sent, mut found) = (Ok(()), 0);
        work(&mut |outgoing| {
            expect_messages(outgoing.len(), self.size());
            found += 1;
            if sent.is_ok() {
                sent = self.send(outgoing);
            }
        });
        expect_exchanges(found, count);
        sent?;
        (0..count).map(|_| self.receive()).collect()
    }
}
