//! The sizes of a convolution, and the interface of the methods that compute it.

use crate::kernels::gemm::Matrix;
use crate::kernels::store::Store;
use crate::kernels::window::Windows;
use crate::numbers::Float;

/// Below this many multiply-adds in total, one thread is faster.
pub const PARALLEL_ABOVE: usize = 1 << 18;

/// The sizes of a convolution. Groups split the channels and the filters into independent parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    pub batch: usize,
    /// The windows over the channels of one group.
    pub windows: Windows,
    /// The filters of one group.
    pub filters: usize,
    pub groups: usize,
}

impl Convolution {
    /// The elements of one image of the input.
    pub fn input(&self) -> usize {
        self.groups * self.windows.pixels()
    }

    /// The elements of one image of the output.
    pub fn output(&self) -> usize {
        self.groups * self.filters * self.windows.positions()
    }

    /// The elements of the weight.
    pub fn weight(&self) -> usize {
        self.groups * self.filters * self.windows.taps()
    }

    /// The multiply-adds of one forward pass.
    pub fn operations(&self) -> usize {
        self.batch * self.output() * self.windows.taps()
    }

    /// The forward pass as a map.
    pub fn map(&self) -> Map {
        let Convolution { batch, windows, filters, groups } = *self;
        let Windows { channels, size, kernel, stride, padding, dilation, out } = windows;
        let padding = padding.map(usize::cast_signed);
        let (step, first, plane) = ([1; 2], [0; 2], out);
        Map {
            batch,
            groups,
            from: channels,
            to: filters,
            size,
            out,
            kernel,
            stride,
            dilation,
            padding,
            step,
            first,
            plane,
        }
    }

    /// The gradient of the input for stride 1: the convolution of the output's gradient with
    /// [`turned_filters_of`](Self::turned_filters_of).
    pub fn reverse_map(&self) -> Map {
        let map = self.map();
        let padding =
            [0, 1].map(|axis| (map.dilation[axis] * (map.kernel[axis] - 1)).cast_signed() - map.padding[axis]);
        Map { from: map.to, to: map.from, size: map.out, out: map.size, plane: map.size, padding, ..map }
    }

    /// The gradient of the input as convolutions of the output's gradient: for stride s, one for each lattice of pixels
    /// s apart, which are seen by the same taps. `None` if windows are both strided and dilated, or the stride is
    /// larger than the kernel, so that no tap sees some of the pixels.
    pub fn reverse_maps(&self) -> Option<impl Iterator<Item = Map> + use<>> {
        let map = self.map();
        let (strided, dilated) = (map.stride != [1; 2], map.dilation != [1; 2]);
        if strided && dilated || (0..2).any(|axis| map.stride[axis] > map.kernel[axis]) {
            return None;
        }
        let reverse = self.reverse_map();
        let lattices = (0..map.stride[0]).flat_map(move |down| (0..map.stride[1]).map(move |right| [down, right]));
        Some(lattices.filter_map(move |first| {
            let mut lattice = Map { stride: [1; 2], step: map.stride, first, ..reverse };
            if strided {
                for axis in [0, 1] {
                    // pixel a is seen by the taps k = a + padding (mod s), the last of them in the first window
                    let (s, shift) = (map.stride[axis], first[axis] + map.padding[axis].unsigned_abs());
                    let taps = (map.kernel[axis] - shift % s).div_ceil(s);
                    lattice.kernel[axis] = taps;
                    lattice.padding[axis] = (taps - 1).cast_signed() - (shift / s).cast_signed();
                    lattice.out[axis] = (map.size[axis].saturating_sub(first[axis])).div_ceil(s);
                }
            }
            (!lattice.out.contains(&0)).then_some(lattice)
        }))
    }

    fn weight_of<'a>(&self, group: usize, weight: &'a [f32]) -> &'a [f32] {
        let len = self.filters * self.windows.taps();
        &weight[group * len..(group + 1) * len]
    }

    /// The filters of a group.
    pub fn filters_of<'a>(&self, group: usize, weight: &'a [f32]) -> Filters<'a> {
        let (to_stride, from_stride) = (self.windows.taps(), self.windows.taps() / self.windows.channels);
        let tap_strides = [self.windows.kernel[1].cast_signed(), 1];
        Filters { values: self.weight_of(group, weight), to_stride, from_stride, first: 0, tap_strides }
    }

    /// The filters of a group for [`reverse_map`](Self::reverse_map), or for one of
    /// [`reverse_maps`](Self::reverse_maps): rotated by 180 degrees, with channels and filters swapped, and only with
    /// the taps that see the lattice.
    pub fn turned_filters_of<'a>(&self, group: usize, weight: &'a [f32], map: &Map) -> Filters<'a> {
        let Filters { values, to_stride, from_stride, tap_strides, .. } = self.filters_of(group, weight);
        let last = [0, 1].map(|axis| {
            let lowest = (map.first[axis] + self.windows.padding[axis]) % map.step[axis];
            lowest + (map.kernel[axis] - 1) * map.step[axis]
        });
        let first = last[0] * self.windows.kernel[1] + last[1];
        let tap_strides = [0, 1].map(|axis| -tap_strides[axis] * map.step[axis].cast_signed());
        Filters { values, to_stride: from_stride, from_stride: to_stride, first, tap_strides }
    }
}

