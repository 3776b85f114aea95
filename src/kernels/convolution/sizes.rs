//! The sizes of a convolution, and what a method of computing it is.

use crate::kernels::window::Windows;
use crate::numbers::Float;

/// The sizes of a convolution. Groups cut the channels and the filters into parts that do not see each other.
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
}

/// What the result of a pass is added to.
#[derive(Clone, Copy)]
pub enum Start<'a, E> {
    /// Nothing: what was there is overwritten.
    Zero,
    /// The bias of each channel.
    Bias(&'a [E]),
    /// What is there.
    There,
}

impl<'a, E: Float> Start<'a, E> {
    /// Whether it is what is there.
    pub fn adds(self) -> bool {
        matches!(self, Start::There)
    }

    /// The bias of a group of `channels`.
    pub fn of_group(self, group: usize, channels: usize) -> Option<&'a [E]> {
        match self {
            Start::Bias(bias) => Some(&bias[group * channels..(group + 1) * channels]),
            Start::Zero | Start::There => None,
        }
    }

    /// Writes it to planes of so many pixels.
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

/// A method: one function for each pass. No size that they are given is 0.
pub struct Passes<E> {
    pub forward: Pass<E>,
    pub backward_input: Pass<E>,
    pub backward_weight: WeightPass<E>,
}
/// The sizes, the numbers that go through the convolution, the weight, what is added, and the result.
pub type Pass<E> = fn(&Convolution, &[E], &[E], Start<'_, E>, &mut [E]);
/// The sizes, x, the gradient of y, that of the weight, and whether it is added to what is there.
pub type WeightPass<E> = fn(&Convolution, &[E], &[E], &mut [E], bool);
