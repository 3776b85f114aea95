//! The rectified linear unit with trainable slopes: y = x where x > 0, a x elsewhere, with a slope a for each channel.
//!
//! Shapes: x and y (outer, channels, inner), a (channels). With g the gradient of y:
//!
//! - gradient of x: g where x > 0, a g elsewhere
//! - gradient of a: the sum of g x where x is not positive, over outer and inner
//!
//! He et al., "Delving Deep into Rectifiers", 2015.

use crate::kernels::prelu::{scale_negative, slope_gradient};
use crate::memory::Storage;
use crate::shape::{Rank1, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// See [`PRelu`](crate::nn::PRelu). Each channel has runs of `inner` numbers.
#[track_caller]
pub(crate) fn prelu<const C: usize, S: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    slopes: Tensor<Rank1<C>, E, T>,
    inner: usize,
) -> Tensor<S, E, T> {
    let (shape, x, x_trace) = x.into_parts();
    let (_, slopes, slopes_trace) = slopes.into_parts();
    let nodes = [x_trace.node(), slopes_trace.node()];
    let saved = nodes.iter().flatten().any(|node| node.needs_gradient()).then(|| x.clone());
    let mut y = x;
    scale_negative(y.make_mut(), None, slopes.as_slice(), inner);
    let node = record(nodes, |_| {
        let x = saved.expect("x is kept where a gradient is wanted");
        move |mut g: Storage<E>, parents: &mut Parents<'_, 2>| {
            let x = x.as_slice();
            parents.write(1, C, |out, store| slope_gradient(g.as_slice(), x, inner, out, store));
            if parents.needs(0) {
                scale_negative(g.make_mut(), Some(x), slopes.as_slice(), inner);
                parents.add(0, g);
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            let x = random_apart(shape, -3.0, 3.0, &[0.0], rng);
            let slope = random(Rank1::<1>::default(), -1.0, 1.0, rng);
            check_gradients(|(x, a)| prelu(x, a, shape.count()), (x, slope)).unwrap();
        });
        random_shapes!([(usize, Const<3>), (usize, Const<3>, usize), (usize, Const<3>, usize, usize)] |shape, rng| {
            let x = random_apart(shape, -3.0, 3.0, &[0.0], rng);
            let slopes = random(Rank1::<3>::default(), -1.0, 1.0, rng);
            let inner = shape.sizes()[2..].iter().product();
            check_gradients(|(x, a)| prelu(x, a, inner), (x, slopes)).unwrap();
        });
    }
}
