//! Principal components: the directions in which points vary most.
//!
//! With the points as rows of X, minus their mean, the directions are the leading eigenvectors of X^T X. A point's code
//! is its coordinates along them, and mean + code V is the nearest point in their plane: of all linear codes of this
//! length, the one with the smallest squared error.

use crate::numbers::{Generator, symmetric_eigen};
use crate::shape::{Const, Dim};
use crate::tensor::Tensor;
use rand::RngExt;

type Matrix = Tensor<(usize, usize), f64>;

/// The number of multiplications by the matrix after which the directions are accepted: if points vary by nearly as
/// much in many directions, it does not matter which of them are chosen.
const MOST_MULTIPLICATIONS: usize = 1000;
/// The number of multiplications between checks of the eigenvalues.
const ROUND: usize = 10;

/// The first `N` principal components of points of `D` dimensions.
///
/// Each direction has length 1, and its largest entry is positive. If the points vary in fewer than `N` directions, the
/// others are 0. If any number is infinite or NaN, everything is NaN. Computed in `f64`; the same points give the same
/// directions, whatever the number of threads.
///
/// Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901. The eigenvectors of a small
/// matrix are found by Jacobi's rotations, those of a large one by simultaneous iteration (Golub and Van Loan, "Matrix
/// Computations", sections 8.2.4 and 8.5).
///
/// ```
/// use taut::prelude::*;
/// use taut::data::Pca;
/// // on a line through (3, 6)
/// let points = Tensor::from([[0.0, 2.0], [3.0, 6.0], [6.0, 10.0]]);
/// let pca = Pca::<1, _>::fit([points.clone()]);
/// let codes: Tensor<Rank2<3, 1>> = pca.transform(points.clone());
/// assert!((codes[[2, 0]] - 5.0).abs() < 1e-6 && (pca.explained() - 1.0).abs() < 1e-6);
/// let back: Tensor<Rank2<3, 2>> = pca.restore(codes);
/// assert!(back.mean_squared_error(&points).item() < 1e-10);
/// ```
#[derive(Clone, Debug)]
pub struct Pca<const N: usize, D: Dim> {
    mean: Tensor<(D,)>,
    directions: Tensor<(Const<N>, D)>,
    variances: Tensor<(Const<N>,)>,
    total_variance: f64,
}

impl<const N: usize, D: Dim> Pca<N, D> {
    /// The components of all points of these batches. The points need not fit into memory: at most as many as there are
    /// dimensions are kept, plus a matrix of dimensions x dimensions if there are more.
    ///
    /// # Panics
    /// If there are no points, or a batch's points have another number of dimensions.
    #[track_caller]
    pub fn fit<B: Dim>(batches: impl IntoIterator<Item = Tensor<(B, D)>>) -> Self {
        let mut moments: Option<(D, Moments)> = None;
        for batch in batches {
            let (count, dimension) = batch.shape();
            let (first, moments) = moments.get_or_insert_with(|| (dimension, Moments::new(dimension.size())));
            if dimension != *first {
                let (found, expected) = (dimension.size(), first.size());
                panic!("Pca: points of {found} dimensions among points of {expected}");
            }
            moments.add(count.size(), batch.as_slice());
        }
        let Some((dimension, moments)) = moments.filter(|(_, moments)| moments.count > 0) else {
            panic!("Pca: there are no points");
        };
        let size = dimension.size();
        let count = moments.count;
        let found = moments.components(N);
        let mut directions = vec![0.0; N * size];
        let mut variances = vec![0.0; N];
        let divisor = (count - 1).max(1) as f64;
        for (place, (value, vector)) in found.eigen.iter().enumerate() {
            let larger = |far: f64, &x: &f64| if x.abs() > far.abs() { x } else { far };
            let sign = vector.iter().fold(0.0, larger).signum();
            variances[place] = (value / divisor) as f32;
            let direction = &mut directions[place * size..][..size];
            direction.iter_mut().zip(vector).for_each(|(out, x)| *out = (x * sign) as f32);
        }
        let mean: Vec<f32> = found.mean.iter().map(|&x| x as f32).collect();
        if !found.total.is_finite() {
            directions.fill(f32::NAN);
            variances.fill(f32::NAN);
        }
        Pca {
            mean: Tensor::from_vec(mean, (dimension,)).expect("a mean for each dimension"),
            directions: Tensor::from_vec(directions, (Const, dimension)).expect("N directions"),
            variances: Tensor::from_vec(variances, (Const,)).expect("N variances"),
            total_variance: found.total / divisor,
        }
    }

