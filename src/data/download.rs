//! Downloading MNIST, with the feature `download`.
//!
//! A file is written under another name until it is complete and its SHA-256 is right, and then renamed: there is never
//! an incomplete file under its own name. A transfer that breaks off is resumed there, even by a later run.

use super::idx::FILES;
use crate::files::{FileError, Limit, Locked, unpacked};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderMap, header};

/// A public mirror of the original files.
const MNIST: &str = "https://ossci-datasets.s3.amazonaws.com/mnist/";
/// The SHA-256 of each of [`FILES`], unpacked. (Different packings of the same file have different sums.)
const SUMS: [&str; 4] = [
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
];

/// No file, compressed or not, may be larger.
const MOST_BYTES: u64 = 1 << 30;
/// The number of attempts in a row without progress before giving up ...
const FRUITLESS_ATTEMPTS: usize = 4;
/// ... and the number of attempts in total.
const ATTEMPTS: usize = 40;
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });
const TIMEOUT: Duration = Duration::from_secs(30);

/// Downloads the four files of MNIST (11 MB) into a folder, which is created if it does not exist. Files that are there
/// already are kept.
///
/// # Errors
/// If the server cannot be reached or does not have the files, or a file cannot be written.
pub fn mnist(folder: impl AsRef<Path>) -> Result<(), FileError> {
    for (name, sum) in FILES.into_iter().zip(SUMS) {
        let target = folder.as_ref().join(format!("{name}.gz"));
        if !target.is_file() {
            gzip_file(&format!("{MNIST}{name}.gz"), &target, sum)?;
        }
    }
    Ok(())
}

/// Downloads a gzip file whose contents, unpacked, have this SHA-256 (in hexadecimal digits).
///
/// # Errors
/// If the server cannot be reached or does not have the file, its contents differ, or it cannot be written.
pub fn gzip_file(address: &str, target: impl AsRef<Path>, sha256: &str) -> Result<(), FileError> {
    let target = target.as_ref();
    let part = target.with_extension("part.gz");
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|error| FileError::system(folder, "cannot be made", error))?;
    }
    let mut options = OpenOptions::new();
    let unwritable = |error| FileError::system(&part, "cannot be written", error);
    let file = options.create(true).read(true).append(true).open(&part).map_err(unwritable)?;
    let file = Locked::new(file).ok_or_else(|| FileError::new(&part, "is being downloaded by another program"))?;
    let result = loop {
        let resumed = length(&file, &part)? > 0;
        if let Err(error) = transfer(address, &part, &file) {
            break Err(error);
        }
        match unpacked_sum(&part) {
            Ok(sum) if sum == sha256 => {
                file.sync_all().map_err(unwritable)?;
                return std::fs::rename(&part, target)
                    .map_err(|error| FileError::system(target, "cannot be made", error));
            }
            // what an earlier run left belongs to another file: start again
            _ if resumed => file.set_len(0).map_err(unwritable)?,
            Ok(sum) => {
                let reason = format!("{address} unpacks to a file with SHA-256 {sum}, and {sha256} is the right one");
                file.set_len(0).map_err(unwritable)?;
                break Err(FileError::new(target, reason));
            }
            Err(error) => {
                file.set_len(0).map_err(unwritable)?;
                break Err(FileError::new(target, format!("what {address} gives {}", error.reason())));
            }
        }
    };
    if length(&file, &part)? == 0 {
        let _ = std::fs::remove_file(&part); // nothing to resume later
    }
    result
}

fn length(file: &File, path: &Path) -> Result<u64, FileError> {
    file.metadata().map(|data| data.len()).map_err(|error| FileError::system(path, "cannot be read", error))
}

/// The SHA-256 of the contents of a gzip file.
fn unpacked_sum(path: &Path) -> Result<String, FileError> {
    let mut contents = unpacked(path, Limit::Bytes(MOST_BYTES))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match contents.read(&mut buffer).map_err(|error| FileError::read(path, error))? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// Why an attempt did not complete the file.
enum Failure {
    /// Worth another attempt.
    Broken(String),
    Final(FileError),
}

/// Appends what is missing to `file`, in several attempts if need be.
fn transfer(address: &str, part: &Path, file: &File) -> Result<(), FileError> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(TIMEOUT))
        .timeout_recv_response(Some(TIMEOUT))
        .timeout_per_read(Some(TIMEOUT))
        .build()
        .into();
    let mut fruitless = 0;
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let before = length(file, part)?;
        match attempt(&agent, address, part, file, before) {
            Ok(()) => return Ok(()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Broken(reason)) => last = reason,
        }
        fruitless = if length(file, part)? > before { 0 } else { fruitless + 1 };
        if fruitless == FRUITLESS_ATTEMPTS {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Err(FileError::new(part, format!("{address} cannot be downloaded: {last}")))
}

