//! What the windows of some positions see.

use crate::kernels::convolution::sizes::Map;
use crate::kernels::window::copy_line;
use std::ops::Range;

/// The pixels under the windows of some output rows of some images, padding included.
pub struct Region {
    pub images: Range<usize>,
    pub rows: Range<usize>,
    /// The first pixel; it may lie in the padding.
    first: [isize; 2],
    size: [usize; 2],
    /// The distances from one image, channel and line to the next.
    strides: [usize; 3],
}

impl Region {
    pub fn new(map: &Map, images: Range<usize>, rows: Range<usize>) -> Region {
        let count = [rows.len(), map.out[1]];
        let size = [0, 1].map(|axis| {
            let [positions, taps] = [(count[axis] - 1, map.stride[axis]), (map.kernel[axis] - 1, map.dilation[axis])];
            positions.0 * positions.1 + taps.0 * taps.1 + 1
        });
        let first = [(rows.start * map.stride[0]).cast_signed() - map.padding[0], -map.padding[1]];
        let mut region = Region { images, rows, first, size, strides: [0; 3] };
        let [height, width] = if region.is_image(map) { map.size } else { size };
        let channels = if region.is_image(map) { map.groups * map.from } else { map.from };
        let area = height.checked_mul(width).and_then(|plane| Some([plane.checked_mul(channels)?, plane, width]));
        region.strides = area.expect("the padded image fits the memory");
        region
    }

    /// Whether all of it lies in the image, so that it need not be copied.
    fn is_image(&self, map: &Map) -> bool {
        [0, 1].into_iter().all(|axis| {
            let first = usize::try_from(self.first[axis]);
            first.is_ok_and(|first| first + self.size[axis] <= map.size[axis])
        })
    }

    /// The length of its copy.
    pub fn copied(&self, map: &Map) -> usize {
        if self.is_image(map) { 0 } else { self.images.len() * self.strides[0] }
    }

    /// The number of positions whose windows see it.
    pub fn positions(&self, map: &Map) -> usize {
        self.images.len() * self.rows.len() * map.out[1]
    }

    /// Its pixels: those of the image, or the [`copy`](Self::copy) of them.
    pub fn pixels<'a>(&self, map: &Map, group: usize, x: &'a [f32], copy: &'a [f32]) -> &'a [f32] {
        if !self.is_image(map) {
            return copy;
        }
        let [top, left] = self.first.map(isize::unsigned_abs);
        &x[plane(map, self.images.start, group, 0) + top * map.size[1] + left..]
    }

    /// Copies its pixels, with zeros around the image, unless all of them lie in the image.
    pub fn copy(&self, map: &Map, group: usize, x: &[f32], copy: &mut [f32]) {
        if self.is_image(map) {
            return;
        }
        let inside = |axis: usize| {
            let before = self.first[axis].min(0).unsigned_abs().min(self.size[axis]);
            let end = map.size[axis].saturating_add_signed(self.first[axis].saturating_neg()).min(self.size[axis]);
            before..end.max(before)
        };
        let (down, across) = (inside(0), inside(1));
        let mut planes = copy[..self.copied(map)].chunks_exact_mut(self.strides[1]);
        for (image, channel) in self.images.clone().flat_map(|image| (0..map.from).map(move |channel| (image, channel)))
        {
            let copy = planes.next().expect("a plane for each channel of each image");
            let (above, rest) = copy.split_at_mut(down.start * self.size[1]);
            let (lines, below) = rest.split_at_mut(down.len() * self.size[1]);
            above.fill(0.0);
            below.fill(0.0);
            if across.is_empty() {
                lines.fill(0.0);
                continue;
            }
            for (row, line) in down.clone().zip(lines.chunks_exact_mut(self.size[1])) {
                let pixel = |axis: usize, at: usize| self.first[axis].saturating_add_unsigned(at).unsigned_abs();
                let from = &x
                    [plane(map, image, group, channel) + pixel(0, row) * map.size[1] + pixel(1, across.start)..]
                    [..across.len()];
                line[..across.start].fill(0.0);
                line[across.end..].fill(0.0);
                copy_line(from, &mut line[across.clone()]);
            }
        }
    }

    /// Where the first tap of each position's window is.
    pub fn places(&self, map: &Map) -> Vec<usize> {
        let [image_stride, _, line] = self.strides;
        let mut places = Vec::with_capacity(self.positions(map));
        for image in 0..self.images.len() {
            for row in 0..self.rows.len() {
                let first = image * image_stride + row * map.stride[0] * line;
                places.extend((0..map.out[1]).map(|column| first + column * map.stride[1]));
            }
        }
        places
    }

    /// How far each tap of each channel is from the first.
    pub fn steps(&self, map: &Map) -> Vec<usize> {
        let [_, plane, line] = self.strides;
        let mut steps = Vec::with_capacity(map.from * map.taps());
        for channel in 0..map.from {
            for down in 0..map.kernel[0] {
                let first = channel * plane + down * map.dilation[0] * line;
                steps.extend((0..map.kernel[1]).map(|right| first + right * map.dilation[1]));
            }
        }
        steps
    }
}

/// The first pixel of a channel of an image.
fn plane(map: &Map, image: usize, group: usize, channel: usize) -> usize {
    ((image * map.groups + group) * map.from + channel) * map.size[0] * map.size[1]
}
