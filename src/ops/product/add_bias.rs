//! Adding a vector to each row: y = x + b.
//!
//! Shapes: x (rows, N), b (N), where rows are all axes of x but the last. With g the gradient of y:
//!
//! - gradient of x: g
//! - gradient of b: the sum of the rows of g

use crate::kernels::elementwise::{add_row, with_row};
use crate::kernels::reduce::sum_axis;
use crate::memory::Storage;
use crate::shape::{LastAxis, Rank1, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// x + b. See [`Bias`](crate::nn::Bias).
#[track_caller]
pub(crate) fn add_bias<const N: usize, S: LastAxis, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    bias: Tensor<Rank1<N>, E, T>,
) -> Tensor<S, E, T> {
    let rows = x.shape().rows().count();
    let (shape, x, x_trace) = x.into_parts();
    let (_, bias, bias_trace) = bias.into_parts();
    let y = sum(x, bias.as_slice());
    let node = record([x_trace.node(), bias_trace.node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 2>| {
            parents.write(1, N, |out, store| sum_axis(g.as_slice(), (1, rows, N), out, store));
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// In place if x is not shared: nothing is saved for the backward pass.
fn sum<E: Float>(mut x: Storage<E>, bias: &[E]) -> Storage<E> {
    if x.is_unique() {
        add_row(x.make_mut(), bias);
        return x;
    }
    let mut y = Storage::scratch(x.len());
    with_row(x.as_slice(), bias, y.make_mut());
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut rng = StdRng::seed_from_u64(0);
        let bias = Tensor::<Rank1<3>, f64>::randn(&mut rng);
        let run = |(x, b)| add_bias(x, b);
        check_gradients(run, (Tensor::<Rank1<3>, f64>::randn(&mut rng), bias.clone())).unwrap();
        for rows in [0, 1, 4] {
            let x = Tensor::normal_with((rows, Const::<2>, Const::<3>), 0.0, 1.0, &mut rng);
            check_gradients(|(x, b)| add_bias(x, b), (x, bias.clone())).unwrap();
        }
    }
}
