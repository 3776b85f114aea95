//! Which positions a register holds.

use super::region::Region;
use crate::kernels::convolution::sizes::Map;
use crate::kernels::store::Store;

/// The positions of a register, whose first pixels are next to each other in memory.
pub struct Chunk {
    /// The first of those pixels.
    pub place: usize,
    /// Where the outputs go, if they are contiguous there.
    whole: Option<usize>,
    /// Whether no earlier chunk has any of these outputs.
    all: bool,
    /// Otherwise, the lanes whose outputs no earlier chunk has, and where those go.
    pub lanes: Vec<(usize, usize)>,
}

impl Chunk {
    /// Where the outputs go as a whole register, if they can be stored as one.
    #[inline(always)]
    pub fn to(&self, store: Store) -> Option<usize> {
        if self.all || !store.adds() { self.whole } else { None }
    }
}

/// Below this many taps of all channels, it is better to store only whole registers and compute a few outputs twice.
const FEW: usize = 64;

/// The chunks of all positions of a region, in order.
pub fn all(map: &Map, region: &Region, lanes: usize) -> Vec<Chunk> {
    let width = map.out[1];
    let lines = region.lines().map(|(image, row, place)| {
        let to = image * map.groups * map.to * map.positions() + row * width;
        (0..width).map(move |column| (place + column, to + column))
    });
    let mut chunks = Vec::new();
    if width >= lanes && (width.is_multiple_of(lanes) || region.steps().len() < FEW) {
        lines.for_each(|line| cover(&line.collect::<Vec<_>>(), lanes, true, &mut chunks));
    } else {
        let positions: Vec<_> = lines.flatten().collect();
        // in place, registers must not reach beyond the last pixel; those of other images are far away
        let together = if region.copies() { positions.len() } else { region.positions_of_image() };
        positions.chunks(together).for_each(|some| cover(some, lanes, !region.copies(), &mut chunks));
    }
    chunks
}

/// Covers positions, each given by the place of its pixel and that of its output, with chunks. If `inside`, the last
/// chunk does not reach beyond the last position.
pub fn cover(positions: &[(usize, usize)], lanes: usize, inside: bool, chunks: &mut Vec<Chunk>) {
    let last = positions.last().map_or(0, |&(place, _)| place);
    let mut next = 0;
    while let Some(&(place, _)) = positions.get(next) {
        let place = if inside { place.min((last + 1).saturating_sub(lanes)) } else { place };
        let mut before = next;
        while before > 0 && positions[before - 1].0 >= place {
            before -= 1;
        }
        let seen = &positions[before..];
        let seen = &seen[..seen.partition_point(|&(at, _)| at < place + lanes)];
        let follows = seen.iter().enumerate().all(|(i, &(at, to))| (at, to) == (place + i, seen[0].1 + i));
        let whole = (seen.len() == lanes && follows).then(|| seen[0].1);
        let new = &seen[next - before..];
        next = before + seen.len();
        let all = whole.is_some() && new.len() == lanes;
        let lanes = if all { Vec::new() } else { new.iter().map(|&(at, to)| (at - place, to)).collect() };
        chunks.push(Chunk { place, whole, all, lanes });
    }
}
