//! Starting.

use super::communicator::{CommunicationError, Communicator};
use super::one_process::OneProcess;

/// Runs `program` on the processes that there are: those that `mpirun` or Slurm started, with the feature `mpi`;
/// otherwise this one alone.
///
/// # Errors
/// What `program` returns. [`CommunicationError::Start`] if this is one of several processes and the feature `mpi` is
/// off, or if MPI cannot start.
pub fn run<R, E: From<CommunicationError> + std::fmt::Display>(
    program: impl FnOnce(&dyn Communicator) -> Result<R, E>,
) -> Result<R, E> {
    if let Some(count) = started_with() {
        return Err(CommunicationError::Start(format!(
            "this is one of {count} processes that mpirun started, but the program was built for one: build it with \
             taut's feature `mpi` (for its own programs, `cargo build --release --features mpi --example ..`)"
        ))
        .into());
    }
    program(&OneProcess)
}

/// The number of processes that a launcher started, if it is not 1.
fn started_with() -> Option<usize> {
    // of Open MPI, and of MPICH and those after it
    let variables = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
    let count = variables.iter().find_map(|name| std::env::var(name).ok()?.parse().ok());
    count.filter(|&count| count > 1)
}
