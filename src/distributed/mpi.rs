//! The processes of MPI, the Message Passing Interface.

use super::communicator::{CommunicationError, Communicator};
use mpi::Threading;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination, Source};
use std::fmt::Display;
use std::io::Write;

/// Of a message.
const MESSAGE: i32 = 0;
/// Of what a rank sends when its program is done.
const DONE: i32 = 1;
/// Messages are sent in pieces of so many bytes, for MPI counts in 32 bits; the last piece is shorter, or empty.
const PIECE: usize = 1 << 30;

/// All processes that MPI started.
struct Mpi(SimpleCommunicator);

/// Runs `program` on MPI's processes. In the end, waits for all of them.
pub(super) fn run<R, E: From<CommunicationError> + Display>(
    program: impl FnOnce(&dyn Communicator) -> Result<R, E>,
) -> Result<R, E> {
    // only this thread talks
    let Some((universe, _)) = mpi::initialize_with_threading(Threading::Funneled) else {
        let text =
            "MPI runs once in a process, and was started before: call `distributed::run` once, around the program";
        return Err(CommunicationError::Start(text.to_string()).into());
    };
    let world = Mpi(universe.world());
    let result = {
        let _guard = AbortOnPanic(&world);
        program(&world)
    };
    if world.size() > 1 {
        if let Err(error) = &result {
            // the others may be waiting for this rank, and would do so forever
            say(&format!("error on rank {} of {}: {error}\n", world.rank(), world.size()));
            world.0.abort(1);
        }
        world.finish();
    }
    drop(universe);
    result
}

/// Writes to standard error, at once: several ranks may, and lines should stay whole.
fn say(line: &str) {
    // this rank ends anyway
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Ends all processes if this one panics: they would wait for it.
struct AbortOnPanic<'a>(&'a Mpi);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && self.0.size() > 1 {
            say(&format!("rank {} of {} panicked\n", self.0.rank(), self.0.size()));
            self.0.0.abort(101);
        }
    }
}

impl Mpi {
    fn others(&self) -> impl Iterator<Item = usize> {
        let rank = self.rank();
        (0..self.size()).filter(move |&other| other != rank)
    }

    /// Tells the others that this rank is done, and waits until they are. One that waits for a message of this rank
    /// finds that there is none.
    fn finish(&self) {
        for rank in self.others() {
            self.0.process_at_rank(rank as i32).send_with_tag::<[u8]>(&[], DONE);
        }
        for rank in self.others() {
            while self.receive(rank).is_ok() {}
        }
    }

    fn receive(&self, rank: usize) -> Result<Vec<u8>, CommunicationError> {
        let mut whole = Vec::new();
        loop {
            let (piece, status) = self.0.process_at_rank(rank as i32).receive_vec::<u8>();
            if status.tag() == DONE {
                return Err(CommunicationError::Gone { rank });
            }
            let last = piece.len() < PIECE;
            if whole.is_empty() {
                whole = piece;
            } else {
                whole.extend(piece);
            }
            if last {
                return Ok(whole);
            }
        }
    }
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.0.rank() as usize
    }

    fn size(&self) -> usize {
        self.0.size() as usize
    }

    fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        assert!(outgoing.len() == self.size(), "exchange: {} messages for {} ranks", outgoing.len(), self.size());
        mpi::request::scope(|scope| {
            let mut sending = Vec::new();
            for rank in self.others() {
                let process = self.0.process_at_rank(rank as i32);
                let pieces = (0..=outgoing[rank].len() / PIECE).map(|piece| {
                    let rest = &outgoing[rank][piece * PIECE..];
                    &rest[..rest.len().min(PIECE)]
                });
                sending.extend(pieces.map(|piece| process.immediate_send_with_tag(scope, piece, MESSAGE)));
            }
            let receive =
                |rank: usize| if rank == self.rank() { Ok(outgoing[rank].to_vec()) } else { self.receive(rank) };
            let incoming = (0..self.size()).map(receive).collect();
            // a rank that is done takes what still comes
            sending.into_iter().for_each(|request| request.wait_without_status());
            incoming
        })
    }
}
