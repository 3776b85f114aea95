//! The communication that ranks need.

use std::fmt;

/// A number of processes that run the same program, including this one.
///
/// taut has [`OneProcess`](super::OneProcess), threads as ranks ([`run_threads`](super::run_threads)) and, with the
/// feature `mpi`, MPI's processes. Another kind of communication, over sockets for example, needs the three methods
/// without a body.
///
/// Every method but [`rank`](Self::rank) and [`size`](Self::size) is collective: all ranks must call it, in the same
/// order.
pub trait Communicator {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// The number of processes, at least 1.
    fn size(&self) -> usize;

    /// Sends `outgoing[r]` to each rank r, and returns what each rank sent to this one. Messages may have any length,
    /// and different ones. Waits until all have arrived.
    ///
    /// # Errors
    /// If another rank has ended, or cannot be reached.
    ///
    /// # Panics
    /// If there are not as many messages as ranks.
    fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError>;

    /// Runs `work`, which hands over the messages of `count` exchanges one after the other while it computes: for each
    /// exchange, a message to each rank. Returns the results of the exchanges, as [`exchange`](Self::exchange) does.
    ///
    /// A communicator may send messages while `work` computes. This default sends them afterwards.
    ///
    /// ```
    /// use taut::distributed::run_threads;
    /// let found = run_threads(2, |world| {
    ///     let incoming = world.exchange_during(2, &mut |hand_over| {
    ///         for round in 0..2 {
    ///             hand_over(vec![vec![world.rank() as u8, round]; world.size()]);
    ///         }
    ///     });
    ///     incoming.unwrap()
    /// });
    /// assert_eq!(found[0], [[[0, 0], [1, 0]], [[0, 1], [1, 1]]]);
    /// ```
    ///
    /// # Errors
    /// If another rank has ended, or cannot be reached.
    ///
    /// # Panics
    /// If `work` hands over more or fewer exchanges, or not one message for each rank.
    fn exchange_during(&self, count: usize, work: &mut Work<'_>) -> Result<Vec<Vec<Vec<u8>>>, CommunicationError> {
        let mut handed_over = Vec::new();
        work(&mut |outgoing| handed_over.push(outgoing));
        expect_exchanges(handed_over.len(), count);
        handed_over
            .iter()
            .map(|outgoing| self.exchange(&outgoing.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            .collect()
    }

    /// Whether this is rank 0: the one that prints and saves.
    fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Waits until all ranks have called this.
    ///
    /// # Errors
    /// If another rank has ended.
    fn barrier(&self) -> Result<(), CommunicationError> {
        self.all_gather(&[]).map(|_| ())
    }

    /// The messages of all ranks, in their order.
    ///
    /// # Errors
    /// If another rank has ended.
    fn all_gather(&self, message: &[u8]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        self.exchange(&vec![message; self.size()])
    }

    /// The message of rank 0; what the others pass is ignored.
    ///
    /// # Errors
    /// If another rank has ended.
    fn broadcast(&self, message: &[u8]) -> Result<Vec<u8>, CommunicationError> {
        let message = if self.is_first() { message } else { &[] };
        Ok(self.all_gather(message)?.swap_remove(0))
    }

    /// The sums of the numbers that all ranks pass, element by element, added in the order of the ranks: for the
    /// figures of an evaluation in which each rank did its [shard](super::DistributedDataset::shard).
    ///
    /// ```
    /// use taut::distributed::run_threads;
    /// let sums = run_threads(3, |world| world.sum(&[1.0, world.rank() as f64]).unwrap());
    /// assert_eq!(sums, [[3.0, 3.0], [3.0, 3.0], [3.0, 3.0]]);
    /// ```
    ///
    /// # Errors
    /// If another rank has ended, or passes more numbers or fewer.
    fn sum(&self, numbers: &[f64]) -> Result<Vec<f64>, CommunicationError> {
        let message: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut sums = vec![0.0; numbers.len()];
        for (rank, message) in self.all_gather(&message)?.iter().enumerate() {
            let (summands, rest) = message.as_chunks::<8>();
            if summands.len() != sums.len() || !rest.is_empty() {
                let (mine, others) = (sums.len(), message.len() as f64 / 8.0);
                let text = format!("sum: this rank has {mine} numbers, and rank {rank} has {others}");
                return Err(CommunicationError::Disagreement(text));
            }
            sums.iter_mut().zip(summands).for_each(|(sum, &bytes)| *sum += f64::from_le_bytes(bytes));
        }
        Ok(sums)
    }
}

/// The computation during [`Communicator::exchange_during`]: it is given the function that takes its messages.
pub type Work<'a> = dyn FnMut(&mut dyn FnMut(Vec<Vec<u8>>)) + 'a;

/// # Panics
/// If they are not as many as were promised.
#[track_caller]
pub(super) fn expect_exchanges(found: usize, count: usize) {
    assert!(found == count, "exchange_during: messages of {found} exchanges, and {count} were promised");
}

/// # Panics
/// If there are not as many messages as ranks.
#[track_caller]
pub(super) fn expect_messages(found: usize, ranks: usize) {
    assert!(found == ranks, "exchange: {found} messages for {ranks} ranks");
}

/// Why ranks could not work together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommunicationError {
    /// A rank has ended: it panicked, returned an error, or took part in less than the others.
    Gone {
        /// Which.
        rank: usize,
    },
    /// The ranks disagree: about what.
    Disagreement(String),
    /// The processes could not find each other: why, and what to do.
    Start(String),
    /// A message could not be sent or received: why. For communicators outside taut.
    Transport(String),
}

impl fmt::Display for CommunicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommunicationError::Gone { rank } => write!(f, "rank {rank} has ended, and others still wait for it"),
            CommunicationError::Disagreement(text) => write!(f, "the ranks do not do the same: {text}"),
            CommunicationError::Start(text) | CommunicationError::Transport(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for CommunicationError {}
