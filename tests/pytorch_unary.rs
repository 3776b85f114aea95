//! Functions of one number and of two: PyTorch's values and gradients.

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

type Mask = Tensor<(usize, usize), bool>;

#[test]
fn comparisons_agree() {
    fn agree<E: Element + Entry>(kind: &str) {
        type Compare<E> = fn(&Tensor<(usize, usize), E>, Tensor<(usize, usize), E>) -> Mask;
        let comparisons: [(&str, Compare<E>); 6] = [
            ("eq", |a, b| a.equal(b)),
            ("ne", |a, b| a.not_equal(&b)),
            ("lt", |a, b| a.lt(b)),
            ("le", |a, b| a.le(&b)),
            ("gt", |a, b| a.gt(b)),
            ("ge", |a, b| a.ge(&b)),
        ];
        for (name, compare) in comparisons {
            let case = case("masks", &format!("{name}{kind}"));
            case.expect_output(&compare(&case.input(0), case.input(1)), 0.0);
        }
    }
    agree::<f32>("");
    agree::<f64>("");
    agree::<usize>(" indices");

    fn agree_with_number<E: Float + Entry>() {
        type Compare<E> = fn(&Tensor<(usize, usize), E>, E) -> Mask;
        let comparisons: [(&str, Compare<E>); 6] = [
            ("eq", |a, b| a.equal(b)),
            ("ne", |a, b| a.not_equal(b)),
            ("lt", |a, b| a.lt(b)),
            ("le", |a, b| a.le(b)),
            ("gt", |a, b| a.gt(b)),
            ("ge", |a, b| a.ge(b)),
        ];
        for (name, compare) in comparisons {
            let case = case("masks", &format!("{name} number"));
            case.expect_output(&compare(&case.input(0), E::one()), 0.0);
        }
        let case = |name| case("masks", name);
        case("is_nan").expect_output(&case("is_nan").input::<(usize, usize), E>(0).is_nan(), 0.0);
        case("is_finite").expect_output(&case("is_finite").input::<(usize, usize), E>(0).is_finite(), 0.0);
    }
    agree_with_number::<f32>();
    agree_with_number::<f64>();
}

#[test]
fn logic_and_casts_agree() {
    let mask = |case: &Case, index| -> Mask { case.input(index) };
    let logic: [(&str, fn(Mask, Mask) -> Mask); 3] =
        [("and", |a, b| a & b), ("or", |a, b| a | b), ("xor", |a, b| a ^ b)];
    for (name, combine) in logic {
        let case = case("masks", name);
        case.expect_output(&combine(mask(&case, 0), mask(&case, 1)), 0.0);
    }
    let not = case("masks", "not");
    not.expect_output(&!mask(&not, 0), 0.0);

    let truth = case("masks", "from_mask");
    truth.expect_output(&mask(&truth, 0).cast::<f32>(), 0.0);
    truth.expect_output(&mask(&truth, 0).cast::<f64>(), 0.0);
    truth.expect_output(&mask(&truth, 0).cast::<usize>(), 0.0);
    let from = case("masks", "from_indices");
    from.expect_output(&from.input::<(usize, usize), usize>(0).cast::<f32>(), 0.0);
    from.expect_output(&from.input::<(usize, usize), usize>(0).cast::<f64>(), 0.0);
    let to = case("masks", "to_indices");
    to.expect_output(&to.input::<(usize, usize), f32>(0).cast::<usize>(), 0.0);
    to.expect_output(&to.input::<(usize, usize), f64>(0).cast::<usize>(), 0.0);
    // the gradient is rounded to f32 on its way back; upstream's few digits are not
    case("masks", "to_single").check::<(Tensor<(usize, usize), f64>,), _, _>(F64, |(x,)| x.cast::<f32>().cast::<f64>());
}

#[test]
fn choices_agree() {
    fn agree<E: Float + Entry>(tolerance: f64) {
        let of_two = case("masks", "select");
        let mask: Mask = of_two.parameter_tensor("mask");
        of_two.check::<(Tensor<_, E>, Tensor<_, E>), _, _>(tolerance, |(a, b)| mask.select(a, b));
        let with_number = case("masks", "select number");
        with_number.check::<(Tensor<_, E>,), _, _>(tolerance, |(a,)| mask.select(a, E::of(-2.0)));
    }
    agree::<f32>(F32);
    agree::<f64>(F64);
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
