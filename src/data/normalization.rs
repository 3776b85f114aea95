//! Normalising inputs to mean 0 and standard deviation 1.
//!
//! y = (x - mean) / deviation, with the mean and the (population) deviation of the training set: the test set is
//! normalised by the same numbers. They are computed batch by batch. Chan, Golub and LeVeque, "Updating Formulae and a
//! Pairwise Algorithm for Computing Sample Variances", 1979.

use crate::shape::{HasAxis, Shape};
use crate::tensor::Tensor;

/// Means and standard deviations of a training set: of everything, or of each feature or channel.
///
/// ```
/// use taut::data::Normalization;
/// use taut::prelude::*;
/// let train = Tensor::from([[1.0, 10.0], [3.0, 30.0]]);
/// let normalization = Normalization::along_axis::<1, _>([train.clone()]);
/// assert_eq!(normalization.means(), [2.0, 20.0]);
/// assert_eq!(normalization.apply(train).to_array(), [[-1.0, -1.0], [1.0, 1.0]]);
/// assert_eq!(normalization.apply(Tensor::from([[2.0, 40.0]])).to_array(), [[0.0, 2.0]]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization {
    axis: Option<usize>,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

/// Count, mean and sum of squared distances from it, of the numbers seen so far.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count.max(1.0);
        Moments { count, mean, squares: values.map(|x| (x - mean) * (x - mean)).sum() }
    }

    fn join(self, other: Moments) -> Moments {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let distance = other.mean - self.mean;
        let mean = self.mean + distance * other.count / count;
        let between = distance * distance * self.count * other.count / count;
        Moments { count, mean, squares: self.squares + other.squares + between }
    }
}

impl Normalization {
    /// One mean and one deviation, of all numbers in these batches: for grayscale images.
    pub fn of_all<S: Shape>(batches: impl IntoIterator<Item = Tensor<S>>) -> Self {
        let mut moments = Moments::default();
        for batch in batches {
            moments = moments.join(Moments::of(batch.as_slice().iter().map(|&x| f64::from(x))));
        }
        Self::of(None, &[moments])
    }

    /// A mean and a deviation for each index of axis `A`: axis 1 of (batch, features) or of (batch, channels, height,
    /// width).
    ///
    /// # Panics
    /// If a run-time size of the axis is not the same in all batches.
    #[track_caller]
    pub fn along_axis<const A: usize, S: HasAxis<A>>(batches: impl IntoIterator<Item = Tensor<S>>) -> Self {
        let mut moments: Vec<Moments> = Vec::new();
        for (i, batch) in batches.into_iter().enumerate() {
            let (size, inner) = groups(batch.shape(), A);
            if i == 0 {
                moments.resize(size, Moments::default());
            }
            assert!(size == moments.len(), "Normalization: axis {A} has another size than in the batches before");
            for (group, moments) in moments.iter_mut().enumerate() {
                let rows = batch.as_slice().chunks_exact((size * inner).max(1));
                let of_group = rows.flat_map(|row| &row[group * inner..][..inner]).map(|&x| f64::from(x));
                *moments = moments.join(Moments::of(of_group));
            }
        }
        Self::of(Some(A), &moments)
    }

    fn of(axis: Option<usize>, moments: &[Moments]) -> Self {
        let deviation = |moments: &Moments| (moments.squares / moments.count.max(1.0)).sqrt();
        Normalization {
            axis,
            means: moments.iter().map(|moments| moments.mean).collect(),
            deviations: moments.iter().map(deviation).collect(),
        }
    }

    /// The means.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The standard deviations.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// Subtracts the means and divides by the deviations; numbers that were constant in training are only shifted.
    ///
    /// # Panics
    /// If the axis has another size than in training.
    #[track_caller]
    pub fn apply<S: Shape>(&self, x: Tensor<S>) -> Tensor<S> {
        let (size, inner) = match self.axis {
            Some(axis) => groups(x.shape(), axis),
            None => (1, x.count()),
        };
        let expected = self.means.len();
        assert!(size == expected, "Normalization: {expected} means were computed, and the axis has size {size}");
        let mut x = x;
        for (i, part) in x.as_mut_slice().chunks_exact_mut(inner.max(1)).enumerate() {
            let (mean, deviation) = (self.means[i % size] as f32, self.deviations[i % size] as f32);
            let deviation = if deviation > 0.0 { deviation } else { 1.0 };
            part.iter_mut().for_each(|x| *x = (*x - mean) / deviation);
        }
        x
    }
}

/// The size of an axis, and how many elements there are for each of its indices and those before it.
#[track_caller]
fn groups(shape: impl Shape, axis: usize) -> (usize, usize) {
    let sizes = shape.sizes();
    let sizes = sizes.as_ref();
    assert!(axis < sizes.len(), "Normalization: there is no axis {axis} in a shape of rank {}", sizes.len());
    (sizes[axis], sizes[axis + 1..].iter().product())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn batches_count_as_one_set() {
        let mut rng = StdRng::seed_from_u64(0);
        let x = Tensor::<(usize, Const<3>, Const<5>)>::normal_with((40, Const, Const), 1000.0, 2.0, &mut rng);
        let whole = Normalization::along_axis::<1, _>([x.clone()]);
        let parts = Normalization::along_axis::<1, _>(x.in_order(7));
        for (a, b) in whole.means().iter().zip(parts.means()) {
            assert!((a - b).abs() < 1e-9 * a.abs());
        }
        for (a, b) in whole.deviations().iter().zip(parts.deviations()) {
            assert!((a - b).abs() < 1e-9 && (a - 2.0).abs() < 0.3, "{a} {b}");
        }
        let all = Normalization::of_all(x.in_order(9));
        let mean: f64 = x.iter().map(f64::from).sum::<f64>() / x.count() as f64;
        assert!((all.means()[0] - mean).abs() < 1e-9 * mean);
        let y = all.apply(x);
        assert!(y.mean().item().abs() < 1e-4);
    }

    #[test]
    fn a_constant_feature_is_only_shifted() {
        let x = Tensor::from([[5.0, 1.0], [5.0, 3.0]]);
        let y = Normalization::along_axis::<1, _>([x.clone()]).apply(x);
        assert_eq!(y.to_array(), [[0.0, -1.0], [0.0, 1.0]]);
    }

    #[test]
    fn channels_of_images_are_normalised_apart() {
        let x = Tensor::<Rank3<2, 2, 3>>::from_fn(|[i, channel, _]| (10 * channel) as f32 + i as f32);
        let y = Normalization::along_axis::<1, _>([x.clone()]).apply(x);
        assert!(y.as_slice()[..6].iter().all(|&y| y == -1.0) && y.as_slice()[6..].iter().all(|&y| y == 1.0));
    }

    #[test]
    #[should_panic(expected = "2 means were computed, and the axis has size 3")]
    fn another_number_of_features_panics() {
        let normalization = Normalization::along_axis::<1, _>([Tensor::<Rank2<4, 2>>::ones()]);
        let _ = normalization.apply(Tensor::<Rank2<4, 3>>::ones());
    }
}
