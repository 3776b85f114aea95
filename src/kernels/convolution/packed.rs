//! Convolution as a product of matrices whose right-hand one is never stored: what lies under the windows is packed straight
//! into the panels that the product reads.
//!
//! With the filters of a group seen as a (filters, taps) matrix W, and the columns of X all positions of the windows in the
//! whole batch, each with what is under the window there, Y = W X. The gradient of the image is, for stride 1, the same with
//! the filters turned by half a turn and channels and filters exchanged. A task makes the outputs of a block of positions. Panels
//! go on from one image to the next, so that small images fill them too.
//!
//! A bias is one more tap, which sees ones. Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", 2014.

use super::columns;
use super::sizes::{Convolution, Filters, Map, PARALLEL_ABOVE, Passes, Start};
use crate::kernels::gemm::register::{InRegisters, Plain, Register};
use crate::kernels::gemm::tile::{Strip, Target, tile};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::parallel::{self, Entries};
use crate::kernels::window::copy_line;
use crate::memory::Storage;

/// Positions in one block: whole panels of any register.
const BLOCK: usize = 256;
/// The most taps that a tile runs over in one go: a panel then fills half of the first-level cache.
const DEPTH: usize = 128;
/// Strips of filters that stay in the second-level cache for all panels of a block.
const STRIPS: usize = 12;
/// The columns of the widest panel.
const WIDEST: usize = 32;

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, ..columns::passes() }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    convolve(&sizes.map(), x, &|group| sizes.filters_of(group, weight), start, y);
}

/// The gradient of the input, added to `start`.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    if sizes.windows.stride == [1, 1] {
        convolve(&sizes.reverse_map(), g, &|group| sizes.turned_filters_of(group, weight), start, dx);
    } else {
        (columns::passes().backward_input)(sizes, g, weight, start, dx);
    }
}

/// The outputs of a map, added to `start`, group by group.
fn convolve<'a>(map: &Map, x: &[f32], of_group: &dyn Fn(usize) -> Filters<'a>, start: Start<'_, f32>, y: &mut [f32]) {
    let instructions = instructions();
    let map = &lines_of_pixels(map);
    map.check(x, y);
    let rows = rows_of_tiles(instructions);
    let y = Entries::of(y);
    let positions = map.batch * map.out[0] * map.out[1];
    let blocks = positions.div_ceil(BLOCK);
    // few blocks: several tasks for each, that pack the same positions and make different channels
    let all_strips = map.to.div_ceil(rows);
    let parts = if blocks < 4 { all_strips.min(4) } else { 1 };
    let channels_of_part = all_strips.div_ceil(parts) * rows;
    let work = (positions * map.to).saturating_mul(map.from * map.taps());
    let many = parallel::worthwhile(work, PARALLEL_ABOVE);
    for group in 0..map.groups {
        let filters = of_group(group);
        let strips = strips(map, filters, start.of_group(group, map.to), rows);
        let strips = strips.as_slice();
        parallel::tasks(blocks * parts, many, &|task| {
            let (block, part) = (task / parts, task % parts);
            let positions = block * BLOCK..positions.min((block + 1) * BLOCK);
            let channels = (part * channels_of_part).min(map.to)..map.to.min((part + 1) * channels_of_part);
            if channels.is_empty() {
                return;
            }
            // SAFETY: x and y have the sizes of the map, the instructions are those of the processor, and no two tasks write
            // the same channels of a position.
            unsafe {
                let (y, add) = (y.at(0), start.adds());
                let taps = strips.len() / (all_strips * rows);
                let block = Block { map, group, positions, channels, x, strips, taps, add, y };
                match instructions {
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Avx512 => avx512(block),
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Avx2 => avx2(block),
                    _ => block_with::<Plain<f32>, 4>(block),
                }
            }
        });
    }
}

/// Pixels that windows of 1x1 see one by one stand in a single line.
fn lines_of_pixels(map: &Map) -> Map {
    let pointwise = map.kernel == [1, 1] && map.stride == [1, 1] && map.padding == [0, 0];
    let line = |size: [usize; 2]| if pointwise { [1, size[0] * size[1]] } else { size };
    Map { size: line(map.size), out: line(map.out), ..*map }
}

/// The rows of a tile.
fn rows_of_tiles(instructions: Instructions) -> usize {
    match instructions {
        Instructions::Avx512 => 12,
        Instructions::Avx2 => 6,
        Instructions::Portable => 4,
    }
}

