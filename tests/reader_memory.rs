//! What readers allocate: at most in proportion to what a file may unpack to, and nothing for sizes that a file only
//! claims.

#[path = "common/readers.rs"]
mod readers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Counts what is allocated, and the most at one time.
struct Counting;
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grown(by: usize) {
    MOST.fetch_max(NOW.fetch_add(by, SeqCst) + by, SeqCst);
}

// SAFETY: everything is passed on to the system's allocator as it is. `realloc` is the default one, which allocates,
// copies and frees.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time is counted.
static TURN: Mutex<()> = Mutex::new(());

/// The most bytes that reading allocates at one time.
fn peak(read: fn(&[u8]) -> bool, bytes: &[u8]) -> usize {
    let before = NOW.load(SeqCst);
    MOST.store(before, SeqCst);
    read(bytes);
    MOST.load(SeqCst) - before
}

type Reader = fn(&[u8]) -> bool;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The bytes that come out of files of a thousandth.
const UNPACKED: usize = 2 << 20;

#[test]
fn what_unpacks_to_much_takes_memory_in_proportion() {
    let _turn = TURN.lock().unwrap();
    let times = |text: &str| text.repeat(UNPACKED / text.len()).into_bytes();
    let idx = [&[0, 0, 8, 1][..], &(UNPACKED as u32).to_be_bytes(), &[0; UNPACKED]].concat();
    let files: [(&str, Reader, Vec<u8>); 11] = [
        ("one row", readers::csv_gzip, times("1,")),
        ("empty cells", readers::csv_gzip, times(",")),
        ("rows of one cell", readers::csv_gzip, times("1\n")),
        ("one cell", readers::csv_gzip, times("1")),
        ("bytes", readers::idx_gzip, idx),
        ("one vector", readers::word_vectors_gzip, [b"a".to_vec(), times(" 1")].concat()),
        ("vectors of one number", readers::word_vectors_gzip, times("a 1\n")),
        ("a word", readers::word_vectors_gzip, times("a")),
        ("pairs", readers::word_pairs_gzip, times("a b 1\n")),
        ("questions", readers::questions_gzip, times("a b c d\n")),
        ("tokens", readers::vocabulary_gzip, times("a 1\n")),
    ];
    for (name, read, bytes) in files {
        let packed = gzip(&bytes);
        assert!(packed.len() < UNPACKED / 250, "{name}: {}", packed.len());
        let peak = peak(read, &packed);
        assert!(peak < 64 * UNPACKED, "{name}: {} MiB for {} MiB", peak >> 20, UNPACKED >> 20);
    }
}

/// A picture of which only the header is there.
#[cfg(feature = "image")]
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let fields = [b"IHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&fields);
    [b"\x89PNG\r\n\x1a\n", &13_u32.to_be_bytes()[..], &fields, &crc.sum().to_be_bytes()].concat()
}

/// The header of a file says what follows, and nothing follows.
#[test]
fn sizes_that_are_only_claimed_take_no_memory() {
    let _turn = TURN.lock().unwrap();
    let safetensors = |sizes: &str, end: u64| {
        let header = format!(r#"{{"weight":{{"dtype":"F32","shape":{sizes},"data_offsets":[0,{end}]}}}}"#);
        [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
    };
    let mut files: Vec<(&str, Reader, Vec<u8>)> = vec![
        ("a header of 2^60 bytes", readers::safetensors, (1_u64 << 60).to_le_bytes().to_vec()),
        ("a header of 90 MB", readers::safetensors, 90_000_000_u64.to_le_bytes().to_vec()),
        ("2^30 numbers", readers::safetensors, safetensors("[1073741824]", 1 << 32)),
        ("2^62 numbers", readers::safetensors, safetensors("[2147483648, 2147483648]", 1 << 63)),
        ("IDX", readers::idx, [&[0, 0, 8, 3], &[0xff; 12][..]].concat()),
        ("packed IDX", readers::idx_gzip, gzip(&[&[0, 0, 8, 3], &[0, 0, 0x7f, 0xff].repeat(3)[..]].concat())),
        ("vectors", readers::word_vectors_text, b"1000000000 1000000000\na 1\n".to_vec()),
        ("binary vectors", readers::word_vectors_binary, b"1000000000 1000000000\na ".to_vec()),
        ("long binary vectors", readers::word_vectors_binary, b"2 9000000000\na ".to_vec()),
    ];
    #[cfg(feature = "image")]
    files.push(("a picture", readers::png, png_header(5_000, 5_000)));
    #[cfg(feature = "numpy")]
    for sizes in ["(1073741824,)", "(4294967296, 4294967296)", "(1, 1073741824)"] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {sizes}, }}\n");
        let before = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..]].concat();
        files.push(("an array", readers::npy, [&before, header.as_bytes()].concat()));
    }
    for (name, read, bytes) in files {
        let peak = peak(read, &bytes);
        assert!(peak < 4 << 20, "{name}: {} KiB", peak >> 10);
    }
}