/// Asks for everything after the first `have` bytes, and appends what comes.
fn attempt(agent: &Agent, address: &str, part: &Path, mut file: &File, have: u64) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::Broken(error.to_string());
    let unwritable = |error| Failure::Final(FileError::system(part, "cannot be written", error));
    let mut request = agent.get(address);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let mut response = request.call().map_err(|error| broken(&error))?;
    let range = text(response.headers(), header::CONTENT_RANGE).unwrap_or_default();
    match response.status().as_u16() {
        206 if range.starts_with(&format!("bytes {have}-")) => {}
        // the server sends the whole file: discard the part
        200 => file.set_len(0).map_err(unwritable)?,
        416 if range == format!("bytes */{have}") => return Ok(()),
        206 | 416 => {
            file.set_len(0).map_err(unwritable)?;
            return Err(Failure::Broken(format!("the server does not give the bytes from {have} on")));
        }
        status @ (408 | 429 | 500..) => return Err(Failure::Broken(format!("the server answers {status}"))),
        status => {
            let reason = format!("{address} cannot be downloaded: the server answers {status}");
            return Err(Failure::Final(FileError::new(part, reason)));
        }
    }
    let expected = response.body().content_length();
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut received = 0;
    loop {
        let count = body.read(&mut buffer).map_err(|error| broken(&error))?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count]).map_err(unwritable)?;
        received += count as u64;
        if received > MOST_BYTES {
            file.set_len(0).map_err(unwritable)?;
            let reason = format!("{address} gives more than {MOST_BYTES} bytes, which are the most");
            return Err(Failure::Final(FileError::new(part, reason)));
        }
    }
    match expected {
        Some(expected) if received < expected => {
            Err(Failure::Broken(format!("the connection broke after {received} of {expected} bytes")))
        }
        _ => Ok(()),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::{Folder, gzip};
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// The server's response to one request.
    enum Answer {
        /// Everything, whatever range was asked for.
        Whole,
        /// The range that was asked for.
        Range,
        /// As `Range`, but the connection breaks after this many bytes.
        Breaks(usize),
        Status(u16),
    }

    /// A server on this machine that gives these answers, one to each connection, and then ends; joining it gives the
    /// ranges that were asked for.
    fn serve(file: Vec<u8>, answers: Vec<Answer>) -> (String, JoinHandle<Vec<Option<usize>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file.gz", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let range = head.iter().find_map(|line| {
                    line.to_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse::<usize>().ok()
                });
                asked.push(range);
                let start = if let Answer::Whole = answer { 0 } else { range.unwrap_or(0) };
                let (status, extra, body) = match &answer {
                    Answer::Status(status) => (*status, String::new(), &file[..0]),
                    _ if start >= file.len() => (416, format!("Content-Range: bytes */{}\r\n", file.len()), &file[..0]),
                    _ if start > 0 => {
                        let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
                        (206, format!("Content-Range: {range}\r\n"), &file[start..])
                    }
                    _ => (200, String::new(), &file[..]),
                };
                let sent = if let Answer::Breaks(after) = answer { after.min(body.len()) } else { body.len() };
                let head = format!(
                    "HTTP/1.1 {status} Told\r\nContent-Length: {}\r\n{extra}Connection: close\r\n\r\n",
                    body.len()
                );
                connection.write_all(head.as_bytes()).unwrap();
                connection.write_all(&body[..sent]).unwrap();
            }
            asked
        });
        (address, thread)
    }

    fn sum(contents: &[u8]) -> String {
        Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn contents() -> Vec<u8> {
        (0..100_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    struct Outcome {
        result: Result<(), FileError>,
        asked: Vec<Option<usize>>,
        target: Option<Vec<u8>>,
        part: Option<Vec<u8>>,
    }

    /// Downloads the packed contents into a folder where the first `left` bytes are there already.
    fn download(left: &[u8], answers: Vec<Answer>, sha256: &str) -> Outcome {
        let folder = Folder::new();
        let (target, part) = (folder.path().join("sub/file.gz"), folder.path().join("sub/file.part.gz"));
        if !left.is_empty() {
            std::fs::create_dir(folder.path().join("sub")).unwrap();
            std::fs::write(&part, left).unwrap();
        }
        let (address, server) = serve(gzip(&contents()), answers);
        let result = gzip_file(&address, &target, sha256);
        let asked = server.join().unwrap();
        Outcome { result, asked, target: std::fs::read(target).ok(), part: std::fs::read(part).ok() }
    }

    fn assert_whole(outcome: &Outcome) {
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        assert!(outcome.target.as_deref() == Some(&gzip(&contents())[..]));
        assert!(outcome.part.is_none());
    }

    #[test]
    fn a_file_arrives_whole() {
        let outcome = download(&[], vec![Answer::Range], &sum(&contents()));
        assert_whole(&outcome);
        assert_eq!(outcome.asked, [None]);
    }

    #[test]
    fn a_broken_transfer_is_taken_up_where_it_broke() {
        let answers =
            vec![Answer::Breaks(1000), Answer::Breaks(0), Answer::Status(503), Answer::Breaks(5), Answer::Range];
        let outcome = download(&[], answers, &sum(&contents()));
        assert_whole(&outcome);
        assert_eq!(outcome.asked, [None, Some(1000), Some(1000), Some(1000), Some(1005)]);
    }

    #[test]
    fn a_server_that_knows_no_ranges_gives_everything_again() {
        let outcome = download(&[], vec![Answer::Breaks(1000), Answer::Whole], &sum(&contents()));
        assert_whole(&outcome);
        assert_eq!(outcome.asked, [None, Some(1000)]);
    }

    #[test]
    fn what_an_earlier_run_left_is_used() {
        let packed = gzip(&contents());
        let outcome = download(&packed[..777], vec![Answer::Range], &sum(&contents()));
        assert_whole(&outcome);
        assert_eq!(outcome.asked, [Some(777)]);
        // all of it, but the run ended before the file got its name
        let outcome = download(&packed, vec![Answer::Range], &sum(&contents()));
        assert_whole(&outcome);
        // more than there is
        let outcome = download(&[packed, vec![0]].concat(), vec![Answer::Range, Answer::Range], &sum(&contents()));
        assert_whole(&outcome);
    }

    #[test]
    fn what_is_left_of_another_file_is_thrown_away() {
        let outcome = download(&[7; 500], vec![Answer::Range, Answer::Range], &sum(&contents()));
        assert_whole(&outcome);
        assert_eq!(outcome.asked, [Some(500), None]);
    }

    #[test]
    fn a_wrong_sum_leaves_nothing() {
        let outcome = download(&[], vec![Answer::Range], &sum(b"something else"));
        let error = outcome.result.unwrap_err().to_string();
        assert!(error.contains("sub/file.gz") && error.contains(&sum(&contents())), "{error}");
        assert!(outcome.target.is_none() && outcome.part.is_none());
    }

    #[test]
    fn what_the_server_does_not_have_is_an_error_at_once() {
        let outcome = download(&[], vec![Answer::Status(404)], &sum(&contents()));
        let error = outcome.result.unwrap_err().to_string();
        assert!(error.contains("the server answers 404"), "{error}");
        assert!(outcome.target.is_none() && outcome.part.is_none());
    }

    #[test]
    fn a_connection_that_always_breaks_is_given_up_and_its_bytes_are_kept() {
        let answers =
            vec![Answer::Breaks(300), Answer::Breaks(0), Answer::Breaks(0), Answer::Breaks(0), Answer::Breaks(0)];
        let outcome = download(&[], answers, &sum(&contents()));
        assert!(outcome.result.unwrap_err().to_string().contains("cannot be downloaded"));
        assert!(outcome.target.is_none());
        assert!(outcome.part.as_deref() == Some(&gzip(&contents())[..300]));
    }

    #[test]
    fn what_is_not_gzip_is_an_error() {
        let folder = Folder::new();
        let (address, server) = serve(b"<html>sign in</html>".to_vec(), vec![Answer::Whole]);
        let error = gzip_file(&address, folder.path().join("a.gz"), &sum(b"")).unwrap_err().to_string();
        server.join().unwrap();
        assert!(error.contains("is not a gzip file"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
