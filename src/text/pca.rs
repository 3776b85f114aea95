//! Principal components: points of many dimensions in a few that one can draw.

use crate::shape::Const;
use crate::tensor::Tensor;

/// The rotations converge quadratically: so many rounds are never needed.
const MOST_ROUNDS: usize = 60;

/// The places of points along the `N` directions in which they differ most: X V, for the centred points X and the first
/// eigenvectors V of X^T X. The sign of each direction is such that the point farthest from the middle is on its positive
/// side. Directions in which the points do not differ give 0; if any number is infinite or NaN, all places are NaN.
///
/// Shapes: (points, dimensions) to (points, `N`). The time grows with the third power of the smaller of the two. Computed in
/// `f64`; the same points give the same places. Pearson, "On Lines and Planes of Closest Fit to Systems of Points in
/// Space", 1901.
///
/// ```
/// use taut::prelude::*;
/// use taut::text::principal_components;
/// // on a line, 5 apart
/// let points = Tensor::from_vec(vec![0.0, 1.0, 3.0, 5.0, 9.0, 13.0], (3, 2)).unwrap();
/// let places: Tensor<(usize, Const<2>)> = principal_components(&points);
/// let (first, last) = (places[[0, 0]], places[[2, 0]]);
/// assert!(((last - first).abs() - 15.0).abs() < 1e-5);
/// ```
pub fn principal_components<const N: usize>(points: &Tensor<(usize, usize)>) -> Tensor<(usize, Const<N>)> {
    let (count, dimension) = points.shape();
    let mut x: Vec<f64> = points.iter().map(f64::from).collect();
    if !x.iter().all(|x| x.is_finite()) {
        return Tensor::full_with((count, Const), f32::NAN);
    }
    for column in 0..dimension {
        let mean = x.iter().skip(column).step_by(dimension).sum::<f64>() / count as f64;
        x.iter_mut().skip(column).step_by(dimension).for_each(|x| *x -= mean);
    }
    // X X^T has the same eigenvalues as X^T X, but for zeros; its eigenvectors times their roots are X V already
    let by_points = count < dimension;
    let size = count.min(dimension);
    let entry = |place: usize| -> f64 {
        let (i, j) = (place / size, place % size);
        match by_points {
            true => (0..dimension).map(|k| x[i * dimension + k] * x[j * dimension + k]).sum(),
            false => (0..count).map(|k| x[k * dimension + i] * x[k * dimension + j]).sum(),
        }
    };
    let eigen = eigenvectors((0..size * size).map(entry).collect(), size);
    let negligible = 1e-12 * eigen.iter().map(|(value, _)| value).sum::<f64>();
    let mut places = vec![0.0; count * N];
    for (component, (value, vector)) in eigen.iter().take(N).enumerate().filter(|(_, (value, _))| *value > negligible) {
        let place = |point: usize| -> f64 {
            match by_points {
                true => vector[point] * value.sqrt(),
                false => vector.iter().enumerate().map(|(k, v)| x[point * dimension + k] * v).sum(),
            }
        };
        let along: Vec<f64> = (0..count).map(place).collect();
        let farthest = along.iter().copied().fold(0.0, |far: f64, x| if x.abs() > far.abs() { x } else { far });
        along.iter().enumerate().for_each(|(i, x)| places[i * N + component] = (x * farthest.signum()) as f32);
    }
    Tensor::from_vec(places, (count, Const)).expect("N numbers for each point")
}