    /// The mean of the points: (D).
    pub fn mean(&self) -> &Tensor<(D,)> {
        &self.mean
    }

    /// The directions, by decreasing variance: (N, D).
    pub fn directions(&self) -> &Tensor<(Const<N>, D)> {
        &self.directions
    }

    /// The variance of the points along each direction (N), divided by their number minus one.
    pub fn variances(&self) -> &Tensor<(Const<N>,)> {
        &self.variances
    }

    /// The fraction of the variance explained by the directions. 1 if all points are equal.
    pub fn explained(&self) -> f64 {
        match self.total_variance {
            0.0 => 1.0,
            total => self.variances.iter().map(f64::from).sum::<f64>() / total,
        }
    }

    /// The codes of points: their coordinates along the directions, relative to the mean. Shapes: (B, D) to (B, N).
    ///
    /// # Panics
    /// If the points have another number of dimensions.
    #[track_caller]
    pub fn transform<B: Dim>(&self, points: Tensor<(B, D)>) -> Tensor<(B, Const<N>)> {
        let (batch, dimension) = points.shape();
        let mut centred = points;
        let size = dimension.size();
        if dimension == self.mean.shape().0 && size > 0 {
            for point in centred.as_mut_slice().chunks_exact_mut(size) {
                point.iter_mut().zip(self.mean.as_slice()).for_each(|(x, mean)| *x -= mean);
            }
        }
        let codes = centred.matmul(self.directions.clone().transpose());
        codes.reshape_with((batch, Const))
    }

    /// Reconstructs points from codes: mean + code x directions. Shapes: (B, N) to (B, D).
    #[track_caller]
    pub fn restore<B: Dim>(&self, codes: Tensor<(B, Const<N>)>) -> Tensor<(B, D)> {
        let mut points = codes.matmul(self.directions.clone());
        let size = points.shape().1.size();
        if size > 0 {
            for point in points.as_mut_slice().chunks_exact_mut(size) {
                point.iter_mut().zip(self.mean.as_slice()).for_each(|(x, mean)| *x += mean);
            }
        }
        points
    }
}

/// Sums over the points seen so far.
struct Moments {
    size: usize,
    count: usize,
    /// Subtracted from each point before multiplication, to limit rounding errors: the mean of the first points.
    shift: Vec<f64>,
    /// The sum of the shifted points multiplied so far.
    sum: Vec<f64>,
    /// X^T X of these, once there are more points than dimensions.
    product: Option<Matrix>,
    /// The points not multiplied yet, row by row.
    waiting: Vec<f64>,
}

/// The result of [`Moments`].
struct Components {
    mean: Vec<f64>,
    /// The sum of the squared distances from the mean.
    total: f64,
    /// Eigenvalues of the centred X^T X that are not 0, with their vectors.
    eigen: Vec<(f64, Vec<f64>)>,
}

impl Moments {
    fn new(size: usize) -> Self {
        Moments { size, count: 0, shift: Vec::new(), sum: vec![0.0; size], product: None, waiting: Vec::new() }
    }

    fn add(&mut self, count: usize, points: &[f32]) {
        self.count += count;
        for point in points.chunks_exact(self.size.max(1)) {
            self.waiting.extend(point.iter().map(|&x| f64::from(x)));
            if self.waiting.len() > self.size * self.size {
                self.multiply();
            }
        }
    }

