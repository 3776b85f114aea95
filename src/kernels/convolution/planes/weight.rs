//! The gradient of the weight for pointwise windows: dw = sum over the images of g x^T. It is computed like a forward
//! pass in which the pixels' positions take the role of input channels, and g that of the weight.

use super::chunk;
use super::tiles::{Task, run};
use crate::kernels::convolution::lanes;
use crate::kernels::convolution::sizes::{Convolution, PARALLEL_ABOVE};
use crate::kernels::elementwise;
use crate::kernels::instructions::instructions;
use crate::kernels::parallel::{self, Entries};
use crate::kernels::store::Store;
use crate::kernels::transpose::transpose;
use crate::memory::Storage;

/// This many images are summed one after the other, and then those sums, which keeps rounding errors small.
const FEW_IMAGES: usize = 32;
/// The filters of one task: whole tiles, whether of 6 or of 8 filters.
const FILTERS: usize = 120;

/// The gradient of the weight for pointwise windows.
pub fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    let mut sums = Storage::scratch(if sizes.batch > FEW_IMAGES { dw.len() } else { 0 });
    for first in (0..sizes.batch).step_by(FEW_IMAGES) {
        let images = first..sizes.batch.min(first + FEW_IMAGES);
        if first == 0 {
            add_images(sizes, images, x, g, dw, store);
        } else {
            add_images(sizes, images, x, g, sums.make_mut(), Store::Overwrite);
            elementwise::add_assign(dw, sums.as_slice());
        }
    }
}

/// The sum over some images.
fn add_images(sizes: &Convolution, images: std::ops::Range<usize>, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    let instructions = instructions();
    let Convolution { windows, filters, groups, .. } = *sizes;
    let (channels, positions) = (windows.channels, windows.positions());
    let row = channels.max(lanes(instructions));
    let steps: Vec<usize> = (0..positions).map(|position| position * channels).collect();
    let outputs: Vec<_> = (0..channels).map(|channel| (channel, channel)).collect();
    let mut chunks = Vec::new();
    chunk::cover(&outputs, lanes(instructions), true, &mut chunks);
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    let mut pixels = Storage::<f32>::zeros(positions * channels + row - channels);
    for (image, group) in images.clone().flat_map(|image| (0..groups).map(move |group| (image, group))) {
        let x = &x[image * sizes.input() + group * windows.pixels()..][..windows.pixels()];
        transpose(x, channels, positions, &mut pixels.make_mut()[..positions * channels]);
        let pixels = pixels.as_slice();
        let g = &g[image * sizes.output() + group * filters * positions..][..filters * positions];
        let to = Entries::of(&mut dw[group * filters * channels..(group + 1) * filters * channels]);
        let store = Store::adding(store.adds() || image > images.start);
        parallel::tasks(filters.div_ceil(FILTERS), many, &|part| {
            let part = part * FILTERS..filters.min((part + 1) * FILTERS);
            let weight = &g[part.start * positions..part.end * positions];
            let task = Task {
                pixels,
                seen: pixels.len(),
                chunks: &chunks,
                steps: &steps,
                weight,
                bias: None,
                store,
                plane: channels,
            };
            // SAFETY: the pixels of each position are followed by those of the next, or by room for a register; the
            // gradient has a row for each filter, and each task writes the rows of its own filters.
            unsafe { run(instructions, &task, to.at(part.start * channels)) };
        });
    }
}
