//! Where the numbers of a block lie in its copy: the same for all blocks.

use crate::kernels::window::Windows;
use std::ops::Range;

/// The numbers of each group that are copied or computed at once, at most, unless one row of outputs needs more: those
/// of a register's groups then fit the second-level cache, and what a row of outputs sees the first.
const NUMBERS: usize = 1 << 10;

/// Which pixels the outputs see along one axis.
struct Axis {
    size: usize,
    out: usize,
    /// For each phase, the taps that its outputs see something under, and how far from the place of an output. The
    /// outputs `phase`, `phase + step`, ... see the same taps.
    phases: Vec<Vec<(usize, isize)>>,
    /// The distance of neighbouring outputs of a phase, and that of what they see.
    step: usize,
    stride: usize,
    /// The first and the last of the distances of taps.
    low: isize,
    high: isize,
}

impl Axis {
    fn new(size: usize, out: usize, step: usize, stride: usize, phases: Vec<Vec<(usize, isize)>>) -> Axis {
        let far = || phases.iter().flatten().map(|&(_, far)| far);
        let (low, high) = (far().min().unwrap_or(0), far().max().unwrap_or(0));
        Axis { size, out, phases, step, stride, low, high }
    }

    /// Output i sees pixel `stride i + dilation k - padding` under tap k.
    fn forward(windows: &Windows, axis: usize) -> Axis {
        let (dilation, padding) = (windows.dilation[axis], windows.padding[axis].cast_signed());
        let taps = (0..windows.kernel[axis]).map(|tap| (tap, (tap * dilation).cast_signed() - padding)).collect();
        Axis::new(windows.size[axis], windows.out[axis], 1, windows.stride[axis], vec![taps])
    }

    /// The gradient of pixel j is seen by outputs `(j + padding - dilation k) / stride`, if these are whole numbers.
    fn backward(windows: &Windows, axis: usize) -> Axis {
        let (dilation, padding) = (windows.dilation[axis], windows.padding[axis]);
        let stride = windows.stride[axis].cast_signed();
        let taps_of = |phase: usize| {
            let far = move |tap: usize| (phase + padding).cast_signed() - (tap * dilation).cast_signed();
            let taps = (0..windows.kernel[axis]).map(move |tap| (tap, far(tap)));
            taps.filter(|&(_, far)| far % stride == 0).map(|(tap, far)| (tap, far / stride)).collect()
        };
        let phases = (0..windows.stride[axis].min(windows.size[axis])).map(taps_of).collect();
        Axis::new(windows.out[axis], windows.size[axis], windows.stride[axis], 1, phases)
    }

    /// How many of the first `outputs` outputs belong to a phase.
    fn count(&self, phase: usize, outputs: usize) -> usize {
        outputs.saturating_sub(phase).div_ceil(self.step)
    }

    /// How many pixels the first outputs see, with those in between.
    fn seen(&self, outputs: usize) -> usize {
        (outputs.div_ceil(self.step) - 1) * self.stride + (self.high - self.low).unsigned_abs() + 1
    }
}

/// The outputs that see the same taps.
pub struct Phase {
    /// The number of the phase down the image, and how many outputs of it a row has.
    row: usize,
    across: usize,
    /// In order, the place of what is seen under a tap at a distance of 0, and that of the output.
    positions: Vec<(usize, usize)>,
    /// How far each tap of each channel is from there.
    pub steps: Vec<usize>,
    /// The first of the weights, which stand in the order of the outputs' channels, and for each in that of the steps.
    pub weights: usize,
}

/// Where the numbers of a block lie. All places count numbers, of which a register's groups are neighbours.
pub struct Layout {
    axes: [Axis; 2],
    /// The rows of outputs of a band.
    rows: usize,
    pub bands: usize,
    /// The lines and columns of a plane of the copy, and the columns of the image that are copied.
    lines: usize,
    columns: usize,
    across: Range<usize>,
    lanes: usize,
    /// The place of each pixel of a plane of the copy that may lie in the image, in order.
    pixels: Vec<usize>,
    pub phases: Vec<Phase>,
    /// The place of each weight of a group.
    pub weights: Vec<usize>,
}