/// The eigenvalues of a symmetric matrix, the largest first, with their eigenvectors of length 1. By Jacobi's rotations,
/// each of which makes one entry beside the diagonal 0.
fn eigenvectors(mut a: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    let mut vectors: Vec<f64> = (0..size * size).map(|i| if i / size == i % size { 1.0 } else { 0.0 }).collect();
    for _ in 0..MOST_ROUNDS {
        let square = |(place, x): (usize, &f64)| if place / size == place % size { [x * x, 0.0] } else { [0.0, x * x] };
        let [on, beside] = a.iter().enumerate().map(square).fold([0.0, 0.0], |[a, b], [c, d]| [a + c, b + d]);
        if beside <= 1e-30 * on {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                let entry = a[p * size + q];
                if entry == 0.0 {
                    continue;
                }
                let theta = (a[q * size + q] - a[p * size + p]) / (2.0 * entry);
                let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                let sine = tangent * cosine;
                let rotate = |matrix: &mut [f64], i: usize, j: usize| {
                    (matrix[i], matrix[j]) =
                        (cosine * matrix[i] - sine * matrix[j], sine * matrix[i] + cosine * matrix[j]);
                };
                for k in 0..size {
                    rotate(&mut a, k * size + p, k * size + q);
                }
                for k in 0..size {
                    rotate(&mut a, p * size + k, q * size + k);
                    rotate(&mut vectors, p * size + k, q * size + k);
                }
            }
        }
    }
    let value = |i: usize| a[i * size + i];
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&i, &j| value(j).total_cmp(&value(i)));
    order.into_iter().map(|i| (value(i), vectors[i * size..][..size].to_vec())).collect()
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
        let expected: [[f32; 2]; 6] = [[3.0, 0.0], [-3.0, 0.0], [0.0, 2.0], [0.0, -2.0], [0.0, 0.0], [0.0, 0.0]];
        // with more points than dimensions; and with fewer, in 8 dimensions of which 4 are always the same
        let wide: Vec<f32> = points.chunks(4).flat_map(|point| point.iter().chain(&[7.0; 4])).copied().collect();
        for (points, dimension) in [(points, 4), (wide, 8)] {
            let points = Tensor::from_vec(points, (6, dimension)).unwrap();
            let places = principal_components::<2>(&points);
            for (i, expected) in expected.iter().enumerate() {
                for (k, expected) in expected.iter().enumerate() {
                    // which of two points as far from the middle is on the positive side is open
                    assert!((places[[i, k]].abs() - expected.abs()).abs() < 1e-5, "point {i}, component {k}: {places}");
                }
            }
            assert!(places[[0, 0]] * places[[1, 0]] < 0.0 && places[[2, 1]] * places[[3, 1]] < 0.0);
        }
    }

    #[test]
    fn components_are_uncorrelated_and_hold_what_the_points_differ_by() {
        let points = Tensor::<(usize, usize)>::normal_with((50, 7), 1.0, 2.0, &mut StdRng::seed_from_u64(0));
        let places = principal_components::<7>(&points).to_vec();
        let product =
            |i: usize, j: usize| (0..50).map(|k| f64::from(places[k * 7 + i] * places[k * 7 + j])).sum::<f64>();
        let total: f64 = (0..7).map(|i| product(i, i)).sum();
        for i in 0..7 {
            for j in 0..i {
                assert!(product(i, j).abs() < 1e-4 * total);
            }
            assert!(i == 0 || product(i, i) <= product(i - 1, i - 1));
        }
        let middle = points.clone().mean_axis::<0>();
        let spread: f32 = points
            .to_vec()
            .chunks(7)
            .flat_map(|row| row.iter().zip(middle.iter()))
            .map(|(x, m)| (x - m) * (x - m))
            .sum();
        assert!((total - f64::from(spread)).abs() < 1e-4 * total);
    }

    #[test]
    fn points_that_do_not_differ_or_are_not_there() {
        let same = Tensor::<(usize, usize)>::full_with((3, 4), 2.0);
        assert_eq!(principal_components::<2>(&same).to_vec(), [0.0; 6]);
        assert_eq!(principal_components::<2>(&Tensor::zeros_with((0, 4))).count(), 0);
        assert_eq!(principal_components::<2>(&Tensor::zeros_with((2, 0))).to_vec(), [0.0; 4]);
    }

    #[test]
    fn points_that_are_nowhere() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let points = Tensor::from_vec(vec![1.0, 2.0, x, 4.0, 5.0, 7.0], (3, 2)).unwrap();
            assert!(principal_components::<2>(&points).iter().all(f32::is_nan), "{x}");
        }
    }
}
