//! Eigenvalues of symmetric matrices.

/// The rotations converge quadratically: this many rounds are never needed.
const MOST_ROTATIONS: usize = 60;

/// All eigenvalues of a symmetric matrix, given row by row, the largest first, with their eigenvectors of length 1. By
/// Jacobi's rotations, each of which makes one entry off the diagonal 0.
pub fn symmetric_eigen(mut a: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    let mut vectors: Vec<f64> = (0..size * size).map(|i| if i / size == i % size { 1.0 } else { 0.0 }).collect();
    for _ in 0..MOST_ROTATIONS {
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
    use crate::numbers::Generator;
    use rand::RngExt;

    /// A = V^T diag(values) V, and V V^T = 1, for matrices of every size up to 40, also with equal values and zeros.
    #[test]
    fn the_parts_make_the_matrix() {
        let mut rng = Generator::new(0);
        for size in (0..10).chain([17, 40]) {
            let mut matrix = vec![0.0; size * size];
            for i in 0..size {
                for j in 0..i {
                    matrix[i * size + j] = rng.random_range(-1.0..1.0);
                    matrix[j * size + i] = matrix[i * size + j];
                }
                matrix[i * size + i] = if i % 3 == 0 { 0.0 } else { 2.0 };
            }
            let parts = symmetric_eigen(matrix.clone(), size);
            assert!(parts.is_sorted_by(|a, b| a.0 >= b.0) && parts.len() == size);
            for i in 0..size {
                for j in 0..size {
                    let entry: f64 = parts.iter().map(|(value, vector)| value * vector[i] * vector[j]).sum();
                    assert!((entry - matrix[i * size + j]).abs() < 1e-12, "size {size}");
                    let product: f64 = parts[i].1.iter().zip(&parts[j].1).map(|(a, b)| a * b).sum();
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12, "size {size}");
                }
            }
        }
    }
}
