//! Random changes of training images that do not change what they show.

use crate::numbers::Generator;
use crate::numbers::range::{at_most, expect};
use crate::shape::Dim;
use crate::tensor::Tensor;
use rand::RngExt;

/// Augments each image of a batch at random: shifts it, mirrors it, covers a part of it.
///
/// It has its own generator, seeded from one that the caller passes, so that it can work in the thread of a
/// [`Prefetch`](super::Prefetch) and the same seed gives the same images.
///
/// ```
/// use taut::data::{Augmentation, Prefetch};
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let shape = (10_usize, Const::<3>, Const::<8>, Const::<8>);
/// let images = Tensor::<_, f32>::uniform_with(shape, 0.0, 1.0, &mut rng);
/// let mut augmentation = Augmentation::new(&mut rng).crop(1).flip().cutout(3);
/// let batches = images.batches::<5>(&mut rng).map(move |batch| augmentation.apply(batch));
/// for batch in Prefetch::new(batches, 2) {
///     let batch: Tensor<Rank4<5, 3, 8, 8>> = batch;
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an augmentation changes nothing until `apply` is called"]
pub struct Augmentation {
    crop: usize,
    flip: bool,
    cutout: usize,
    seed: u64,
    rng: Generator,
}

/// The most pixels in one direction.
const LARGEST: usize = 1 << 30;

impl Augmentation {
    /// No augmentation yet. Draws one number from `rng`.
    pub fn new<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        let seed = rng.next_u64();
        Augmentation { crop: 0, flip: false, cutout: 0, seed, rng: Generator::new(seed) }
    }

    /// Shifts each image by up to `padding` pixels vertically and horizontally, filling in zeros: a random crop of the
    /// image padded with `padding` zeros.
    ///
    /// # Panics
    /// If `padding` is above 2^30: no image is so large.
    #[track_caller]
    pub fn crop(self, padding: usize) -> Self {
        expect(at_most("crop", "padding", padding, LARGEST));
        Augmentation { crop: padding, ..self }
    }

    /// Mirrors each image left to right with probability 1/2.
    pub fn flip(self) -> Self {
        Augmentation { flip: true, ..self }
    }

    /// Sets a square of `size` x `size` pixels, around a random pixel of each image, to zero in all channels. At the
    /// edge, part of the square is outside. DeVries and Taylor, "Improved Regularization of Convolutional Neural
    /// Networks with Cutout", 2017.
    ///
    /// # Panics
    /// If `size` is above 2^30: no image is so large.
    #[track_caller]
    pub fn cutout(self, size: usize) -> Self {
        expect(at_most("cutout", "size", size, LARGEST));
        Augmentation { cutout: size, ..self }
    }

    /// Augments a batch of images (N, C, H, W). Normalise them first, so that zeros are the mean.
    pub fn apply<N: Dim, C: Dim, H: Dim, W: Dim>(&mut self, mut images: Tensor<(N, C, H, W)>) -> Tensor<(N, C, H, W)> {
        let (crop, flip, cutout) = (self.crop, self.flip, self.cutout);
        change_each(&mut images, |_, sizes| Change::draw(crop, flip, cutout, sizes, &mut self.rng));
        images
    }

    /// Augments images (N, C, H, W), each of which has a number, usually its index in the dataset: an image's number
    /// and the augmentation's seed decide what happens to it, not the other images of the batch. So it does not matter
    /// how batches are divided into parts, or among how many [processes](crate::distributed).
    ///
    /// An image of the same number is changed in the same way in every call: make a new augmentation for each epoch.
    ///
    /// # Panics
    /// If there are not as many numbers as images.
    #[track_caller]
    pub fn apply_to<N: Dim, C: Dim, H: Dim, W: Dim>(
        &self,
        mut images: Tensor<(N, C, H, W)>,
        samples: &[usize],
    ) -> Tensor<(N, C, H, W)> {
        let count = images.shape().0.size();
        assert!(samples.len() == count, "apply_to: {} sample numbers for {count} images", samples.len());
        change_each(&mut images, |place, sizes| {
            let mut rng = Generator::of_sample(self.seed, samples[place]);
            Change::draw(self.crop, self.flip, self.cutout, sizes, &mut rng)
        });
        images
    }
}

/// Changes each image as decided by `draw`, which is given its index in the batch, its height and its width.
fn change_each<N: Dim, C: Dim, H: Dim, W: Dim>(
    images: &mut Tensor<(N, C, H, W)>,
    mut draw: impl FnMut(usize, [usize; 2]) -> Change,
) {
    let (_, channels, height, width) = images.shape();
    let (channels, height, width) = (channels.size(), height.size(), width.size());
    if images.count() == 0 {
        return;
    }
    let mut moved = vec![0.0; height * width];
    for (place, image) in images.as_mut_slice().chunks_exact_mut(channels * height * width).enumerate() {
        draw(place, [height, width]).apply(image, &mut moved);
    }
}

/// What happens to one image.
struct Change {
    height: usize,
    width: usize,
    down: isize,
    across: isize,
    mirror: bool,
    cutout: usize,
    /// The pixel around which a square is covered.
    middle: (usize, usize),
}

