//! Writes the two tables behind the size arithmetic of `src/shape/`: `Const<N>` to a typenum number, and back.
//!
//! Stable Rust cannot compute `Const<{ (H + 2 * P - K) / S + 1 }>` for a generic `H`, but trait resolution can add,
//! subtract, multiply and divide typenum's binary numbers. So a size goes into typenum, is computed there, and comes
//! back. Both ways need a table, which nobody should write or read: this program does.
//!
//! * `Const<N>` to typenum: one impl for each number. Every `Const<_>` falls in the same bucket of the trait solver, so
//!   the cost of coherence checking is quadratic. [`INPUTS`] numbers cost about half a second.
//! * typenum to `Const<N>`: flattened images need many more numbers. They stand in one tree, which is a type, because an
//!   impl for each takes rustc more than twice as long. A number is found from its last bits on, two at each `Fork`
//!   (`src/shape/table.rs`); one outside the table comes to a branch that is missing.

use std::fmt::Write;

/// Every size below this one can enter the arithmetic.
const INPUTS: usize = 2_049;
/// Every size below this one can come out of it ...
const RESULTS: usize = 8_193;
/// ... and every m * 2^e with m < 1,024 up to this one: 25,088 (VGG), 9,216 (AlexNet), 150,528 (224 x 224 x 3).
const LARGEST: usize = 262_144;

/// The m of these.
const LARGEST_ODD: usize = 1_024;

/// The typenum numbers below this one have names, `N6 = UInt<N3,B0>`, so that rustc does not read all digits of a
/// number again in each impl. With more of them, the names cost more than the digits.
const NAMED: usize = 129;

/// The size at which a tree gets a name: rustc walks through all of a type whenever it compares it, but not through
/// what is behind a name.
const FORKS: usize = 32;

/// The digits of the typenum number n.
fn digits(n: usize) -> String {
    if n == 0 { String::from("UTerm") } else { format!("UInt<{},B{}>", number(n >> 1), n & 1) }
}

/// The typenum number n.
fn number(n: usize) -> String {
    if n < NAMED { format!("N{n}") } else { digits(n) }
}

/// The tree of these numbers, which all end in the same `depth` bits, and the forks in it that are not behind a name.
/// Trees with names are written into the table.
fn tree(numbers: &[usize], depth: usize, table: &mut String) -> (String, usize) {
    let outside = || String::from("OutsideTheTable");
    let Some(first) = numbers.first() else { return (outside(), 0) };
    let end = |bits| numbers.iter().find(|&n| n >> depth == bits).map_or_else(outside, |n| format!("Const<{n}>"));
    let (mut branches, mut forks) = (vec![end(0), end(1)], 1);
    for bits in 0..4 {
        let longer = |&n: &usize| n >> depth > 1 && (n >> depth) % 4 == bits;
        let numbers: Vec<usize> = numbers.iter().copied().filter(longer).collect();
        let (branch, forks_of_branch) = tree(&numbers, depth + 2, table);
        branches.push(branch);
        forks += forks_of_branch;
    }
    let fork = format!("Fork<{}>", branches.join(","));
    if forks < FORKS {
        return (fork, forks);
    }
    let name = format!("Tree{depth}Of{}", first % (1 << depth));
    writeln!(table, "pub struct {name}; type {name}Fork = {fork};").unwrap();
    writeln!(table, "impl<Number> Find<Number> for {name} where {name}Fork: Find<Number> {{").unwrap();
    writeln!(table, "    type Dim = <{name}Fork as Find<Number>>::Dim;\n}}").unwrap();
    (name, 0)
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
    for n in 0..NAMED {
        writeln!(table, "type N{n} = {};", digits(n)).unwrap();
    }
    for n in 0..INPUTS {
        writeln!(table, "impl ToNumber for Const<{n}> {{ type Number = {}; }}", number(n)).unwrap();
    }
    let in_table = |&n: &usize| n < RESULTS || n >> n.trailing_zeros() < LARGEST_ODD;
    let numbers: Vec<usize> = (0..=LARGEST).filter(in_table).collect();
    let (root, _) = tree(&numbers, 0, &mut table);
    writeln!(table, "type Table = {root};").unwrap();
    let folder = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(std::path::Path::new(&folder).join("sizes.rs"), table).expect("OUT_DIR is writable");
}
