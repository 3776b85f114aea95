//! Operations that move elements, and products of matrices: PyTorch's values and gradients.

mod common;

use common::{F32, F64, case};
use taut::ops::Order::{Ascending, Descending};
use taut::prelude::*;

/// Runs the case in f32 and in f64.
macro_rules! agrees {
    ($topic:literal $name:literal, [$($shape:ty),+], |$x:tt| $y:expr) => {{
        case($topic, $name).check::<($(Tensor<$shape, f32>,)+), _, _>(F32, |$x| $y);
        case($topic, $name).check::<($(Tensor<$shape, f64>,)+), _, _>(F64, |$x| $y);
    }};
}

type Cube = Rank3<2, 3, 4>;
type Matrix = Rank2<3, 4>;

#[test]
fn moved_elements_agree() {
    agrees!("structure" "slice_at_1", [Cube], |(x,)| x.slice_at::<1>(2));
    agrees!("structure" "slice_axis_2", [Cube], |(x,)| x.slice_axis::<2, 1, 2>());
    agrees!("structure" "concat_axis_1", [Cube, Rank3<2, 2, 4>], |(a, b)| (a.clone(), b, a).concat::<1>());
    agrees!("structure" "stack_axis_1", [Matrix, Matrix], |(a, b)| [a, b].stack::<1>());
    agrees!("structure" "pad_axis_1", [Matrix], |(x,)| x.pad_with::<1, 2, 1>(0.5));
    agrees!("structure" "flip_axis_1", [Cube], |(x,)| x.flip::<1>());
    agrees!("structure" "repeat_axis_0", [Matrix], |(x,)| x.repeat::<0, 3>());
    agrees!("structure" "permute", [Cube], |(x,)| x.permute::<(Axis<2>, Axis<0>, Axis<1>)>());
    agrees!("structure" "broadcast", [Rank1<3>], |(x,)| x.broadcast_to::<(Axis<0>, Axis<2>), _>(Cube::default()));
    agrees!("structure" "sort_axis_1", [Matrix], |(x,)| x.sort::<1>(Ascending).0);
    agrees!("structure" "top_2_axis_1", [Matrix], |(x,)| x.top_k::<1, 2>().0);
}

#[test]
fn elements_at_indices_agree() {
    let rows = case("structure", "index_select_axis_0").parameter_tensor::<Rank1<4>, usize>("indices");
    agrees!("structure" "index_select_axis_0", [Matrix], |(x,)| x.index_select::<0, _>(&rows));
    let places = case("structure", "gather_axis_1").parameter_tensor::<Rank2<3, 2>, usize>("indices");
    agrees!("structure" "gather_axis_1", [Matrix], |(x,)| x.gather::<1, _>(&places));
    agrees!("structure" "scatter_add_axis_1", [Matrix, Rank2<3, 2>], |(x, s)| x.scatter_add::<1, _, _>(&places, s));

    let sorted = case("structure", "argsort_axis_1");
    sorted.expect_output(&sorted.input::<Matrix, f64>(0).argsort::<1>(Descending), 0.0);
    let one_hot = case("structure", "one_hot");
    one_hot.expect_output(&one_hot.input::<Rank1<4>, usize>(0).one_hot::<f32, _>(Const::<4>), 0.0);
}

#[test]
fn products_agree() {
    agrees!("matmul" "vector_matrix", [Rank1<3>, Rank2<3, 4>], |(a, b)| a.matmul(b));
    agrees!("matmul" "matrix_vector", [Rank2<2, 3>, Rank1<3>], |(a, b)| a.matmul(b));
    agrees!("matmul" "matrix_matrix", [Rank2<2, 3>, Rank2<3, 4>], |(a, b)| a.matmul(b));
    agrees!("matmul" "batch_matrix", [Rank3<2, 2, 3>, Rank2<3, 2>], |(a, b)| a.matmul(b));
    agrees!("matmul" "matrix_batch", [Rank2<2, 3>, Rank3<2, 3, 2>], |(a, b)| a.matmul(b));
    agrees!("matmul" "batch_batch", [Rank3<2, 2, 3>, Rank3<2, 3, 2>], |(a, b)| a.matmul(b));
    agrees!("matmul" "two_batch_axes", [Rank4<2, 2, 2, 3>, Rank4<2, 2, 3, 2>], |(a, b)| a.matmul(b));
    agrees!("matmul" "dot", [Rank1<5>, Rank1<5>], |(a, b)| a.dot(b));
    agrees!("matmul" "outer", [Rank1<2>, Rank1<3>], |(a, b)| a.outer(b));
}
