//! Writes the two tables behind the size arithmetic of `src/shape/`: `Const<N>` to a typenum number, and back.
//!
//! Stable Rust cannot compute `Const<{ (H + 2 * P - K) / S + 1 }>` for a generic `H`, but trait resolution can add,
//! subtract, multiply and divide typenum's binary numbers. So a size goes into typenum, is computed there, and comes
//! back. Both ways need one impl for each number, which nobody should write or read: this program does.
//!
//! * `Const<N>` to typenum: every `Const<_>` falls in the same bucket of the trait solver, so the cost of coherence
//!   checking is quadratic. [`INPUTS`] numbers cost about a second.
//! * typenum to `Const<N>`: spread over 256 marker types by the low eight bits, a bucket holds few, so this table can
//!   hold many more numbers, and flattened images need them.
//!
//! Each typenum number has a name, `N6 = UInt<N3,B0>`: rustc reads the digits of a number once, and not in every impl.

use std::fmt::Write;

/// Every size below this one can enter the arithmetic.
const INPUTS: usize = 2_049;
/// Every size below this one can come out of it ...
const RESULTS: usize = 8_193;
/// ... and every m * 2^e with m < 1,024 up to this one: 25,088 (VGG), 9,216 (AlexNet), 150,528 (224 x 224 x 3).
const LARGEST: usize = 262_144;

/// The m of these.
const LARGEST_ODD: usize = 1_024;

/// How many low bits choose the bucket: with fewer the buckets are longer, with more there are too many of them.
const LOW_BITS: usize = 8;

/// The typenum number n, which has a name if it is below [`INPUTS`].
fn number(n: usize) -> String {
    assert!(n < INPUTS, "{n} has no name");
    format!("N{n}")
}

/// What the second table does not hold: each impl is a pattern of numbers, `High` and the bits below it.
fn outside(table: &mut String) {
    let mut pattern = |low: usize, any_bits: usize, then: &str| {
        let (mut high, mut bits) = (String::from("High"), String::new());
        for bit in 0..any_bits {
            high = format!("UInt<{high},Bit{bit}>");
            write!(bits, ",Bit{bit}").unwrap();
        }
        for bit in then.chars() {
            high = format!("UInt<{high},B{bit}>");
        }
        writeln!(table, "impl<High{bits}> Join<{high}> for Low{low} {{ type Dim = OutsideTheTable; }}").unwrap();
    };
    let (every, m) = (RESULTS.ilog2() as usize, LARGEST_ODD.ilog2() as usize);
    for low in 1..1_usize << LOW_BITS {
        // all numbers of this many bits are in the table, or end in as many zeros as to be some m * 2^e
        pattern(low, every.max(m + low.trailing_zeros() as usize) + 1 - LOW_BITS, "");
    }
    for zeros in 0..m {
        pattern(0, m - zeros, &format!("1{}", "0".repeat(zeros)));
    }
    pattern(0, 2, &"0".repeat(m));
}

/// The crate `mpi` looks for the system's MPI when it is built. Its own message does not say what to install.
fn expect_mpi() {
    let set = |name: &str| std::env::var_os(name).is_some();
    // with the first two, the crate asks nobody else; on Windows, it knows where Microsoft's is
    if set("MPI_PKG_CONFIG") || set("CRAY_MPICH_DIR") || cfg!(windows) {
        return;
    }
    let succeeds = |program: &str, arguments: &[&str]| {
        std::process::Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let compiler = std::env::var("MPICC").unwrap_or_else(|_| "mpicc".to_string());
    if !succeeds(&compiler, &["-show"])
        && !["mpich", "ompi"].iter().any(|name| succeeds("pkg-config", &["--exists", name]))
    {
        println!(
            "cargo::error=taut's feature `mpi` needs the system's MPI, and libclang to read its headers: on Debian and \
             Ubuntu, `apt-get install libopenmpi-dev openmpi-bin libclang-dev`; on Fedora, `dnf install openmpi-devel \
             clang-devel` and `module load mpi`; with Homebrew, `brew install open-mpi llvm`; on a cluster, load its \
             MPI module, or set MPICC to its compiler"
        );
    }
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_MPI").is_some() {
        println!("cargo::rerun-if-env-changed=MPICC");
        expect_mpi();
    }
    let mut table = String::new();
    for n in 0..INPUTS {
        let digits = if n == 0 { "UTerm".into() } else { format!("UInt<{},B{}>", number(n >> 1), n & 1) };
        writeln!(table, "type {0} = {digits}; impl ToNumber for Const<{n}> {{ type Number = {0}; }}", number(n))
            .unwrap();
    }
    for low in 0..1 << LOW_BITS {
        let mut pattern = String::from("UInt<High,Bit>");
        for bit in (0..LOW_BITS).rev() {
            pattern = format!("UInt<{pattern},B{}>", (low >> bit) & 1);
        }
        writeln!(table, "pub struct Low{low};").unwrap();
        let small = number(low);
        writeln!(table, "impl Split for {small} {{ type High = UTerm; type Low = Low{low}; }}").unwrap();
        writeln!(table, "impl<High, Bit> Split for {pattern} {{ type High = UInt<High,Bit>; type Low = Low{low}; }}")
            .unwrap();
    }
    for n in 0..=LARGEST {
        let odd = n >> n.trailing_zeros().min(63);
        if n < RESULTS || odd < LARGEST_ODD {
            let (high, low) = (number(n >> LOW_BITS), n & ((1 << LOW_BITS) - 1));
            writeln!(table, "impl Join<{high}> for Low{low} {{ type Dim = Const<{n}>; }}").unwrap();
        }
    }
    outside(&mut table);
    let folder = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(std::path::Path::new(&folder).join("sizes.rs"), table).expect("OUT_DIR is writable");
}
