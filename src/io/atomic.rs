//! Writing a file so that there is always a whole one: the old, then the new.

use super::error::{FileError, Problem};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Puts what `write` writes at `path`: into a temporary file in the same folder, onto the disk, then in place of what
/// was there, in one step. On an error the old file is as it was, and no temporary file remains.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let problem = |error| FileError::new(Some(path), Problem::System("cannot save", error));
    // a link stays a link: its target is replaced
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.exists() && !target.is_file() {
        return Err(problem(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file")));
    }
    let temporary = temporary(&target).map_err(problem)?;
    let written = write_and_rename(&temporary, &target, write);
    if written.is_err() {
        // the error to report is the first one, whatever comes of this
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(problem)
}

fn write_and_rename(
    temporary: &Path,
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    let mut writer = BufWriter::with_capacity(1 << 18, &file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    // the contents must be on the disk before the name is: a rename may otherwise survive a crash that they do not
    file.sync_all()?;
    drop(file);
    fs::rename(temporary, target)?;
    sync_folder(target)
}

/// A name in the folder of `target` that no other thread or process uses.
fn temporary(target: &Path) -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "this path has no file name");
    let mut name = OsString::from(".");
    name.push(target.file_name().ok_or_else(no_name)?);
    name.push(format!(".{}.{}.partial", std::process::id(), NEXT.fetch_add(1, Relaxed)));
    Ok(target.with_file_name(name))
}

/// Brings the new name itself to the disk.
fn sync_folder(target: &Path) -> io::Result<()> {
    // other systems than Unix do not open folders, and need no such step
    if cfg!(unix) {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);
    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("taut-atomic-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
        fn names(&self) -> Vec<OsString> {
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        }
    }
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_error_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new("error");
        let path = folder.0.join("model");
        write_atomically(&path, |out| out.write_all(b"old")).unwrap();
        let error = write_atomically(&path, |out| {
            out.write_all(b"half of the new one")?;
            out.flush()?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot save `{}`: no storage space", path.display())), "{message}");
        assert!(message.contains("free some space"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["model"]);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_place_of_a_file() {
        let folder = Folder::new("missing");
        let path = folder.0.join("runs").join("model");
        let message = write_atomically(&path, |_| Ok(())).unwrap_err().to_string();
        let advice = format!("the folder `{}` does not exist: create it first", folder.0.join("runs").display());
        assert!(message.contains(&advice), "{message}");
        let message = write_atomically(&folder.0, |_| Ok(())).unwrap_err().to_string();
        assert!(message.ends_with("this is no regular file"), "{message}");
        let message = write_atomically(Path::new(""), |_| Ok(())).unwrap_err().to_string();
        assert!(message.ends_with("this path has no file name"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("file"), folder.0.join("link"));
        fs::write(&file, b"old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
