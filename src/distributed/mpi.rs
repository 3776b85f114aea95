//! The processes of MPI, the Message Passing Interface.

use super::communicator::{CommunicationError, Communicator, Work, expect_exchanges, expect_messages};
use mpi::Threading;
use mpi::point_to_point::{Message, Status};
use mpi::request::{Request, Scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination, Equivalence, Source};
use std::cell::OnceCell;
use std::fmt::Display;
use std::io::Write;

/// The tag of a message.
const MESSAGE: i32 = 0;
/// The tag of the message that a rank sends when its program is done.
const DONE: i32 = 1;
/// Messages are sent in pieces of this many bytes, as MPI counts in 32 bits; the last piece is shorter, or empty.
const PIECE: usize = 1 << 30;

/// All processes that MPI started.
struct Mpi(SimpleCommunicator);

/// Runs `program` on MPI's processes, and waits for all of them at the end.
pub(super) fn run<R, E: From<CommunicationError> + Display>(
    program: impl FnOnce(&dyn Communicator) -> Result<R, E>,
) -> Result<R, E> {
    // only this thread communicates
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
            // the others may be waiting for this rank, and would wait forever
            say(&format!("error on rank {} of {}: {error}\n", world.rank(), world.size()));
            world.0.abort(1);
        }
        world.finish();
    }
    drop(universe);
    result
}

/// Writes to standard error in one call: several ranks may write, and lines should stay whole.
fn say(line: &str) {
    // this rank ends anyway
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Ends all processes if this one panics, as they would wait for it.
struct AbortOnPanic<'a>(&'a Mpi);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && self.0.size() > 1 {
            say(&format!("rank {} of {} panicked\n", self.0.rank(), self.0.size()));
            self.0.0.abort(101);
        }
    }
}

/// The pieces of a message. The last one is shorter than the others.
fn pieces(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..=message.len() / PIECE).map(|piece| {
        let rest = &message[piece * PIECE..];
        &rest[..rest.len().min(PIECE)]
    })
}

impl Mpi {
    fn others(&self) -> impl Iterator<Item = usize> {
        let rank = self.rank();
        (0..self.size()).filter(move |&other| other != rank)
    }

    /// Tells the others that this rank is done, and waits until they are. A rank that waits for a message from this one
    /// learns that there is none.
    fn finish(&self) {
        for rank in self.others() {
            self.0.process_at_rank(rank as i32).send_with_tag::<[u8]>(&[], DONE);
        }
        for rank in self.others() {
            while self.receive(rank).is_ok() {}
        }
    }

    /// Starts sending a message to another rank.
    fn start_sending<'a, S: Scope<'a> + Copy>(
        &self,
        rank: usize,
        message: &'a [u8],
        scope: S,
        requests: &mut Vec<Request<'a, [u8], S>>,
    ) {
        let process = self.0.process_at_rank(rank as i32);
        requests.extend(pieces(message).map(|piece| process.immediate_send_with_tag(scope, piece, MESSAGE)));
    }

    /// Starts receiving a message into `place`; `None` if it is there already.
    fn start_receiving<'a, S: Scope<'a>>(
        &self,
        rank: usize,
        message: Message,
        status: Status,
        place: &'a mut Vec<u8>,
        scope: S,
    ) -> Result<Option<Request<'a, [u8], S>>, CommunicationError> {
        if status.tag() == DONE {
            message.matched_receive_into::<[u8]>(&mut []);
            return Err(CommunicationError::Gone { rank });
        }
        place.resize(status.count(u8::equivalent_datatype()) as usize, 0);
        if place.len() < PIECE {
            return Ok(Some(message.immediate_matched_receive_into(scope, place.as_mut_slice())));
        }
        message.matched_receive_into(place.as_mut_slice());
        place.extend(self.receive(rank)?);
        Ok(None)
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
        expect_messages(outgoing.len(), self.size());
        mpi::request::scope(|scope| {
            let mut sending = Vec::new();
            for rank in self.others() {
                self.start_sending(rank, outgoing[rank], scope, &mut sending);
            }
            let receive =
                |rank: usize| if rank == self.rank() { Ok(outgoing[rank].to_vec()) } else { self.receive(rank) };
            let incoming = (0..self.size()).map(receive).collect();
            // a rank that is done receives what still arrives
            sending.into_iter().for_each(|request| request.wait_without_status());
            incoming
        })
    }

    fn exchange_during(&self, count: usize, work: &mut Work<'_>) -> Result<Vec<Vec<Vec<u8>>>, CommunicationError> {
        let own = self.rank();
        // MPI reads and writes these while `work` runs, so they must not move until all is done
        let outgoing: Vec<OnceCell<Vec<Vec<u8>>>> = vec![OnceCell::new(); count];
        let mut incoming: Vec<Vec<Vec<u8>>> = vec![vec![Vec::new(); count]; self.size()];
        let result = mpi::request::scope(|scope| {
            let mut requests = Vec::new();
            // ends this process before a panic could drop requests that are still running
            let guard = AbortOnPanic(self);
            let mut places: Vec<_> = incoming.iter_mut().map(|messages| messages.iter_mut()).collect();
            let mut result = Ok(());
            let mut handed_over = 0;
            work(&mut |messages| {
                expect_messages(messages.len(), self.size());
                if let Some(place) = outgoing.get(handed_over) {
                    let messages = place.get_or_init(|| messages);
                    for rank in self.others() {
                        self.start_sending(rank, &messages[rank], scope, &mut requests);
                    }
                }
                handed_over += 1;
                // receives what has arrived: a large message is sent only when its receiver has a buffer for it
                for rank in self.others() {
                    let process = self.0.process_at_rank(rank as i32);
                    while result.is_ok()
                        && places[rank].len() > 0
                        && let Some((message, status)) = process.immediate_matched_probe()
                    {
                        let place = places[rank].next().expect("there is one");
                        result =
                            self.start_receiving(rank, message, status, place, scope).map(|it| requests.extend(it));
                    }
                }
            });
            expect_exchanges(handed_over, count);
            for rank in self.others() {
                for place in &mut places[rank] {
                    if result.is_ok() {
                        let (message, status) = self.0.process_at_rank(rank as i32).matched_probe();
                        result =
                            self.start_receiving(rank, message, status, place, scope).map(|it| requests.extend(it));
                    }
                }
            }
            requests.into_iter().for_each(|request| request.wait_without_status());
            drop(guard);
            result
        });
        for (place, messages) in incoming[own].iter_mut().zip(outgoing) {
            *place = messages.into_inner().expect("all were handed over").swap_remove(own);
        }
        result?;
        // by exchange, not by rank
        let mut by_rank: Vec<_> = incoming.into_iter().map(Vec::into_iter).collect();
        Ok((0..count).map(|_| by_rank.iter_mut().filter_map(Iterator::next).collect()).collect())
    }
}