impl Layout {
    /// Of the forward pass, or the gradient of the image.
    pub fn new(windows: &Windows, filters: usize, lanes: usize, backward: bool) -> Layout {
        let axes = [0, 1].map(|axis| if backward { Axis::backward } else { Axis::forward }(windows, axis));
        let [down, right] = &axes;
        let [from, to] = if backward { [filters, windows.channels] } else { [windows.channels, filters] };
        let columns = right.seen(right.out);
        // the bands are about equally high, and begin in the same phase
        let units = down.out.div_ceil(down.step);
        let fits = |rows: usize| from * down.seen(rows) * columns + rows * right.out <= NUMBERS;
        let rows_of = |units: usize| units.saturating_mul(down.step).min(down.out);
        let rows = (1..=units).map(|bands| rows_of(units.div_ceil(bands))).find(|&rows| fits(rows));
        let rows = rows.unwrap_or(rows_of(1));
        let lines = down.seen(rows);
        let across = [right.low, right.low.saturating_add_unsigned(columns)]
            .map(|end| end.clamp(0, right.size.cast_signed()).unsigned_abs());
        let across = across[0]..across[1];
        let column = |pixel: usize| pixel.checked_add_signed(-right.low).expect("it is seen");
        let line = |line: usize| across.clone().map(move |pixel| (line * columns + column(pixel)) * lanes);
        let pixels = (0..lines).flat_map(line).collect();
        let of_group = from * to * windows.kernel[0] * windows.kernel[1];
        // those that see no pixel come last, where nothing reads them
        let mut weights = vec![(of_group - 1) * lanes; of_group];
        let (mut phases, mut next) = (Vec::new(), 0);
        for (row, taps_down) in down.phases.iter().enumerate() {
            for (first, taps_right) in right.phases.iter().enumerate() {
                let across = right.count(first, right.out);
                let rows = 0..down.count(row, rows);
                let position = |i: usize, j: usize| {
                    let seen = i * down.stride * columns + j * right.stride;
                    (seen * lanes, ((i * down.step + row) * right.out + j * right.step + first) * lanes)
                };
                let positions = rows.flat_map(|i| (0..across).map(move |j| position(i, j))).collect();
                let start = next * lanes;
                let mut steps = Vec::new();
                for channel in 0..to {
                    for source in 0..from {
                        let (filter, c) = if backward { (source, channel) } else { (channel, source) };
                        for &(u, below) in taps_down {
                            for &(v, beyond) in taps_right {
                                let place = [below - down.low, beyond - right.low].map(isize::unsigned_abs);
                                let place = (source * lines + place[0]) * columns + place[1];
                                if channel == 0 {
                                    steps.push(place * lanes);
                                }
                                let tap = (filter * windows.channels + c) * windows.kernel[0] + u;
                                weights[tap * windows.kernel[1] + v] = next * lanes;
                                next += 1;
                            }
                        }
                    }
                }
                phases.push(Phase { row, across, positions, steps, weights: start });
            }
        }
        let bands = down.out.div_ceil(rows);
        Layout { axes, rows, bands, lines, columns, across, lanes, pixels, phases, weights }
    }

    /// The length of a plane of the copy.
    pub fn plane(&self) -> usize {
        self.lines * self.columns * self.lanes
    }

    /// The length of the outputs of a band, for one channel.
    pub fn outputs(&self) -> usize {
        self.rows * self.axes[1].out * self.lanes
    }

    /// The outputs of a band, in a plane.
    pub fn band(&self, band: usize) -> Range<usize> {
        let [down, right] = [0, 1].map(|axis| self.axes[axis].out);
        down.min(band * self.rows) * right..down.min((band + 1) * self.rows) * right
    }

    /// The outputs of a phase in a band.
    pub fn positions<'a>(&self, phase: &'a Phase, band: usize) -> &'a [(usize, usize)] {
        let rows = self.rows.min(self.axes[0].out - band * self.rows);
        &phase.positions[..self.axes[0].count(phase.row, rows) * phase.across]
    }

    /// Calls `f` with the pixels of a band that lie in the image, and the place of each in the copy; sets the lines of
    /// the copy to zero that lie outside.
    pub fn each_run(&self, band: usize, copy: &mut [f32], mut f: impl FnMut(usize, &[usize], &mut [f32])) {
        let [down, right] = &self.axes;
        let top = (band * self.rows / down.step * down.stride).cast_signed() + down.low;
        let (line, last) = (self.columns * self.lanes, self.lines.cast_signed());
        // the first line in the image, and the one behind the last
        let inside = [-top, down.size.cast_signed() - top].map(|line| line.clamp(0, last).unsigned_abs());
        copy[..inside[0] * line].fill(0.0);
        copy[inside[1] * line..self.lines * line].fill(0.0);
        let lines = inside[0]..inside[1];
        let width = self.across.len();
        if lines.is_empty() || width == 0 {
            return;
        }
        // whole rows follow each other
        let of_run = if width == right.size { lines.len() } else { 1 };
        for line in lines.step_by(of_run) {
            let row = top.saturating_add_unsigned(line).unsigned_abs();
            let places = &self.pixels[line * width..(line + of_run) * width];
            f(row * right.size + self.across.start, places, copy);
        }
    }
}
