//! The only process.

use super::communicator::{CommunicationError, Communicator};

/// The communicator of a program that runs alone.
///
/// ```
/// use taut::distributed::{Communicator, OneProcess};
/// assert!(OneProcess.is_first() && OneProcess.size() == 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OneProcess;

impl Communicator for OneProcess {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        assert!(outgoing.len() == 1, "exchange: {} messages for 1 rank", outgoing.len());
        Ok(vec![outgoing[0].to_vec()])
    }
}
