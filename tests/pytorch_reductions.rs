//! Reductions, softmax and cumulative sums: PyTorch's values and gradients.

mod common;

use common::{F32, F64, case};
use taut::ops::Norm::{L1, L2};
use taut::ops::Variance::{Biased, Unbiased};
use taut::prelude::*;

/// Runs the case in f32 and in f64.
macro_rules! agrees {
    ($name:literal, $shape:ty, |$x:ident| $y:expr) => {{
        case("reductions", $name).check::<(Tensor<$shape, f32>,), _, _>(F32, |($x,)| $y);
        case("reductions", $name).check::<(Tensor<$shape, f64>,), _, _>(F64, |($x,)| $y);
    }};
}

type Cube = Rank3<2, 3, 4>;

#[test]
fn values_and_gradients_agree() {
    agrees!("sum", Cube, |x| x.sum());
    agrees!("sum_axis_1", Cube, |x| x.sum_axis::<1>());
    agrees!("mean_axes_0_2", Cube, |x| x.mean_axes::<(Axis<0>, Axis<2>)>());
    agrees!("max", Cube, |x| x.max());
    agrees!("max_axes_0_2", Cube, |x| x.max_axes::<(Axis<0>, Axis<2>)>());
    agrees!("max_axis_1_with_ties", Rank2<2, 4>, |x| x.max_axis::<1>());
    agrees!("min_axis_2", Cube, |x| x.min_axis::<2>());
    agrees!("var_unbiased", Cube, |x| x.var(Unbiased));
    agrees!("var_axis_1_biased", Cube, |x| x.var_axis::<1>(Biased));
    agrees!("std_axes_0_2_unbiased", Cube, |x| x.std_axes::<(Axis<0>, Axis<2>)>(Unbiased));
    agrees!("norm_l1_axis_2", Cube, |x| x.norm_axis::<2>(L1));
    agrees!("norm_l2_axis_1", Cube, |x| x.norm_axis::<1>(L2));
    agrees!("norm_l2_of_zeros", Rank2<3, 4>, |x| x.norm_axis::<1>(L2));
    agrees!("logsumexp_axis_0", Cube, |x| x.logsumexp_axis::<0>());
    agrees!("logsumexp_axes_0_2", Cube, |x| x.logsumexp_axes::<(Axis<0>, Axis<2>)>());
    agrees!("product_axis_1", Rank2<3, 3>, |x| x.product_axis::<1>());
    agrees!("cumulative_sum_axis_1", Cube, |x| x.cumulative_sum::<1>());
    agrees!("softmax_axis_1", Cube, |x| x.softmax::<1>());
    agrees!("softmax_axis_2", Cube, |x| x.softmax::<2>());
    agrees!("log_softmax_axis_0", Cube, |x| x.log_softmax::<0>());
    agrees!("log_softmax_axis_2", Cube, |x| x.log_softmax::<2>());
}

#[test]
fn positions_agree() {
    let ties = case("reductions", "argmax_axis_1");
    ties.expect_output(&ties.input::<Rank2<2, 4>, f32>(0).argmax_axis::<1>(), 0.0);
    let cube = case("reductions", "argmin_axis_2");
    cube.expect_output(&cube.input::<Cube, f64>(0).argmin_axis::<2>(), 0.0);
}
