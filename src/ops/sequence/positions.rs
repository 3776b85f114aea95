//! Adding the vector of its position to each step of a sequence: y_btf = x_btf + p_tf.
//!
//! Shapes: x and y (B, L, F), p (P, F) with at least L rows. With g the gradient of y:
//!
//! - gradient of x: g
//! - gradient of p: the sum of g over the batch, and 0 for positions that no sequence has

use crate::kernels::elementwise::add_row;
use crate::kernels::reduce::sum_axis;
use crate::memory::Storage;
use crate::shape::{Dim, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};

/// x + p, at each step. The caller has checked that p fits.
#[track_caller]
pub(crate) fn add_positions<B: Dim, L: Dim, F: Dim, P: Dim, G: Dim, E: Float, T: Trace + Merge<R>, R: Trace>(
    x: Tensor<(B, L, F), E, T>,
    positions: Tensor<(P, G), E, R>,
) -> Tensor<(B, L, F), E, Merged<T, R>> {
    let (shape, mut y, x_trace) = x.into_parts();
    let (of_positions, p, p_trace) = positions.into_parts();
    let (batch, used) = (shape.0.size(), shape.1.size() * shape.2.size());
    // in place if x is not shared: nothing is saved for the backward pass
    add_row(y.make_mut(), &p.as_slice()[..used]);
    let node = record([x_trace.node(), p_trace.node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 2>| {
            parents.write(1, of_positions.count(), |out: &mut [E], store| {
                let (out, unused) = out.split_at_mut(used);
                sum_axis(g.as_slice(), (1, batch, used), out, store);
                store.clear(unused);
            });
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, y, Merged::<T, R>::from_node(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let rng = &mut StdRng::seed_from_u64(0);
        for shape in [(2_usize, 3_usize, 4_usize), (3, 1, 2), (0, 2, 2), (2, 0, 3), (1, 5, 3)] {
            let x = Tensor::<_, f64>::normal_with(shape, 0.0, 1.0, rng);
            let p = Tensor::<_, f64>::normal_with((5_usize, shape.2), 0.0, 1.0, rng);
            check_gradients(|(x, p)| add_positions(x, p), (x.clone(), p.clone())).unwrap();
            // used twice, so that gradients are summed
            check_gradients(|(x, p)| add_positions(add_positions(x, p.clone()), p), (x, p)).unwrap();
        }
    }
}
