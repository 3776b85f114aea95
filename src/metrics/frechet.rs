//! How far apart two sets of points lie.

use crate::numbers::symmetric_eigen;
use crate::shape::Dim;
use crate::tensor::{Float, Tensor};

type Matrix = Tensor<(usize, usize), f64>;

/// The Fréchet distance of the normal distributions with the means m and covariances C of two sets of points:
///
/// |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1^1/2 C_2 C_1^1/2)^1/2)
///
/// It is 0 for equal means and covariances. If the points are a network's features of images, it says how close
/// generated images are to real ones; with features of Inception v3, it is the Fréchet Inception distance. Fewer points
/// give larger distances: compare equal numbers of points. The covariances are divided by one less than the points, as
/// `numpy.cov` does. Computed in `f64`; the eigenvalues of two matrices of D x D are found by Jacobi's rotations,
/// quickly for a few hundred features. NaN for fewer than two points, or if a number is infinite or NaN.
///
/// Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, "GANs Trained by a Two Time-Scale Update Rule Converge to a
/// Local Nash Equilibrium", 2017; Dowson and Landau, "The Fréchet Distance between Multivariate Normal Distributions",
/// 1982.
///
/// # Panics
/// If run-time dimensions of the points disagree.
///
/// ```
/// use taut::metrics::frechet_distance;
/// use taut::prelude::*;
/// let square = Tensor::from([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]);
/// let further = square.clone() + 3.0;
/// let larger = square.clone() * 2.0 - 1.0; // the deviation of each axis was 1.15
/// assert!((frechet_distance(&square, &further) - 18.0).abs() < 1e-6);
/// assert!((frechet_distance(&square, &larger) - 2.0 * 4.0 / 3.0).abs() < 1e-6);
/// ```
#[doc(alias = "FID")]
#[track_caller]
pub fn frechet_distance<N: Dim, M: Dim, D: Dim, E: Float>(a: &Tensor<(N, D), E>, b: &Tensor<(M, D), E>) -> f64 {
    let [of_a, of_b] = [a.shape().1.size(), b.shape().1.size()];
    assert!(of_a == of_b, "frechet_distance: points of {of_a} dimensions and points of {of_b}");
    let (a, b) = (Normal::of(a), Normal::of(b));
    let apart: f64 = a.mean.iter().zip(&b.mean).map(|(a, b)| (a - b) * (a - b)).sum();
    let trace = a.trace() + b.trace();
    if !(apart + trace).is_finite() {
        return f64::NAN;
    }
    // not below 0 but for rounding
    (apart + trace - 2.0 * a.common(&b)).max(0.0)
}

/// The normal distribution of points.
struct Normal {
    mean: Vec<f64>,
    covariance: Matrix,
}

impl Normal {
    fn of<N: Dim, D: Dim, E: Float>(points: &Tensor<(N, D), E>) -> Self {
        let (count, size) = (points.shape().0.size(), points.shape().1.size());
        let numbers = points.iter().map(|number| number.as_f64()).collect();
        let points = Matrix::from_vec(numbers, (count, size)).expect("a number for each");
        let mean = points.clone().mean_axis::<0>().to_vec();
        let centred = Tensor::from_fn_with((count, size), |[i, k]| points[[i, k]] - mean[k]);
        let covariance = centred.clone().transpose().matmul(centred) / (count as f64 - 1.0).max(0.0);
        Normal { mean, covariance }
    }

    fn trace(&self) -> f64 {
        (0..self.mean.len()).map(|i| self.covariance[[i, i]]).sum()
    }

    /// tr((C_1^1/2 C_2 C_1^1/2)^1/2). The matrix under the root is symmetric, unlike C_1 C_2, which has the same
    /// eigenvalues.
    fn common(&self, other: &Normal) -> f64 {
        let size = self.mean.len();
        let parts = symmetric_eigen(self.covariance.to_vec(), size);
        let vectors: Vec<f64> = parts.iter().flat_map(|(_, vector)| vector.iter().copied()).collect();
        let vectors = Matrix::from_vec(vectors, (size, size)).expect("a vector for each axis");
        let roots = |[i, k]: [usize; 2]| parts[i].0.max(0.0).sqrt() * vectors[[i, k]];
        let half = vectors.clone().transpose().matmul(Matrix::from_fn_with((size, size), roots));
        let product = half.clone().matmul(other.covariance.clone()).matmul(half);
        symmetric_eigen(product.to_vec(), size).iter().map(|(value, _)| value.max(0.0).sqrt()).sum()
    }
}
