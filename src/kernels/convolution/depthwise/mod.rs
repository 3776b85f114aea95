//! Direct convolution of many groups of few channels, above all depthwise: the lanes of a register hold as many groups.
//!
//! The planes of a few neighbouring groups, as many as a register has lanes, are transposed into a copy in which the
//! numbers of one pixel are neighbours, with padding around the images. With `place(p)` the first pixel that output p
//! sees, and `step(c, k)` the distance from there to the pixel of channel c under tap k,
//!
//! y(f, p) = bias(f) + sum over c and k of weight(f, c, k) x[place(p) + step(c, k)]
//!
//! for all lanes at once; the outputs are transposed back. Registers are thus full and read alike whatever the size of
//! the image, the stride and the dilation, where those of neighbouring pixels ([`planes`](super::planes)) would hold
//! short rows and parts of them. For that, each number is moved twice, within registers, which takes about as long as
//! the sums of a 3x3 window.
//!
//! The gradient of the image is computed in the same way from that of the outputs. For stride s, pixels that differ by
//! multiples of s see the same taps, and those that see none get only what they start from. That of the weight is
//!
//! dw(f, c, k) = sum over p of g(f, p) x[place(p) + step(c, k)]
//!
//! with the sums of few positions added up in f32, and those of the groups' lanes in f64.

mod lanes;
mod layout;

use super::planes::region::MOST_LANES;
use super::sizes::{Convolution, PARALLEL_ABOVE, Passes, Start};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::parallel::{self, Entries};
use crate::kernels::store::Store;
use crate::memory::Storage;
use lanes::{Task, run};
use layout::Layout;

/// The multiply-adds of one task at least.
const TASK: usize = 1 << 16;
/// At most so many partial sums of the gradient of the weight are kept for each group.
const PARTS: usize = 8;

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    convolve(sizes, false, x, weight, start, y);
}

/// The gradient of the input, added to `start`.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    convolve(sizes, true, g, weight, start, dx);
}

/// The groups of all images in blocks: each has the lanes of a register.
#[derive(Clone, Copy)]
struct Blocks {
    /// Asked for once: other threads may be told to use others.
    instructions: Instructions,
    /// The groups of all images.
    groups: usize,
    lanes: usize,
    count: usize,
    /// The numbers of blocks and of lanes after which the same groups come again.
    period: usize,
}

impl Blocks {
    fn new(sizes: &Convolution) -> Blocks {
        let instructions = instructions();
        let (groups, lanes) = (sizes.batch * sizes.groups, super::lanes(instructions));
        let count = groups.div_ceil(lanes);
        // in the longest registers' blocks, for the order in which gradients add up is the same for all
        let period = period(sizes.groups) * (MOST_LANES / lanes);
        Blocks { instructions, groups, lanes, count, period: period.min(count) }
    }

    /// The lanes of a block that hold groups.
    fn used(&self, block: usize) -> usize {
        self.lanes.min(self.groups - block * self.lanes)
    }

    /// Copies the numbers from `first` on of each of a block's groups, which have `of_group` each, to the places. The
    /// numbers are those of all images, or of one.
    fn gather(&self, block: usize, x: &[f32], of_group: usize, first: usize, places: &[usize], to: &mut [f32]) {
        let group = |lane: usize| (block * self.lanes + lane).min(self.groups - 1) % (x.len() / of_group);
        let first = std::array::from_fn(|lane| group(lane) * of_group + first);
        // SAFETY: the instructions are those of the processor, and at each place there is room for a register.
        unsafe { run(self.instructions, Task::Gather { from: x, first, places, to }) };
        let used = self.used(block);
        if used < self.lanes {
            places.iter().for_each(|&place| to[place + used..place + self.lanes].fill(0.0));
        }
    }

    /// Copies what a band of a block sees, in planes of so many numbers.
    fn copy(
        &self,
        layout: &Layout,
        [block, band]: [usize; 2],
        x: &[f32],
        [planes, pixels]: [usize; 2],
        to: &mut [f32],
    ) {
        for (plane, to) in to.chunks_exact_mut(layout.plane()).enumerate() {
            layout.each_run(band, to, |first, places, to| {
                self.gather(block, x, planes * pixels, plane * pixels + first, places, to);
            });
        }
    }
}

/// After so many of the longest registers, lanes belong to the same groups again.
fn period(groups: usize) -> usize {
    groups >> groups.trailing_zeros().min(MOST_LANES.trailing_zeros())
}

