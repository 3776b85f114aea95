//! The pixels that the windows of some positions see, in planes.

use crate::kernels::convolution::sizes::Map;
use crate::kernels::window::copy_line;

/// The lanes of the longest register.
pub const MOST_LANES: usize = 16;

/// Where to find the pixels that some output rows of some images see.
pub struct Region {
    channels: usize,
    images: usize,
    /// Whether they are copied; otherwise they are read in place.
    copies: bool,
    /// Along each axis: how many pixels of a plane are seen, and the first pixel of each plane that is seen (there are
    /// s planes for stride s).
    size: [usize; 2],
    phases: [Vec<usize>; 2],
    /// The distances from one image, and from one line, to the next.
    strides: [usize; 2],
    /// The rows and columns of outputs.
    out: [usize; 2],
    steps: Vec<usize>,
    /// The length of a channel of the copy, and how many zeros it ends with.
    channel: usize,
    gap: usize,
    /// The length of the copy.
    len: usize,
}

impl Region {
    /// The region of `rows` output rows of `images` images, for registers of `lanes` numbers.
    pub fn new(map: &Map, images: usize, rows: usize, lanes: usize) -> Region {
        let inside = [0, 1].into_iter().all(|axis| {
            map.padding[axis] <= 0
                && map.padding[axis].unsigned_abs() + map.out[axis] - 1 + map.dilation[axis] * (map.kernel[axis] - 1)
                    < map.size[axis]
        });
        let enough = (rows - 1) * map.size[1] + map.out[1] >= lanes;
        Region::of(map, images, rows, !(inside && enough && map.stride == [1; 2]), 0)
    }

    /// As [`new`](Self::new), but always copied, with a register of zeros after each channel.
    pub fn copied(map: &Map, images: usize, rows: usize) -> Region {
        Region::of(map, images, rows, true, MOST_LANES)
    }

    fn of(map: &Map, images: usize, rows: usize, copies: bool, gap: usize) -> Region {
        let out = [rows, map.out[1]];
        // for each tap, its plane and its place there
        let taps = [0, 1].map(|axis| {
            let (stride, dilation) = (map.stride[axis], map.dilation[axis]);
            (0..map.kernel[axis]).map(move |tap| (tap * dilation % stride, tap * dilation / stride)).collect::<Vec<_>>()
        });
        let phases = [0, 1].map(|axis| {
            let mut phases: Vec<usize> = taps[axis].iter().map(|&(phase, _)| phase).collect();
            phases.sort_unstable();
            phases.dedup();
            phases
        });
        let size = [0, 1].map(|axis| {
            let farthest = taps[axis].iter().map(|&(_, place)| place).max();
            farthest.and_then(|farthest| farthest.checked_add(out[axis])).expect("the padded image fits the memory")
        });
        let product = |numbers: &[usize]| {
            numbers
                .iter()
                .try_fold(1_usize, |product, &number| product.checked_mul(number))
                .expect("the padded image fits the memory")
        };
        let (strides, channel, planes) = if copies {
            let plane = product(&[images, size[0], size[1]]);
            ([size[0] * size[1], size[1]], product(&[plane, phases[0].len(), phases[1].len()]) + gap, plane)
        } else {
            ([map.groups * map.from * map.size[0] * map.size[1], map.size[1]], map.size[0] * map.size[1], 0)
        };
        let mut steps = Vec::with_capacity(map.from * map.taps());
        for from in 0..map.from {
            for &(down, row) in &taps[0] {
                for &(right, column) in &taps[1] {
                    let number = |axis: usize, phase: usize| phases[axis].iter().position(|&p| p == phase).unwrap_or(0);
                    let phase = number(0, down) * phases[1].len() + number(1, right);
                    steps.push(from * channel + phase * planes + row * strides[1] + column);
                }
            }
        }
        // registers may reach beyond the last pixel
        let len = if copies { product(&[map.from, channel]) + MOST_LANES - gap } else { 0 };
        Region { channels: map.from, images, copies, size, phases, strides, out, steps, channel, gap, len }
    }

    /// The length of its copy.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The number of pixels that are seen, padding included.
    pub fn seen(&self) -> usize {
        let [rows, columns] = [0, 1].map(|axis| self.phases[axis].len() * self.size[axis]);
        self.channels * self.images * rows * columns
    }

