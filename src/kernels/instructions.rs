//! The instruction sets that loops and products use: detected once, in this file only.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The instruction sets that loops are compiled for, each including those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Instructions {
    /// Those of the compilation target; products are those of the crate matrixmultiply, which looks for itself.
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
}

/// All sets, with their names in [`VARIABLE`].
const ALL: [(Instructions, &str); 3] =
    [(Instructions::Portable, "portable"), (Instructions::Avx2, "avx2"), (Instructions::Avx512, "avx512")];

/// The environment variable that names a smaller set to use: `TAUT_INSTRUCTIONS=portable`, for tests and comparisons.
const VARIABLE: &str = "TAUT_INSTRUCTIONS";

/// The widest ones that this processor has, or those that [`VARIABLE`] names.
///
/// # Panics
/// If the variable names no set, or one that this processor lacks: running with another would hide the mistake.
#[inline]
pub fn instructions() -> Instructions {
    #[cfg(test)]
    if let Some(forced) = tests::FORCED.get() {
        return forced;
    }
    const UNKNOWN: u8 = u8::MAX;
    static CHOSEN: AtomicU8 = AtomicU8::new(UNKNOWN);
    match CHOSEN.load(Relaxed) {
        UNKNOWN => {
            // a pointer: rustc looks for recursion in what each generic function calls, and would look through this
            let choose: fn() -> Instructions = choose;
            let chosen = choose();
            // threads that ask at the same time all get the same answer
            CHOSEN.store(chosen as u8, Relaxed);
            chosen
        }
        chosen => ALL[usize::from(chosen)].0,
    }
}

#[cold]
fn choose() -> Instructions {
    named(std::env::var_os(VARIABLE).as_deref().map(|name| name.to_string_lossy()).as_deref())
}

/// The set of this name, or the widest.
fn named(wanted: Option<&str>) -> Instructions {
    let has = detected();
    let Some(wanted) = wanted.filter(|name| !name.is_empty()) else { return has };
    match ALL.iter().find(|(_, name)| *name == wanted) {
        Some(&(wanted, _)) if wanted <= has => wanted,
        Some(_) => panic!("{VARIABLE}={wanted}: this processor lacks these instructions"),
        None => panic!("{VARIABLE}={wanted}: it is one of {}", ALL.map(|(_, name)| name).join(", ")),
    }
}

fn detected() -> Instructions {
    #[cfg(target_arch = "x86_64")]
    {
        use std::is_x86_feature_detected as has;
        if has!("avx2") && has!("fma") {
            let wide = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
            return if wide { Instructions::Avx512 } else { Instructions::Avx2 };
        }
    }
    Instructions::Portable
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// The set that this thread uses in place of the widest.
        pub static FORCED: Cell<Option<Instructions>> = const { Cell::new(None) };
    }

    /// The sets that this processor has.
    pub fn available() -> impl Iterator<Item = Instructions> {
        ALL.into_iter().map(|(instructions, _)| instructions).filter(|&instructions| instructions <= detected())
    }

    /// Runs `f` with another set than the widest.
    pub fn with<R>(instructions: Instructions, f: impl FnOnce() -> R) -> R {
        FORCED.set(Some(instructions));
        let result = f();
        FORCED.set(None);
        result
    }

    #[test]
    fn a_name_chooses_and_a_wrong_one_is_refused() {
        assert_eq!(named(None), detected());
        assert_eq!(named(Some("")), detected());
        assert_eq!(named(Some("portable")), Instructions::Portable);
        let refused = std::panic::catch_unwind(|| named(Some("sse9"))).unwrap_err();
        assert_eq!(
            refused.downcast_ref::<String>().unwrap(),
            "TAUT_INSTRUCTIONS=sse9: it is one of portable, avx2, avx512"
        );
    }
}