    /// Adds the waiting points to the sums.
    fn multiply(&mut self) {
        let rows = self.waiting.len() / self.size;
        if self.product.is_none() {
            self.shift = mean_of(&self.waiting, self.size);
        }
        shift(&mut self.waiting, &self.shift);
        for row in self.waiting.chunks_exact(self.size) {
            self.sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let x = Matrix::from_vec(std::mem::take(&mut self.waiting), (rows, self.size)).expect("whole rows");
        let product = x.clone().transpose().matmul(x);
        self.product = Some(match self.product.take() {
            Some(sum) => sum + product,
            None => product,
        });
    }

    fn components(mut self, wanted: usize) -> Components {
        if self.size == 0 {
            return Components { mean: Vec::new(), total: 0.0, eigen: Vec::new() };
        }
        if self.product.is_none() {
            return few(self.waiting, self.size, wanted);
        }
        if !self.waiting.is_empty() {
            self.multiply();
        }
        let mut product = self.product.expect("the points were multiplied");
        let count = self.count as f64;
        for (i, row) in product.as_mut_slice().chunks_exact_mut(self.size).enumerate() {
            row.iter_mut().zip(&self.sum).for_each(|(x, sum)| *x -= self.sum[i] * sum / count);
        }
        let mean = self.shift.iter().zip(&self.sum).map(|(shift, sum)| shift + sum / count).collect();
        let (total, eigen) = largest(product, wanted);
        Components { mean, total, eigen }
    }
}

/// No more points than dimensions: X X^T has the same nonzero eigenvalues as X^T X, and X^T times its eigenvectors,
/// divided by the square roots, are those of X^T X.
fn few(mut points: Vec<f64>, size: usize, wanted: usize) -> Components {
    let mean = mean_of(&points, size);
    shift(&mut points, &mean);
    let count = points.len() / size;
    let x = Matrix::from_vec(points, (count, size)).expect("whole rows");
    let (total, eigen) = largest(x.clone().matmul(x.clone().transpose()), wanted);
    let back = |(value, vector): (f64, Vec<f64>)| {
        let vector = Tensor::from_vec(vector, (1, count)).expect("a number for each point");
        (value, (vector.matmul(x.clone()) / value.sqrt()).to_vec())
    };
    Components { mean, total, eigen: eigen.into_iter().map(back).collect() }
}

fn mean_of(points: &[f64], size: usize) -> Vec<f64> {
    let mut mean = vec![0.0; size];
    for point in points.chunks_exact(size) {
        mean.iter_mut().zip(point).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= (points.len() / size) as f64);
    mean
}

fn shift(points: &mut [f64], by: &[f64]) {
    for point in points.chunks_exact_mut(by.len()) {
        point.iter_mut().zip(by).for_each(|(x, shift)| *x -= shift);
    }
}

/// The sum of all eigenvalues of a symmetric matrix without negative ones, and the largest `wanted` with their vectors
/// of length 1, the largest first; without those that are 0 up to rounding.
fn largest(matrix: Matrix, wanted: usize) -> (f64, Vec<(f64, Vec<f64>)>) {
    let size = matrix.shape().0;
    let total: f64 = (0..size).map(|i| matrix[[i, i]]).sum();
    if !total.is_finite() {
        return (total, Vec::new());
    }
    let block = wanted + (wanted / 2).max(16);
    let mut eigen = if 2 * block < size { simultaneous_iteration(&matrix, wanted, block) } else { jacobi(matrix) };
    eigen.truncate(wanted);
    eigen.retain(|(value, _)| *value > 1e-12 * total);
    (total, eigen)
}

/// The largest eigenvalues of a large symmetric matrix. The rows of a block are multiplied by the matrix and made
/// orthogonal again and again; within the space that they span, rotations find the vectors. The part of a vector that
/// is outside of the first `wanted` ones fades by their eigenvalue over that of the vector after the block, each time.
fn simultaneous_iteration(matrix: &Matrix, wanted: usize, block: usize) -> Vec<(f64, Vec<f64>)> {
    let size = matrix.shape().0;
    let mut rng = Generator::new(0);
    let mut rows = Matrix::from_fn_with((block, size), |_| rng.random_range(-1.0..1.0));
    let mut before: Vec<f64> = vec![0.0; wanted];
    for _ in 0..MOST_MULTIPLICATIONS / ROUND {
        for _ in 0..ROUND {
            rows = rows.matmul(matrix.clone());
            orthonormalize(rows.as_mut_slice(), size);
        }
        let within = jacobi(rows.clone().matmul(matrix.clone()).matmul(rows.clone().transpose()));
        let values: Vec<f64> = within.iter().take(wanted).map(|(value, _)| *value).collect();
        let turn: Vec<f64> = within.into_iter().flat_map(|(_, vector)| vector).collect();
        rows = Matrix::from_vec(turn, (block, block)).expect("a vector for each row").matmul(rows);
        let change: f64 = values.iter().zip(&before).map(|(value, before)| (value - before).abs()).sum();
        let close = change <= 1e-12 * values.iter().sum::<f64>();
        before = values;
        if close {
            break;
        }
    }
    before.into_iter().zip(rows.as_slice().chunks_exact(size).map(<[f64]>::to_vec)).collect()
}

/// Makes each row orthogonal to those before it, and of length 1: the Gram-Schmidt method, applied twice because of
/// rounding. A row that depends on those before it becomes 0.
fn orthonormalize(rows: &mut [f64], size: usize) {
    for i in 0..rows.len() / size {
        let (done, rest) = rows.split_at_mut(i * size);
        let row = &mut rest[..size];
        let length = dot(row, row).sqrt();
        for _ in 0..2 {
            for other in done.chunks_exact(size) {
                let along = dot(row, other);
                row.iter_mut().zip(other).for_each(|(x, other)| *x -= along * other);
            }
        }
        let left = dot(row, row).sqrt();
        let scale = if left > 1e-13 * length { left.recip() } else { 0.0 };
        row.iter_mut().for_each(|x| *x *= scale);
    }
}

/// The dot product, as eight partial sums that the processor adds in parallel.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 8];
    for (a, b) in a.zip(b) {
        for (sum, (x, y)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// All eigenvalues, the largest first, with their eigenvectors.
fn jacobi(matrix: Matrix) -> Vec<(f64, Vec<f64>)> {
    let size = matrix.shape().0;
    symmetric_eigen(matrix.to_vec(), size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn points_of_known_directions() {
        // 3 u, 2 v, 1 w on both sides of a middle, for orthogonal directions of length 1
        let (u, v, w) = ([0.6, 0.8, 0.0, 0.0], [-0.8, 0.6, 0.0, 0.0], [0.0, 0.0, 0.6, -0.8]);
        let mut points: Vec<f32> = Vec::new();
        for (direction, length) in [(u, 3.0), (v, 2.0), (w, 1.0)] {
            for sign in [1.0, -1.0] {
                points.extend(direction.map(|x| 5.0 + sign * length * x));
            }
        }
        let expected: [[f32; 2]; 6] = [[3.0, 0.0], [-3.0, 0.0], [0.0, -2.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]];
        // with more points than dimensions; and with fewer, in 8 dimensions of which 4 are always the same
        let wide: Vec<f32> = points.chunks(4).flat_map(|point| point.iter().chain(&[7.0; 4])).copied().collect();
        for (points, dimension) in [(points, 4), (wide, 8)] {
            let points = Tensor::from_vec(points, (6, dimension)).unwrap();
            let pca = Pca::<2, _>::fit([points.clone()]);
            let places = pca.transform(points);
            for (i, expected) in expected.iter().enumerate() {
                for (k, expected) in expected.iter().enumerate() {
                    assert!((places[[i, k]] - expected).abs() < 1e-5, "point {i}, component {k}: {places}");
                }
            }
            assert!((pca.explained() - 26.0 / 28.0).abs() < 1e-6);
            assert!((pca.variances()[[0]] - 18.0 / 5.0).abs() < 1e-5);
        }
    }

    /// Points in `dimension` directions, with less variance in each than in the one before.
    fn ellipsoid(count: usize, dimension: usize, fall: f32, seed: u64) -> Tensor<(usize, usize)> {
        let mut rng = StdRng::seed_from_u64(seed);
        let turn = Tensor::<(usize, usize)>::normal_with((dimension, dimension), 0.0, 1.0, &mut rng);
        let round = Tensor::<(usize, usize)>::normal_with((count, dimension), 0.0, 1.0, &mut rng);
        let long = Tensor::from_fn_with((count, dimension), |[i, k]| round[[i, k]] * fall.powi(k as i32));
        long.matmul(turn) + 3.0
    }

    #[test]
    fn directions_are_orthogonal_and_what_is_left_is_what_they_do_not_explain() {
        // small and large matrices, more points than dimensions and fewer
        for (count, dimension) in [(50, 7), (300, 120), (60, 120), (500, 90), (8, 8)] {
            let points = ellipsoid(count, dimension, 0.9, 1);
            let pca = Pca::<5, _>::fit([points.clone()]);
            let directions = pca.directions().clone();
            let products = directions.clone().matmul(directions.transpose());
            for i in 0..5 {
                for j in 0..5 {
                    assert!((products[[i, j]] - f32::from(u8::from(i == j))).abs() < 1e-5, "{count} {dimension}");
                }
            }
            let codes = pca.transform(points.clone());
            let squares = |x: Tensor<(usize, usize)>| x.square().to_vec().iter().map(|&x| f64::from(x)).sum::<f64>();
            let all = squares(Tensor::from_fn_with(points.shape(), |[i, k]| points[[i, k]] - pca.mean()[[k]]));
            let left = squares(pca.restore(codes) - points);
            assert!((left / all - (1.0 - pca.explained())).abs() < 1e-5, "{count} {dimension}: {left} of {all}");
        }
    }

    #[test]
    fn large_and_small_matrices_have_the_same_directions() {
        let points = ellipsoid(400, 100, 0.9, 2).cast::<f64>();
        let matrix = points.clone().transpose().matmul(points);
        let (exact, iterated) = (jacobi(matrix.clone()), simultaneous_iteration(&matrix, 6, 22));
        for ((value, vector), (other, iterated)) in exact.iter().zip(&iterated) {
            assert!((value - other).abs() < 1e-9 * value);
            assert!((dot(vector, iterated).abs() - 1.0).abs() < 1e-9);
        }
        assert_eq!(iterated.len(), 6);
    }

    #[test]
    fn batches_are_as_good_as_all_at_once() {
        let points = ellipsoid(200, 10, 0.7, 3);
        let once = Pca::<3, _>::fit([points.clone()]);
        let batches = Pca::<3, _>::fit(points.in_order(7));
        assert!((once.directions().clone() - batches.directions().clone()).abs().to_vec().iter().all(|&x| x < 1e-5));
        assert!((once.mean().clone() - batches.mean().clone()).abs().to_vec().iter().all(|&x| x < 1e-5));
        assert!((once.explained() - batches.explained()).abs() < 1e-9);
    }

    #[test]
    fn points_that_do_not_differ() {
        let same = Tensor::<(usize, usize)>::full_with((3, 4), 2.0);
        let pca = Pca::<2, _>::fit([same.clone()]);
        assert_eq!(pca.transform(same.clone()).to_vec(), [0.0; 6]);
        assert_eq!(pca.restore(Tensor::zeros_with((3, Const))).to_vec(), same.to_vec());
        let nothing = Tensor::<(usize, usize)>::zeros_with((2, 0));
        assert_eq!(Pca::<2, _>::fit([nothing.clone()]).transform(nothing).to_vec(), [0.0; 4]);
    }

    #[test]
    #[should_panic(expected = "Pca: there are no points")]
    fn points_that_are_not_there() {
        let _ = Pca::<2, _>::fit([Tensor::<(usize, Const<3>)>::zeros_with((0, Const))]);
    }

    #[test]
    #[should_panic(expected = "Pca: points of 4 dimensions among points of 3")]
    fn points_of_different_spaces() {
        let _ = Pca::<2, _>::fit([3, 4].map(|dimension| Tensor::<(usize, usize)>::zeros_with((2, dimension))));
    }

    #[test]
    fn points_that_are_nowhere() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let points = Tensor::from_vec(vec![1.0, 2.0, x, 4.0, 5.0, 7.0], (3, Const::<2>)).unwrap();
            let pca = Pca::<2, _>::fit([points.clone()]);
            assert!(pca.transform(points).iter().all(f32::is_nan), "{x}");
        }
    }
}
