//! Atomic writing: there is always a complete file, the old one, then the new one. By hand because `tempfile` does the
//! easy part only: links, permissions, flushing and the leftovers of killed processes would remain to be handled here.

use super::error::FileError;
use super::lock::Locked;
use super::open::regular;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Writes the output of `write` to `path`: to a temporary file in the same folder, flushed to disk, then renamed over
/// the old file in one step. On an error the old file is unchanged, and no temporary file remains.
///
/// The new file has the permissions of the old one. A file that is read-only is not replaced.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let write_all = || {
        let temporary = Temporary::new(path)?;
        let mut writer = BufWriter::with_capacity(1 << 18, &*temporary.file);
        write(&mut writer)?;
        writer.flush()?;
        drop(writer);
        temporary.replace_target()
    };
    write_all().map_err(|error| FileError::system(path, "cannot be saved", error))
}

/// Checks, as far as possible in advance, whether a file can be saved here: that the folder exists and is writable, and
/// that anything that already has the name is a replaceable file. Nothing is changed. For programs that compute for
/// hours before they save.
///
/// # Errors
/// If saving would fail now.
///
/// ```
/// let error = taut::files::ensure_writable("no/such/folder/model.safetensors").unwrap_err();
/// assert!(error.to_string().contains("the folder `no/such/folder` does not exist: create it first"));
/// ```
pub fn ensure_writable(path: impl AsRef<Path>) -> Result<(), FileError> {
    let path = path.as_ref();
    Temporary::new(path).map(drop).map_err(|error| FileError::system(path, "cannot be saved", error))
}

/// A file under a temporary name, to be renamed once complete; removed if dropped before.
///
/// It is locked while it is written, so that others can tell it from a leftover of a killed program.
struct Temporary {
    file: Locked,
    path: PathBuf,
    target: PathBuf,
    is_renamed: bool,
}

/// The number of names to try until one is free.
const MOST_NAMES: usize = 10_000;

impl Temporary {
    fn new(path: &Path) -> io::Result<Self> {
        let target = follow_links(path)?;
        let old = fs::metadata(&target).ok();
        if let Some(old) = &old {
            may_be_replaced(old)?;
        }
        remove_leftovers(&target);
        for _ in 0..MOST_NAMES {
            let path = temporary_name(&target)?;
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                // another program uses this number (in another container, perhaps), or left it behind
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // without a lock, or where locks are not supported: another program takes the file for a leftover only if
            // it can lock it itself
            let Some(file) = Locked::new(file) else { continue };
            if !path.exists() {
                continue; // taken for a leftover before it was locked
            }
            let temporary = Temporary { file, path, target: target.clone(), is_renamed: false };
            if let Some(old) = &old {
                // before anything is written: what only its owner may read stays that way
                temporary.file.set_permissions(old.permissions())?;
            }
            return Ok(temporary);
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no name for a temporary file is free beside it"))
    }

    fn replace_target(mut self) -> io::Result<()> {
        // the contents must be on disk before the name: otherwise a rename may survive a crash that they do not
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.is_renamed = true;
        sync_folder(&self.target);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            // the error to report is the original one, whatever happens here
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn may_be_replaced(old: &Metadata) -> io::Result<()> {
    if !old.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file"));
    }
    if old.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    Ok(())
}

/// The target of a link, so that the link is kept, even if its target does not exist yet.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut target = path.to_path_buf();
    for _ in 0..=MOST_LINKS {
        match fs::read_link(&target) {
            // a relative link is relative to its own folder
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "links lead in a circle"))
}

/// The prefix of a target's temporary files. File names are limited to 255 bytes on most systems.
fn beginning(target: &Path) -> io::Result<String> {
    const LONGEST: usize = 180;
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "this path has no file name");
    let name = target.file_name().ok_or_else(no_name)?.to_string_lossy();
    Ok(format!(".{}.", &name[..name.floor_char_boundary(LONGEST)]))
}

const ENDING: &str = ".partial";

/// A name in the folder of `target` that no other thread uses.
fn temporary_name(target: &Path) -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    let name = format!("{}{}.{number}{ENDING}", beginning(target)?, std::process::id());
    Ok(target.with_file_name(OsString::from(name)))
}

