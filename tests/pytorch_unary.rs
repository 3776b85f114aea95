//! Functions of one number and of two: values and gradients as PyTorch has them.

mod common;

use common::{Case, Entry, F32, F64, case, cases};
use taut::prelude::*;

type Numbers<S, E> = Tensor<S, E, Traced<Training>>;
type Function<S, E> = fn(Numbers<S, E>) -> Numbers<S, E>;
type FunctionOfTwo<S, E> = fn((Numbers<S, E>, Numbers<S, E>)) -> Numbers<S, E>;

/// The function that a case is about.
fn function<S: Shape, E: Float>(case: &Case) -> Function<S, E> {
    match case.name() {
        "abs" => |x| x.abs(),
        "sign" => |x| x.sign(),
        "exp" => |x| x.exp(),
        "exp_m1" => |x| x.exp_m1(),
        "ln" => |x| x.ln(),
        "ln_1p" => |x| x.ln_1p(),
        "log2" => |x| x.log2(),
        "log10" => |x| x.log10(),
        "sqrt" => |x| x.sqrt(),
        "rsqrt" => |x| x.rsqrt(),
        "reciprocal" => |x| x.reciprocal(),
        "square" => |x| x.square(),
        "powi" => |x| x.powi(-3),
        "powf" => |x| x.powf(E::of(1.5)),
        "sin" => |x| x.sin(),
        "cos" => |x| x.cos(),
        "tan" => |x| x.tan(),
        "asin" => |x| x.asin(),
        "acos" => |x| x.acos(),
        "atan" => |x| x.atan(),
        "sinh" => |x| x.sinh(),
        "cosh" => |x| x.cosh(),
        "tanh" => |x| x.tanh(),
        "sigmoid" => |x| x.sigmoid(),
        "log_sigmoid" => |x| x.log_sigmoid(),
        "relu" => |x| x.relu(),
        "leaky_relu" => |x| x.leaky_relu(E::of(0.125)),
        "elu" => |x| x.elu(E::of(1.5)),
        "gelu" => |x| x.gelu(),
        "gelu_tanh" => |x| x.gelu_tanh(),
        "silu" => |x| x.silu(),
        "softplus" => |x| x.softplus(),
        "erf" => |x| x.erf(),
        "floor" => |x| x.floor(),
        "ceil" => |x| x.ceil(),
        "round" => |x| x.round(),
        "clamp" => |x| x.clamp(E::of(-1.0), E::of(0.5)),
        "clamp_min" => |x| x.clamp_min(E::of(0.5)),
        "clamp_max" => |x| x.clamp_max(E::of(0.5)),
        "minimum" => |x| x.minimum(E::of(0.5)),
        "maximum" => |x| x.maximum(E::of(0.5)),
        "negate" => |x| -x,
        "add_number" => |x| x + E::of(2.5),
        "subtract_number" => |x| x - E::of(2.5),
        "multiply_by_number" => |x| x * E::of(-2.5),
        "divide_by_number" => |x| x / E::of(2.5),
        "remainder_by_number" => |x| x % E::of(0.75),
        other => panic!("no function {other}"),
    }
}

fn values_and_gradients_agree<E: Float + Entry>(tolerance: f64) {
    for case in cases("unary") {
        case.check::<(Tensor<(usize, usize), E>,), _, _>(tolerance, |(x,)| function(&case)(x));
    }
}

#[test]
fn values_and_gradients_agree_in_f32() {
    values_and_gradients_agree::<f32>(F32);
}

#[test]
fn values_and_gradients_agree_in_f64() {
    values_and_gradients_agree::<f64>(F64);
}

#[test]
fn special_values_agree() {
    for case in cases("unary_special") {
        case.check::<(Tensor<(usize,), f32>,), _, _>(F32, |(x,)| function(&case)(x));
    }
}

#[test]
fn numbers_on_the_left_agree() {
    // the operators are implemented for the number types one by one
    fn check<E: Float + Entry>(tolerance: f64, name: &str, f: Function<(usize, usize), E>) {
        case("binary", name).check::<(Tensor<_, E>,), _, _>(tolerance, |(x,)| f(x));
    }
    check::<f32>(F32, "subtract_from_number", |x| 2.5 - x);
    check::<f64>(F64, "subtract_from_number", |x| 2.5 - x);
    check::<f32>(F32, "divide_number", |x| 2.5 / x);
    check::<f64>(F64, "divide_number", |x| 2.5 / x);
    check::<f32>(F32, "remainder_of_number", |x| 2.5 % x);
    check::<f64>(F64, "remainder_of_number", |x| 2.5 % x);
}

#[test]
fn functions_of_two_agree() {
    fn agree<E: Float + Entry>(tolerance: f64) {
        let check = |name: &str, f: FunctionOfTwo<(usize, usize), E>| {
            case("binary", name).check::<(Tensor<_, E>, Tensor<_, E>), _, _>(tolerance, f);
        };
        check("pow", |(a, b)| a.pow(b));
        check("add", |(a, b)| a + b);
        check("subtract", |(a, b)| a - b);
        check("multiply", |(a, b)| a * b);
        check("divide", |(a, b)| a / b);
        check("remainder", |(a, b)| a % b);
        check("minimum", |(a, b)| a.minimum(b));
        check("maximum", |(a, b)| a.maximum(b));
        check("minimum_of_ties", |(a, b)| a.minimum(b));
        check("maximum_of_ties", |(a, b)| a.maximum(b));
        check("atan2", |(a, b)| a.atan2(b));
        check("hypot", |(a, b)| a.hypot(b));
        case("binary", "pow_of_zero")
            .check::<(Tensor<Rank1<4>, E>, Tensor<Rank1<4>, E>), _, _>(tolerance, |(a, b)| a.pow(b));
    }
    agree::<f32>(F32);
    agree::<f64>(F64);
}
