//! Locks on files.

use std::fs::{File, TryLockError};
use std::ops::Deref;

/// An open file with its lock, which is released when this is dropped.
///
/// Closing the file is not enough: the lock belongs to the open file, and a child process that another thread has just
/// started keeps that open until it runs its own program. The next one to ask would find the file locked.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Locked {
    /// `None` if the file is locked already. On file systems that have no locks, every file can be had.
    pub(crate) fn new(file: File) -> Option<Self> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            Ok(()) | Err(TryLockError::Error(_)) => Some(Locked(file)),
        }
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // where there are no locks, there is none to release
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::Folder;
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn one_at_a_time_has_the_lock() {
        let folder = Folder::new();
        let path = folder.path().join("locked");
        let first = Locked::new(File::create(&path).unwrap()).unwrap();
        assert!(Locked::new(File::open(&path).unwrap()).is_none());
        drop(first);
        assert!(Locked::new(File::open(&path).unwrap()).is_some());
    }

    /// A child has all files of its parent open until it runs its own program.
    #[cfg(unix)]
    #[test]
    fn a_dropped_lock_is_free_while_other_threads_start_processes() {
        let folder = Folder::new();
        let path = folder.path().join("locked");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Relaxed) {
                        Command::new("true").status().unwrap();
                    }
                });
            }
            let held = (0..5_000).filter(|_| Locked::new(File::create(&path).unwrap()).is_none()).count();
            is_over.store(true, Relaxed);
            assert_eq!(held, 0);
        });
    }
}