/// A map from images to images: the forward pass, or the gradient of the image.
#[derive(Clone, Copy)]
pub struct Map {
    pub batch: usize,
    pub groups: usize,
    /// The channels of one group that are read, and those that are written.
    pub from: usize,
    pub to: usize,
    pub size: [usize; 2],
    pub out: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// How far the first window starts outside the image; negative if inside.
    pub padding: [isize; 2],
    /// The distances between outputs in the plane that they are written to, and where the first of them is.
    pub step: [usize; 2],
    pub first: [usize; 2],
    /// The size of that plane.
    pub plane: [usize; 2],
}

impl Map {
    /// The taps of a window over one channel.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The outputs of one channel.
    pub fn positions(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// The number of images of one task, for tasks that differ in their images or in one of `others`: the largest up to
    /// `most` with which no thread has much more to do than another, or `most` if one thread does all.
    pub fn images_of_task(&self, most: usize, others: usize, many: bool) -> usize {
        if !many {
            return most;
        }
        let threads = rayon::current_num_threads();
        let busiest = |images: usize| (self.batch.div_ceil(images) * others).div_ceil(threads) * images;
        let enough = busiest(1) + busiest(1) / 16;
        (1..=most).rev().find(|&images| busiest(images) <= enough).unwrap_or(1)
    }

    /// Panics if x and y do not have the sizes of the images that are read and written.
    pub fn check(&self, x: &[f32], y: &[f32]) {
        let pixels = |size: [usize; 2]| self.batch * self.groups * size[0] * size[1];
        assert_eq!((x.len(), y.len()), (self.from * pixels(self.size), self.to * pixels(self.plane)));
    }
}

/// The weight of a group: a number for each output channel, input channel and tap.
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    pub values: &'a [f32],
    pub to_stride: usize,
    pub from_stride: usize,
    /// Where the first tap is, and the distances to the next one down and across.
    pub first: usize,
    pub tap_strides: [isize; 2],
}

impl<'a> Filters<'a> {
    /// Where the number for a tap is; taps are counted down and across.
    #[inline(always)]
    pub fn place(&self, to: usize, from: usize, [down, across]: [usize; 2]) -> usize {
        let tap = down.cast_signed() * self.tap_strides[0] + across.cast_signed() * self.tap_strides[1];
        (to * self.to_stride + from * self.from_stride + self.first).wrapping_add_signed(tap)
    }

    /// As a matrix of (input channels and taps, output channels), if those are evenly spaced.
    pub fn matrix(&self, map: &Map) -> Option<Matrix<'a, f32>> {
        let rows = self.tap_strides == [map.kernel[1].cast_signed(), 1] && self.from_stride == map.taps();
        let row_stride = if rows { 1 } else { self.from_stride };
        (rows || map.taps() == 1).then(|| Matrix {
            values: &self.values[self.first..],
            row_stride,
            column_stride: self.to_stride,
        })
    }

    /// Panics if a number would lie outside the slice.
    pub fn check(&self, map: &Map) {
        let taps =
            [[0, 0], [0, 1], [1, 0], [1, 1]].map(|corner| [0, 1].map(|axis| corner[axis] * (map.kernel[axis] - 1)));
        assert!(taps.into_iter().all(|tap| self.place(map.to - 1, map.from - 1, tap) < self.values.len()));
    }
}

/// What the result of a pass is added to.
#[derive(Clone, Copy)]
pub enum Start<'a, E> {
    /// Zero: what was there is overwritten.
    Zero,
    /// The bias of each channel.
    Bias(&'a [E]),
    /// What is already there.
    There,
}

impl<'a, E: Float> Start<'a, E> {
    /// Whether the result overwrites what is there or is added to it.
    pub fn store(self) -> Store {
        Store::adding(matches!(self, Start::There))
    }

    /// The biases of a group of `channels` channels, if there are any.
    pub fn of_group(self, group: usize, channels: usize) -> Option<&'a [E]> {
        match self {
            Start::Bias(bias) => Some(&bias[group * channels..(group + 1) * channels]),
            Start::Zero | Start::There => None,
        }
    }

    /// Writes the start to planes of this many pixels each.
    pub fn write(self, planes: &mut [E], pixels: usize) {
        match self {
            Start::Zero => planes.fill(E::zero()),
            Start::Bias(bias) => {
                planes.chunks_exact_mut(pixels).zip(bias.iter().cycle()).for_each(|(plane, &bias)| plane.fill(bias));
            }
            Start::There => {}
        }
    }
}

/// A method: one function for each pass. They are never called with a size of 0.
pub struct Passes<E> {
    pub forward: Pass<E>,
    pub backward_input: Pass<E>,
    pub backward_weight: WeightPass<E>,
}
/// The sizes, the input of the pass, the weight, what the result is added to, and the result.
pub type Pass<E> = fn(&Convolution, &[E], &[E], Start<'_, E>, &mut [E]);
/// The sizes, x, the gradient of y, the gradient of the weight (the result), and how it is stored.
pub type WeightPass<E> = fn(&Convolution, &[E], &[E], &mut [E], Store);