/// The forward pass, or the gradient of the image, added to `start`.
fn convolve(sizes: &Convolution, backward: bool, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    let Convolution { windows, filters, groups, .. } = *sizes;
    let blocks = Blocks::new(sizes);
    let layout = Layout::new(&windows, filters, blocks.lanes, backward);
    let (channels, pixels) = (windows.channels, [windows.size[0] * windows.size[1], windows.positions()]);
    let ([from, to], [seen, plane]) =
        if backward { ([filters, channels], [pixels[1], pixels[0]]) } else { ([channels, filters], pixels) };
    assert_eq!((x.len(), y.len()), (blocks.groups * from * seen, blocks.groups * to * plane));
    let panel = layout.weights.len() * blocks.lanes;
    let mut panels = Storage::scratch(blocks.period * panel);
    for (block, panel) in panels.make_mut().chunks_exact_mut(panel).enumerate() {
        blocks.gather(block, weight, layout.weights.len(), 0, &layout.weights, panel);
    }
    let (panels, y) = (panels.as_slice(), Entries::of(y));
    let tasks = blocks.count * layout.bands;
    let work = sizes.operations();
    let many = parallel::worthwhile(work, PARALLEL_ABOVE);
    let of_task = (TASK / (work / tasks).max(1)).clamp(1, tasks);
    parallel::tasks(tasks.div_ceil(of_task), many, &|task| {
        // the padding left and right of the image is never written
        let mut copy = Storage::zeros(from * layout.plane());
        let mut sums = Storage::scratch(layout.outputs());
        let (copy, sums) = (copy.make_mut(), sums.make_mut());
        for index in task * of_task..tasks.min((task + 1) * of_task) {
            let (block, band) = (index / layout.bands, index % layout.bands);
            blocks.copy(&layout, [block, band], x, [from, seen], copy);
            let first = block * blocks.lanes;
            let outputs = layout.band(band);
            for channel in 0..to {
                let bias = std::array::from_fn(|lane| match start {
                    Start::Bias(bias) => bias[(first + lane) % groups * to + channel],
                    Start::Zero | Start::There => 0.0,
                });
                for phase in &layout.phases {
                    let weights = block % blocks.period * panel + phase.weights;
                    let weights = &panels[weights + channel * phase.steps.len() * blocks.lanes..];
                    let positions = layout.positions(phase, band);
                    let steps = &phase.steps;
                    let task = Task::Sums { pixels: copy, steps, weights, bias: &bias, positions, to: sums };
                    // SAFETY: the instructions are those of the processor, and the places are those of the layout.
                    unsafe { run(blocks.instructions, task) };
                }
                let (distance, lanes) = (to * plane, blocks.used(block));
                // SAFETY: the band of each lane lies in its plane of y, and no other task writes it.
                unsafe {
                    let to = y.at((first * to + channel) * plane + outputs.start);
                    let (count, store) = (outputs.len(), start.store());
                    run(blocks.instructions, Task::Scatter { from: sums, count, to, distance, lanes, store });
                }
            }
        }
    });
}

/// The gradient of the weight.
fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    let Convolution { windows, filters, groups, .. } = *sizes;
    let blocks = Blocks::new(sizes);
    let layout = Layout::new(&windows, filters, blocks.lanes, false);
    let [phase] = layout.phases.as_slice() else { unreachable!("all outputs of the forward pass see all taps") };
    let (channels, plane, pixels) = (windows.channels, windows.positions(), windows.size[0] * windows.size[1]);
    assert_eq!((x.len(), g.len()), (blocks.groups * channels * pixels, blocks.groups * filters * plane));
    // the blocks with the same groups, and their bands, are cut into parts
    let count = blocks.count.div_ceil(blocks.period) * layout.bands;
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    let parts = if sizes.operations() > PARALLEL_ABOVE { PARTS.div_ceil(period(groups)).min(count) } else { 1 };
    let of_part = count.div_ceil(parts);
    let of_group = layout.weights.len();
    let mut sums = Storage::<f32>::zeros(parts * blocks.period * of_group * blocks.lanes);
    let places: Vec<usize> = (0..layout.outputs()).step_by(blocks.lanes).collect();
    parallel::chunks(sums.make_mut(), of_group * blocks.lanes, many, |i, sums| {
        let (part, panel) = (i / blocks.period, i % blocks.period);
        let mut copy = Storage::zeros(channels * layout.plane());
        let mut gradients = Storage::scratch(layout.outputs());
        let (copy, gradients) = (copy.make_mut(), gradients.make_mut());
        for index in part * of_part..count.min((part + 1) * of_part) {
            let (block, band) = (index / layout.bands * blocks.period + panel, index % layout.bands);
            if block >= blocks.count {
                break;
            }
            blocks.copy(&layout, [block, band], x, [channels, pixels], copy);
            let outputs = layout.band(band);
            for (filter, sums) in sums.chunks_exact_mut(of_group / filters * blocks.lanes).enumerate() {
                let (first, places) = (filter * plane + outputs.start, &places[..outputs.len()]);
                blocks.gather(block, g, filters * plane, first, places, gradients);
                let positions = layout.positions(phase, band);
                let task = Task::Products { pixels: copy, steps: &phase.steps, gradients, positions, sums };
                // SAFETY: the instructions are those of the processor, and the places are those of the layout.
                unsafe { run(blocks.instructions, task) };
            }
        }
    });
    // each lane holds a group, the same after as many lanes as there are groups
    let sums = sums.as_slice();
    let lanes = blocks.period * blocks.lanes;
    for (i, dw) in dw.iter_mut().enumerate() {
        let (group, weight) = (i / of_group, i % of_group);
        let mut total = 0.0;
        for part in 0..parts {
            for lane in (group..lanes).step_by(groups) {
                let panel = part * blocks.period + lane / blocks.lanes;
                total += f64::from(sums[(panel * of_group + weight) * blocks.lanes + lane % blocks.lanes]);
            }
        }
        *dw = store.result(*dw, total as f32);
    }
}