/// The filters in strips of `rows`, tap by tap. The last tap is the bias, if there is one.
fn strips(map: &Map, filters: Filters<'_>, bias: Option<&[f32]>, rows: usize) -> Storage<f32> {
    let taps = map.taps();
    let all = map.from * taps + usize::from(bias.is_some());
    let mut strips = Storage::scratch(map.to.div_ceil(rows) * rows * all);
    for (i, strip) in strips.make_mut().chunks_exact_mut(rows * all).enumerate() {
        for (tap, column) in strip.chunks_exact_mut(rows).enumerate() {
            let (from, tap) = (tap / taps, tap % taps);
            for (row, value) in column.iter_mut().enumerate() {
                let to = (i * rows + row).min(map.to - 1);
                *value = match bias {
                    Some(bias) if from == map.from => bias[to],
                    _ => filters.values[filters.place(to, from, tap, taps)],
                };
            }
        }
    }
    strips
}

/// A task of [`convolve`].
struct Block<'a> {
    map: &'a Map,
    group: usize,
    /// Those of the whole batch are counted on.
    positions: std::ops::Range<usize>,
    /// Those that are made: from the beginning of a strip on.
    channels: std::ops::Range<usize>,
    x: &'a [f32],
    strips: &'a [f32],
    /// Of all input channels, and the bias.
    taps: usize,
    add: bool,
    y: *mut f32,
}

/// # Safety
/// As [`block_with`], and the processor has AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(block: Block<'_>) {
    // SAFETY: this function has what the registers need, and the caller promises the rest.
    unsafe { block_with::<<f32 as InRegisters>::WideRegister, 12>(block) }
}

/// # Safety
/// As [`block_with`], and the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(block: Block<'_>) {
    // SAFETY: this function has what the registers need, and the caller promises the rest.
    unsafe { block_with::<<f32 as InRegisters>::Register, 6>(block) }
}

/// The outputs of a block of positions.
///
/// # Safety
/// The processor has what `R` needs; x, y and the strips have the sizes of the map; nobody else reads or writes the outputs
/// meanwhile.
#[inline(always)]
unsafe fn block_with<R: Register<f32>, const ROWS: usize>(block: Block<'_>) {
    let Block { map, group, positions, channels, x, strips, taps, add, y } = block;
    let width = 2 * R::LEN;
    let (plane, all) = (map.out[0] * map.out[1], map.groups * map.to);
    let depth = taps.div_ceil(taps.div_ceil(DEPTH));
    let end = positions.end;
    let mut panels = Storage::<f32>::scratch(depth * BLOCK);
    let panels = panels.make_mut();
    let runs = runs_of(map, positions.clone(), width);
    let mut lines = [[0.0; WIDEST]; ROWS];
    for first in (0..taps).step_by(depth) {
        let depth = depth.min(taps - first);
        let add = add || first > 0;
        pack(map, group, x, &runs, first..first + depth, width, panels);
        for lowest in channels.clone().step_by(STRIPS * ROWS) {
            for (left, panel) in positions.clone().step_by(width).zip(panels.chunks_exact(depth * width)) {
                let columns = width.min(end - left);
                let (image, place) = (left / plane, left % plane);
                let within = place + columns <= plane;
                for top in (lowest..channels.end.min(lowest + STRIPS * ROWS)).step_by(ROWS) {
                    let rows = ROWS.min(channels.end - top);
                    // SAFETY: the strip is there, the panel was packed for this depth, and the outputs are those of the
                    // block.
                    unsafe {
                        let strip = strips.as_ptr().add(top * taps + first * ROWS);
                        let strip = Strip { first: strip, row_stride: 1, step: ROWS };
                        let target = if within {
                            let to = y.add((image * all + group * map.to + top) * plane + place);
                            Target { first: to, stride: plane, rows, columns, add }
                        } else {
                            let first = lines.as_mut_ptr().cast();
                            Target { first, stride: WIDEST, rows, columns: width, add: false }
                        };
                        tile::<f32, R, ROWS>(depth, strip, panel.as_ptr(), target);
                        if !within {
                            let panel = (left - positions.start) / width;
                            let runs = runs.iter().filter(|run| run.panel == panel);
                            let y = y.add((group * map.to + top) * plane);
                            store_runs(runs, &lines[..rows], y, [plane, all * plane], add);
                        }
                    }
                }
            }
        }
    }
}