/// Removes temporary files of this target left by killed programs. Whatever cannot be removed stays.
fn remove_leftovers(target: &Path) {
    let Ok(beginning) = beginning(target) else { return };
    let is_leftover = |name: &str| {
        let middle = name.strip_prefix(&beginning).and_then(|rest| rest.strip_suffix(ENDING));
        middle.and_then(|middle| middle.split_once('.')).is_some_and(|(process, number)| {
            [process, number].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    let Ok(entries) = fs::read_dir(folder(target)) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_leftover)) {
        // whoever writes a file holds a lock on it
        if let Ok((file, _)) = regular(&entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn folder(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Flushes the new name itself to disk. Failure is not an error, as the file is complete and in place: some folders
/// cannot be opened, and some file systems do not support this.
fn sync_folder(target: &Path) {
    // other systems than Unix do not open folders, and need no such step
    if cfg!(unix) {
        let _ = File::open(folder(target)).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Folder;
    use super::*;

    fn save(path: &Path, contents: &[u8]) -> Result<(), FileError> {
        write_atomically(path, |out| out.write_all(contents))
    }

    #[test]
    fn an_error_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new();
        let path = folder.path().join("model");
        save(&path, b"old").unwrap();
        let error = write_atomically(&path, |out| {
            out.write_all(b"half of the new one")?;
            out.flush()?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: cannot be saved: no storage space", path.display())), "{message}");
        assert!(message.contains("free some space"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["model"]);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_place_of_a_file() {
        let folder = Folder::new();
        let path = folder.path().join("runs").join("model");
        for attempt in [|path: &Path| save(path, b""), |path: &Path| ensure_writable(path)] {
            let message = attempt(&path).unwrap_err().to_string();
            let advice =
                format!("the folder `{}` does not exist: create it first", folder.path().join("runs").display());
            assert!(message.contains(&advice), "{message}");
            let message = attempt(folder.path()).unwrap_err().to_string();
            assert!(message.ends_with("this is not a regular file"), "{message}");
            let message = attempt(Path::new("")).unwrap_err().to_string();
            assert!(message.ends_with("this path has no file name"), "{message}");
        }
    }

    #[test]
    fn looking_whether_a_file_can_be_saved_changes_nothing() {
        let folder = Folder::new();
        let path = folder.file("model", b"old");
        ensure_writable(&path).unwrap();
        ensure_writable(folder.path().join("other")).unwrap();
        assert_eq!((fs::read(&path).unwrap(), folder.names()), (b"old".to_vec(), vec!["model".to_string()]));
    }

    /// In a container each run may be process 1, counting from 0.
    #[test]
    fn names_that_are_taken_are_passed_over_and_leftovers_removed() {
        let folder = Folder::new();
        let path = folder.path().join("model");
        let number = |path: &Path| -> u64 {
            let name = temporary_name(path).unwrap().to_string_lossy().into_owned();
            name.strip_suffix(ENDING).unwrap().rsplit('.').next().unwrap().parse().unwrap()
        };
        let next = number(&path) + 1;
        let process = std::process::id();
        let names: Vec<String> = (next..next + 50).map(|n| format!(".model.{process}.{n}.partial")).collect();
        // being written by another program, which holds a lock; other threads may take numbers in between
        let others: Vec<Locked> = names[..30]
            .iter()
            .map(|name| Locked::new(File::create(folder.path().join(name)).unwrap()).unwrap())
            .collect();
        names[30..].iter().for_each(|name| drop(folder.file(name, b"left by a kill")));
        // not of this file, or not a temporary one
        let kept = [".model.1.x.partial", ".models.1.2.partial", ".other.1.2.partial", "model.1.2.partial"];
        kept.iter().for_each(|name| drop(folder.file(name, b"kept")));
        save(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mut expected: Vec<String> = names[..30].to_vec();
        expected.extend(kept.map(str::to_string));
        expected.push("model".to_string());
        expected.sort();
        assert_eq!(folder.names(), expected);
        drop(others);
        save(&path, b"newer").unwrap();
        assert_eq!(folder.names().len(), kept.len() + 1);
    }

    #[test]
    fn threads_that_save_the_same_file_do_not_disturb_each_other() {
        let folder = Folder::new();
        let path = folder.path().join("model");
        let path = path.as_path();
        std::thread::scope(|scope| {
            for number in 0..8_u8 {
                scope.spawn(move || (0..50).for_each(|_| save(path, &[number; 5000]).unwrap()));
            }
        });
        let contents = fs::read(path).unwrap();
        assert!(contents.len() == 5000 && contents.iter().all(|&byte| byte == contents[0]));
        assert_eq!(folder.names(), ["model"]);
    }

    #[test]
    fn long_names() {
        let folder = Folder::new();
        for name in ["m".repeat(240), "m".repeat(255), "é".repeat(127), format!("a{}", "é".repeat(127))] {
            let path = folder.path().join(name);
            save(&path, b"x").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"x");
        }
        assert_eq!(folder.names().len(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_what_is_read_only_is_not_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let path = folder.file("model", b"old");
        for mode in [0o600, 0o640, 0o755] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            save(&path, b"new").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
        fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
        for result in [save(&path, b"newer"), ensure_writable(&path)] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains("the file is read-only"), "{message}");
        }
        assert_eq!((fs::read(&path).unwrap(), folder.names()), (b"new".to_vec(), vec!["model".to_string()]));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new();
        fs::create_dir(folder.path().join("other")).unwrap();
        let (file, link) = (folder.file("file", b"old"), folder.path().join("link"));
        symlink("file", &link).unwrap();
        save(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        // dangling, relative, through another link
        let (first, second) = (folder.path().join("first"), folder.path().join("other/second"));
        symlink("other/second", &first).unwrap();
        symlink("third", &second).unwrap();
        save(&first, b"made").unwrap();
        assert!([&first, &second].iter().all(|link| fs::symlink_metadata(link).unwrap().is_symlink()));
        assert_eq!(fs::read(folder.path().join("other/third")).unwrap(), b"made");
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(save(&circle, b"").unwrap_err().to_string().contains("in a circle"));
    }

    #[cfg(unix)]
    #[test]
    fn a_fifo_is_not_written_to() {
        let folder = Folder::new();
        let message = save(&folder.fifo("fifo"), b"").unwrap_err().to_string();
        assert!(message.ends_with("this is not a regular file"), "{message}");
    }
}
