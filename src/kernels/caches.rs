//! The sizes of the caches, as the processor reports them.

use std::sync::OnceLock;

/// Bytes of the data caches of a core, by level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caches {
    pub second: usize,
    /// Of all cores that share it.
    pub third: usize,
}

/// What a processor that does not tell is taken to have.
const COMMON: Caches = Caches { second: 512 << 10, third: 8 << 20 };

/// Those of this processor.
#[inline]
pub fn caches() -> Caches {
    static CACHES: OnceLock<Caches> = OnceLock::new();
    *CACHES.get_or_init(|| reported().unwrap_or(COMMON))
}

#[cfg(not(target_arch = "x86_64"))]
fn reported() -> Option<Caches> {
    None
}

/// By the instruction CPUID: Intel's leaf 4, "Deterministic Cache Parameters", or AMD's leaf 0x8000001D, "Cache
/// Topology Information", which has the same form. AMD's leaf 4 is empty, and Intel has no such high leaf.
#[cfg(target_arch = "x86_64")]
fn reported() -> Option<Caches> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const EXTENDED: u32 = 0x8000_0000;
    [4, EXTENDED | 0x1d].into_iter().filter(|leaf| __cpuid(leaf & EXTENDED).eax >= *leaf).find_map(|leaf| {
        from_leaf(|index| {
            let found = __cpuid_count(leaf, index);
            [found.eax, found.ebx, found.ecx]
        })
    })
}

/// From the registers EAX, EBX and ECX of each part of a leaf, up to the first part of type 0. `None` without a
/// second-level cache; a missing third level is as large as the second.
#[cfg(any(target_arch = "x86_64", test))]
fn from_leaf(part: impl Fn(u32) -> [u32; 3]) -> Option<Caches> {
    const INSTRUCTIONS: u32 = 2;
    let mut sizes = [0; 8];
    // no processor has as many caches: whoever answers every index with something is not believed forever
    for [eax, ebx, ecx] in (0..16).map(part).take_while(|[eax, ..]| eax & 0x1f != 0) {
        let field = |value: u32, from: u32, bits: u32| (value >> from & ((1 << bits) - 1)) as usize + 1;
        let (ways, partitions, line) = (field(ebx, 22, 10), field(ebx, 12, 10), field(ebx, 0, 12));
        if eax & 0x1f != INSTRUCTIONS {
            // an emulator may answer with all bits set
            let sets = (ecx as usize).saturating_add(1);
            sizes[(eax >> 5 & 7) as usize] = (ways * partitions * line).saturating_mul(sets);
        }
    }
    let [_, _, second, third, ..] = sizes;
    (second > 0).then_some(Caches { second, third: third.max(second) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One part: type, level, ways, line, sets.
    fn part([kind, level, ways, line, sets]: [u32; 5]) -> [u32; 3] {
        [kind | level << 5, (ways - 1) << 22 | (line - 1), sets - 1]
    }

    #[test]
    fn sizes_are_read_from_what_processors_report() {
        // an Intel processor with 48 KiB, 2 MiB and 105 MiB; an AMD with 32 KiB, 512 KiB and 32 MiB; neither level told
        let intel =
            [[1, 1, 12, 64, 64], [2, 1, 8, 64, 64], [3, 2, 16, 64, 2048], [3, 3, 15, 64, 114_688], [0, 0, 1, 1, 1]];
        let amd = [[1, 1, 8, 64, 64], [2, 1, 8, 64, 64], [3, 2, 8, 64, 1024], [3, 3, 16, 64, 32_768], [0, 0, 1, 1, 1]];
        let read = |parts: [[u32; 5]; 5]| from_leaf(|index| part(parts[index as usize]));
        assert_eq!(read(intel), Some(Caches { second: 2 << 20, third: 105 << 20 }));
        assert_eq!(read(amd), Some(Caches { second: 512 << 10, third: 32 << 20 }));
        assert_eq!(from_leaf(|_| [0; 3]), None);
        let without_third = |index| if index == 0 { part([3, 2, 8, 64, 2048]) } else { [0; 3] };
        assert_eq!(from_leaf(without_third), Some(Caches { second: 1 << 20, third: 1 << 20 }));
        // every index answered
        assert_eq!(from_leaf(|_| part([3, 2, 8, 64, 2048])), Some(Caches { second: 1 << 20, third: 1 << 20 }));
        assert_eq!(from_leaf(|_| [u32::MAX; 3]), None);
        let largest = [3 | 2 << 5, u32::MAX, u32::MAX];
        assert_eq!(from_leaf(|_| largest), Some(Caches { second: usize::MAX, third: usize::MAX }));
    }

    #[test]
    fn this_processor_has_caches() {
        let Caches { second, third } = caches();
        assert!(second >= 1 << 15 && third >= second, "{second}, {third}");
    }
}
