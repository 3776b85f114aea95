//! Functions of one number: values and gradients as PyTorch has them.

mod common;

use common::{Case, F32, F64, cases};
use taut::prelude::*;

type Numbers<E> = Tensor<Rank2<3, 5>, E, Traced<Training>>;

/// The function of this name.
fn function<E: Float>(case: &Case) -> impl Fn(Numbers<E>) -> Numbers<E> {
    let f: fn(Numbers<E>) -> Numbers<E> = match case.name() {
        "abs" => |x| x.abs(),
        "relu" => |x| x.relu(),
        "sigmoid" => |x| x.sigmoid(),
        "sqrt" => |x| x.sqrt(),
        other => panic!("no function {other}"),
    };
    f
}

#[test]
fn values_and_gradients_agree() {
    for case in cases("unary") {
        case.check::<(Tensor<Rank2<3, 5>, f32>,), _, _>(F32, |(x,)| function(&case)(x));
        case.check::<(Tensor<Rank2<3, 5>, f64>,), _, _>(F64, |(x,)| function(&case)(x));
    }
}