impl Change {
    fn draw(crop: usize, flip: bool, cutout: usize, [height, width]: [usize; 2], rng: &mut Generator) -> Self {
        let mut shift = || rng.random_range(0..=2 * crop) as isize - crop as isize;
        let (down, across) = (shift(), shift());
        let mirror = flip && rng.random::<bool>();
        let middle = (rng.random_range(0..height), rng.random_range(0..width));
        Change { height, width, down, across, mirror, cutout, middle }
    }

    /// `moved` is room for one channel.
    fn apply(&self, image: &mut [f32], moved: &mut [f32]) {
        let Change { height, width, .. } = *self;
        let covered =
            |place: usize, middle: usize| place + self.cutout / 2 >= middle && place < middle + self.cutout.div_ceil(2);
        for plane in image.chunks_exact_mut(height * width) {
            for (i, line) in moved.chunks_exact_mut(width).enumerate() {
                let from = i.checked_add_signed(self.down).filter(|&row| row < height);
                for (j, out) in line.iter_mut().enumerate() {
                    let column = if self.mirror { width - 1 - j } else { j };
                    let column = column.checked_add_signed(self.across).filter(|&column| column < width);
                    *out = match (from, column) {
                        (Some(row), Some(column)) if !(covered(i, self.middle.0) && covered(j, self.middle.1)) => {
                            plane[row * width + column]
                        }
                        _ => 0.0,
                    };
                }
            }
            plane.copy_from_slice(moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    type Batch = Tensor<Rank4<200, 2, 4, 5>>;

    fn numbered() -> Batch {
        Batch::from_fn(|[_, channel, row, column]| (100 * channel + 10 * row + column + 1) as f32)
    }

    #[test]
    fn nothing_asked_for_is_nothing_done() {
        let mut rng = StdRng::seed_from_u64(0);
        assert_eq!(Augmentation::new(&mut rng).apply(numbered()), numbered());
    }

    #[test]
    fn the_same_seed_gives_the_same_images() {
        let run = |seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            Augmentation::new(&mut rng).crop(2).flip().cutout(2).apply(numbered())
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn the_number_of_an_image_decides_whatever_batch_it_is_in() {
        let images = Tensor::from_vec(numbered().to_vec(), (200, Const::<2>, Const::<4>, Const::<5>)).unwrap();
        let augmentation = Augmentation::new(&mut StdRng::seed_from_u64(5)).crop(2).flip().cutout(2);
        let all: Vec<usize> = (0..200).collect();
        let whole = augmentation.apply_to(images.clone(), &all);
        let some = [199, 3, 77];
        let part = augmentation.apply_to(Dataset::gather(&images, 3, &some), &some);
        assert_eq!(part, Dataset::gather(&whole, 3, &some));
        let alike = Dataset::gather(&images, 3, &[3, 3, 3]);
        let changed = augmentation.apply_to(alike, &[3, 4, 5]);
        assert_eq!(changed.clone().slice(0), whole.slice(3));
        assert!(changed.clone().slice(0) != changed.clone().slice(1) || changed.clone().slice(1) != changed.slice(2));
    }

    #[test]
    fn the_prefetch_thread_changes_images_in_the_same_way() {
        let images = Tensor::from_vec(numbered().to_vec(), (200, Const::<2>, Const::<4>, Const::<5>)).unwrap();
        let batches = || {
            let mut rng = StdRng::seed_from_u64(5);
            let mut augmentation = Augmentation::new(&mut rng).crop(2).flip().cutout(2);
            images.batches::<50>(&mut rng).map(move |batch| augmentation.apply(batch))
        };
        let plain: Vec<_> = batches().collect();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let ahead: Vec<_> = pool.install(|| crate::data::Prefetch::new(batches(), 2).collect());
            assert_eq!(ahead, plain);
        }
    }

    #[test]
    fn every_other_image_is_mirrored() {
        let y = Augmentation::new(&mut StdRng::seed_from_u64(3)).flip().apply(numbered());
        let x = numbered();
        let mirrored = (0..200)
            .filter(|&i| {
                let first = y[[i, 1, 2, 0]];
                assert!(first == x[[i, 1, 2, 0]] || first == x[[i, 1, 2, 4]]);
                first == x[[i, 1, 2, 4]]
            })
            .count();
        assert!((70..130).contains(&mirrored), "{mirrored} of 200");
    }

    #[test]
    fn images_move_in_every_direction_and_zeros_come_in() {
        let y = Augmentation::new(&mut StdRng::seed_from_u64(3)).crop(1).apply(numbered());
        let mut seen = std::collections::HashSet::new();
        for i in 0..200 {
            // the pixel in the middle tells how the image moved; both channels move together
            let middle = y[[i, 0, 2, 2]];
            seen.insert(middle as usize);
            assert_eq!(y[[i, 1, 2, 2]], middle + 100.0);
            if middle == 33.0 + 1.0 {
                assert!((0..5).all(|column| y[[i, 0, 3, column]] == 0.0), "moved up: zeros below");
            }
        }
        assert_eq!(seen.len(), 9, "all directions: {seen:?}");
    }

    #[test]
    fn a_square_is_covered() {
        let y = Augmentation::new(&mut StdRng::seed_from_u64(3)).cutout(2).apply(numbered());
        for i in 0..200 {
            let zeros = (0..20).filter(|place| y[[i, 0, place / 5, place % 5]] == 0.0).count();
            assert!([1, 2, 4].contains(&zeros), "{zeros}");
        }
    }
}
