//! Starting a program on all processes.

use super::communicator::{CommunicationError, Communicator};

/// Runs `program` on all processes: those that `mpirun` or Slurm started, with the feature `mpi`; otherwise this one
/// alone.
///
/// With several processes of MPI, an error or a panic in one of them is printed with the number of the rank, and ends
/// all of them with an exit code other than 0: the others may be waiting for it.
///
/// # Errors
/// What `program` returns. [`CommunicationError::Start`] if this is one of several processes and the feature `mpi` is
/// off, or, with the feature, if it is called a second time.
#[cfg(feature = "mpi")]
pub fn run<R, E: From<CommunicationError> + std::fmt::Display>(
    program: impl FnOnce(&dyn Communicator) -> Result<R, E>,
) -> Result<R, E> {
    super::mpi::run(program)
}

/// Runs `program` on all processes: those that `mpirun` or Slurm started, with the feature `mpi`; otherwise this one
/// alone.
///
/// # Errors
/// What `program` returns. [`CommunicationError::Start`] if this is one of several processes and the feature `mpi` is
/// off.
#[cfg(not(feature = "mpi"))]
pub fn run<R, E: From<CommunicationError> + std::fmt::Display>(
    program: impl FnOnce(&dyn Communicator) -> Result<R, E>,
) -> Result<R, E> {
    // the numbers of processes of Open MPI, of MPICH and its descendants, and of Slurm, whose `srun` may set no other
    let variables = [("OMPI_COMM_WORLD_SIZE", "mpirun"), ("PMI_SIZE", "mpirun"), ("SLURM_STEP_NUM_TASKS", "srun")];
    let counts = variables.map(|(name, launcher)| Some((std::env::var(name).ok()?.parse::<usize>().ok()?, launcher)));
    if let Some((count, launcher)) = counts.into_iter().flatten().find(|&(count, _)| count > 1) {
        let text = format!(
            "this is one of {count} processes that {launcher} started, but the program was built for one: build it \
             with taut's feature `mpi` (a program of taut's own with `cargo build --release --features mpi --example \
             ..`)"
        );
        return Err(CommunicationError::Start(text).into());
    }
    program(&super::OneProcess)
}