    /// The number of places in its copy up to the last position, rounded up to a whole register.
    pub fn places(&self) -> usize {
        let last = (self.images - 1) * self.strides[0] + (self.out[0] - 1) * self.strides[1] + self.out[1];
        last.next_multiple_of(MOST_LANES)
    }

    /// Whether it is copied, so that registers may reach beyond the last pixel that is seen.
    pub fn copies(&self) -> bool {
        self.copies
    }

    /// The number of positions in each image.
    pub fn positions_of_image(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// How far each tap of each channel is from the first.
    pub fn steps(&self) -> &[usize] {
        &self.steps
    }

    /// The first pixels of the planes that are seen, in order.
    fn each_phase(&self) -> impl Iterator<Item = [usize; 2]> {
        self.phases[0].iter().flat_map(|&down| self.phases[1].iter().map(move |&right| [down, right]))
    }

    /// For each row of outputs: its image, its number there, and the place of the first pixel of its first window.
    pub fn lines(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let rows = |image| (0..self.out[0]).map(move |row| (image, row));
        (0..self.images)
            .flat_map(rows)
            .map(|(image, row)| (image, row, image * self.strides[0] + row * self.strides[1]))
    }

    /// The pixels of the region that starts at this output row of this image: those of the image, or the
    /// [`copy`](Self::copy) of them.
    pub fn pixels<'a>(&self, map: &Map, [image, group, row]: [usize; 3], x: &'a [f32], copy: &'a [f32]) -> &'a [f32] {
        if self.copies {
            return copy;
        }
        let [top, left] = map.padding.map(isize::unsigned_abs);
        let first = (image * map.groups + group) * map.from * map.size[0] * map.size[1];
        &x[first + (row + top) * map.size[1] + left..]
    }

    /// Copies its pixels, with zeros around the image, unless they are read in place.
    pub fn copy(&self, map: &Map, [image, group, row]: [usize; 3], x: &[f32], copy: &mut [f32]) {
        if !self.copies {
            return;
        }
        let [lines, columns] = self.size;
        let (pixels, stride) = (map.size[0] * map.size[1], map.stride[1]);
        let (channels, beyond) = copy[..self.len].split_at_mut(map.from * self.channel);
        beyond.fill(0.0);
        for (from, channel) in channels.chunks_exact_mut(self.channel).enumerate() {
            let (channel, gap) = channel.split_at_mut(self.channel - self.gap);
            gap.fill(0.0);
            let mut to = channel.chunks_exact_mut(columns);
            for [down, right] in self.each_phase() {
                // the numbers of a line that lie in the image, and the pixel of the first
                let before = map.padding[1] - right.cast_signed();
                let end = map.size[1].saturating_add_signed(before).div_ceil(stride).min(columns);
                let first = before.max(0).unsigned_abs().div_ceil(stride).min(end);
                let pixel = (first * stride).saturating_add_signed(-before);
                for image in image..image + self.images {
                    let plane = &x[((image * map.groups + group) * map.from + from) * pixels..][..pixels];
                    for line in row..row + lines {
                        let to = to.next().expect("a line for each that is seen");
                        let above = map.padding[0] - down.cast_signed();
                        let place = (line * map.stride[0]).checked_add_signed(-above);
                        let Some(place) = place.filter(|&place| place < map.size[0] && first < end) else {
                            to.fill(0.0);
                            continue;
                        };
                        to[..first].fill(0.0);
                        to[end..].fill(0.0);
                        let (to, seen) = (&mut to[first..end], &plane[place * map.size[1] + pixel..]);
                        match stride {
                            1 => copy_line(&seen[..to.len()], to),
                            2 => every_second(seen, to),
                            _ => to.iter_mut().zip(seen.iter().step_by(stride)).for_each(|(to, &seen)| *to = seen),
                        }
                    }
                }
            }
        }
    }
}

/// Copies every second number of a line, from the first on: with a stride that it knows, the compiler vectorises this.
fn every_second(line: &[f32], to: &mut [f32]) {
    let (pairs, last) = line.as_chunks::<2>();
    to.iter_mut().zip(pairs).for_each(|(to, &[first, _])| *to = first);
    if let (Some(to), Some(&last)) = (to.get_mut(pairs.len()), last.first()) {
        *to = last;
    }
}
