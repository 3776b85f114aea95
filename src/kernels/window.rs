//! Windows over images: their positions, and copying what is under them (im2col) and back (col2im).

use super::vectorized;
use crate::numbers::Float;

/// How a window moves over one image of several channels. Pairs are (down, across).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    pub channels: usize,
    /// Height and width of the image.
    pub size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    /// The number of positions of the window.
    pub out: [usize; 2],
}

impl Windows {
    /// The pixels of the image, in all channels.
    pub fn pixels(&self) -> usize {
        self.channels * self.size[0] * self.size[1]
    }

    /// The positions of the window.
    pub fn positions(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// The pixels under one window, in all channels: the rows of the column matrix.
    pub fn taps(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// Whether the windows are the pixels themselves, so that the image is its own column matrix.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// The outputs along `axis` for which the tap at `offset` lies inside the image: the others see the padding.
    #[inline(always)]
    fn inside(&self, axis: usize, offset: usize) -> std::ops::Range<usize> {
        let (shift, stride) = (offset * self.dilation[axis], self.stride[axis]);
        let first = self.padding[axis].saturating_sub(shift).div_ceil(stride);
        // the last position whose pixel, position * stride + shift - padding, is below the size
        let end = (self.size[axis] + self.padding[axis]).saturating_sub(shift).div_ceil(stride);
        let end = end.min(self.out[axis]);
        first.min(end)..end
    }

    /// For each row of the column matrix: the channel, and the two offsets of the tap.
    #[inline(always)]
    fn each_tap(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (taps, [height, width]) = (self.taps(), self.kernel);
        let (mut c, mut i, mut j) = (0, 0, 0);
        (0..taps).map(move |_| {
            let tap = (c, i, j);
            j += 1;
            if j == width {
                (j, i) = (0, i + 1);
            }
            if i == height {
                (i, c) = (0, c + 1);
            }
            tap
        })
    }
}

/// Copies a line. Most are short: a few registers, the last of which may overlap the one before, cost less than a call.
#[inline(always)]
pub fn copy_line<E: Copy>(from: &[E], to: &mut [E]) {
    const REGISTER: usize = 8;
    const MOST: usize = 8 * REGISTER;
    let length = to.len();
    if !(REGISTER..=MOST).contains(&length) {
        return to.copy_from_slice(from);
    }
    let mut start = 0;
    while start < length {
        let place = start.min(length - REGISTER);
        let register: [E; REGISTER] = *from[place..].first_chunk().expect("a whole register is left");
        to[place..place + REGISTER].copy_from_slice(&register);
        start += REGISTER;
    }
}

vectorized! {
    /// Writes the column matrix of one image, (taps, positions): the pixels under each window, 0 for padding.
    pub fn image_to_columns [E: Float] [E] (windows: &Windows, image: &[E], columns: &mut [E]) {
        let [height, width] = windows.size;
        let [out_height, out_width] = windows.out;
        let (stride_down, stride) = (windows.stride[0], windows.stride[1]);
        if columns.is_empty() {
            return;
        }
        for ((channel, i, j), row) in windows.each_tap().zip(columns.chunks_exact_mut(out_height * out_width)) {
            let image = &image[channel * height * width..(channel + 1) * height * width];
            let (down, across) = (windows.inside(0, i), windows.inside(1, j));
            row[..down.start * out_width].fill(E::zero());
            row[down.end * out_width..].fill(E::zero());
            for y in down {
                let line = &image[(y * stride_down + i * windows.dilation[0] - windows.padding[0]) * width..][..width];
                let out = &mut row[y * out_width..(y + 1) * out_width];
                out[..across.start].fill(E::zero());
                out[across.end..].fill(E::zero());
                if across.is_empty() {
                    continue;
                }
                let first = across.start * stride + j * windows.dilation[1] - windows.padding[1];
                let out = &mut out[across.clone()];
                if stride == 1 {
                    copy_line(&line[first..first + out.len()], out);
                } else {
                    out.iter_mut().zip(line[first..].iter().step_by(stride)).for_each(|(out, &x)| *out = x);
                }
            }
        }
    }
}

vectorized! {
    /// Adds a column matrix to the image it came from: where windows overlap, their values add up.
    pub fn columns_to_image [E: Float] [E] (windows: &Windows, columns: &[E], image: &mut [E]) {
        let [height, width] = windows.size;
        let [out_height, out_width] = windows.out;
        let (stride_down, stride) = (windows.stride[0], windows.stride[1]);
        if columns.is_empty() {
            return;
        }
        for ((channel, i, j), row) in windows.each_tap().zip(columns.chunks_exact(out_height * out_width)) {
            let image = &mut image[channel * height * width..(channel + 1) * height * width];
            let (down, across) = (windows.inside(0, i), windows.inside(1, j));
            if across.is_empty() {
                continue;
            }
            for y in down {
                let line = (y * stride_down + i * windows.dilation[0] - windows.padding[0]) * width;
                let line = &mut image[line..line + width];
                let first = across.start * stride + j * windows.dilation[1] - windows.padding[1];
                let out = &row[y * out_width..(y + 1) * out_width][across.clone()];
                if stride == 1 {
                    line[first..first + out.len()].iter_mut().zip(out).for_each(|(x, &out)| *x += out);
                } else {
                    line[first..].iter_mut().step_by(stride).zip(out).for_each(|(x, &out)| *x += out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixel under each tap of each window, by the definition.
    fn by_definition(w: &Windows, image: &[f64]) -> Vec<f64> {
        let mut columns = Vec::new();
        for (c, i, j) in w.each_tap() {
            for y in 0..w.out[0] {
                for x in 0..w.out[1] {
                    let row = (y * w.stride[0] + i * w.dilation[0]).wrapping_sub(w.padding[0]);
                    let column = (x * w.stride[1] + j * w.dilation[1]).wrapping_sub(w.padding[1]);
                    let inside = row < w.size[0] && column < w.size[1];
                    columns.push(if inside { image[(c * w.size[0] + row) * w.size[1] + column] } else { 0.0 });
                }
            }
        }
        columns
    }

    fn all() -> impl Iterator<Item = Windows> {
        let sizes = [[1_usize, 1], [3, 5], [6, 4], [7, 7]];
        let kernels = [[1, 1], [3, 3], [2, 3], [5, 1]];
        let moves =
            [([1, 1], [0, 0], [1, 1]), ([2, 1], [1, 2], [1, 1]), ([3, 2], [2, 3], [2, 1]), ([1, 2], [4, 4], [1, 3])];
        sizes.into_iter().flat_map(move |size| {
            kernels.into_iter().flat_map(move |kernel| {
                moves.into_iter().filter_map(move |(stride, padding, dilation)| {
                    let mut out = [0_usize; 2];
                    for axis in 0..2 {
                        let span = dilation[axis] * (kernel[axis] - 1) + 1;
                        out[axis] = (size[axis] + 2 * padding[axis]).checked_sub(span)? / stride[axis] + 1;
                    }
                    Some(Windows { channels: 2, size, kernel, stride, padding, dilation, out })
                })
            })
        })
    }

    #[test]
    fn columns_are_what_lies_under_the_windows() {
        let mut tried = 0;
        for w in all() {
            let image: Vec<f64> = (0..w.pixels()).map(|i| i as f64 + 1.0).collect();
            let mut columns = vec![f64::NAN; w.taps() * w.positions()];
            image_to_columns(&w, &image, &mut columns);
            assert_eq!(columns, by_definition(&w, &image), "{w:?}");
            tried += 1;
        }
        assert!(tried > 40);
    }

    #[test]
    fn going_back_is_the_transpose() {
        // <im2col(x), c> = <x, col2im(c)> for all x and c
        for w in all() {
            let image: Vec<f64> = (0..w.pixels()).map(|i| (i as f64 * 0.7).sin()).collect();
            let columns: Vec<f64> = (0..w.taps() * w.positions()).map(|i| (i as f64 * 1.3).cos()).collect();
            let mut there = vec![f64::NAN; columns.len()];
            image_to_columns(&w, &image, &mut there);
            let mut back = vec![0.0; image.len()];
            columns_to_image(&w, &columns, &mut back);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (left, right) = (dot(&there, &columns), dot(&image, &back));
            assert!((left - right).abs() < 1e-10 * (1.0 + left.abs()), "{w:?}: {left} {right}");
        }
    }
}