/// Stores the lines of a tile that goes on in the next image, or in the next few. At `y` are the planes of the channels of
/// the first image; [between two channels, between two images].
///
/// # Safety
/// All of them are there, and nobody else reads or writes the positions of the runs meanwhile.
unsafe fn store_runs<'a>(
    runs: impl Iterator<Item = &'a Run>,
    lines: &[[f32; WIDEST]],
    y: *mut f32,
    stride: [usize; 2],
    add: bool,
) {
    for run in runs {
        for (row, line) in lines.iter().enumerate() {
            // SAFETY: the caller's promises.
            let to = unsafe {
                let to = y.add(run.image * stride[1] + row * stride[0] + run.place);
                std::slice::from_raw_parts_mut(to, run.count)
            };
            for (to, &value) in to.iter_mut().zip(&line[run.column..]) {
                *to = if add { *to + value } else { value };
            }
        }
    }
}

/// Positions next to each other in a row of the output, and in a panel.
struct Run {
    /// The number of the panel in its block, and the first column there.
    panel: usize,
    column: usize,
    image: usize,
    /// The first position, in its image.
    place: usize,
    /// The pixel under the first tap of the first window.
    top: isize,
    left: isize,
    count: usize,
}

/// The runs of the positions of a block, whose panels are `width` wide.
fn runs_of(map: &Map, positions: std::ops::Range<usize>, width: usize) -> Vec<Run> {
    let [height, across] = map.out;
    let mut runs = Vec::new();
    let mut position = positions.start;
    while position < positions.end {
        let (row, column) = (position / across, position % across);
        let at = |place: usize, axis: usize| (place * map.stride[axis]).cast_signed() - map.padding[axis];
        let in_block = position - positions.start;
        let (panel, in_panel) = (in_block / width, in_block % width);
        runs.push(Run {
            panel,
            column: in_panel,
            image: row / height,
            place: row % height * across + column,
            top: at(row % height, 0),
            left: at(column, 1),
            count: (across - column).min(positions.end - position).min(width - in_panel),
        });
        position += runs.last().map_or(0, |run| run.count);
    }
    runs
}

/// Packs what lies under the taps given at the positions of the runs into panels: a row of `width` for each tap. Tap by tap,
/// for so an image is read from one end to the other.
#[inline(always)]
fn pack(
    map: &Map,
    group: usize,
    x: &[f32],
    runs: &[Run],
    taps: std::ops::Range<usize>,
    width: usize,
    panels: &mut [f32],
) {
    let [height, across] = map.size;
    let channel_taps = map.taps();
    let (mut channel, mut tap) = (taps.start / channel_taps, taps.start % channel_taps);
    let (mut down, mut right) = (tap / map.kernel[1], tap % map.kernel[1]);
    let depth = taps.len();
    for row in 0..depth {
        let (down_by, right_by) = ((down * map.dilation[0]).cast_signed(), (right * map.dilation[1]).cast_signed());
        for run in runs {
            let to = &mut panels[(run.panel * depth + row) * width + run.column..][..run.count];
            if channel == map.from {
                // the bias
                to.fill(1.0);
                continue;
            }
            let (y, left) = (run.top + down_by, run.left + right_by);
            if y < 0 || y >= height.cast_signed() {
                to.fill(0.0);
                continue;
            }
            let plane = (run.image * map.groups + group) * map.from + channel;
            let line = &x[(plane * height + y.unsigned_abs()) * across..][..across];
            copy(line, left, map.stride[1], to);
        }
        (tap, right) = (tap + 1, right + 1);
        if right == map.kernel[1] {
            (down, right) = (down + 1, 0);
        }
        if tap == channel_taps {
            (channel, tap, down, right) = (channel + 1, 0, 0, 0);
        }
    }
}

/// Copies the pixels `left`, `left + stride` .. of a line, with zeros for what is outside.
#[inline(always)]
fn copy(line: &[f32], left: isize, stride: usize, to: &mut [f32]) {
    let before = left.saturating_neg().max(0).unsigned_abs();
    let room = line.len().saturating_add_signed(left.saturating_neg());
    // the first that is inside, and the first that is beyond; divisions are slow
    let (first, end) = if stride == 1 { (before, room) } else { (before.div_ceil(stride), room.div_ceil(stride)) };
    let first = first.min(to.len());
    let end = end.min(to.len()).max(first);
    to[..first].fill(0.0);
    to[end..].fill(0.0);
    let to = &mut to[first..end];
    if to.is_empty() {
        return;
    }
    let from = &line[left.saturating_add_unsigned(first * stride).unsigned_abs()..];
    match stride {
        1 => copy_line(&from[..to.len()], to),
        2 => {
            let from = &from[..2 * to.len() - 1];
            for i in 0..to.len() {
                to[i] = from[2 * i];
            }
        }
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from),
    }
}
