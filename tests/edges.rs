//! Gradients where squares and products are out of range, and means over nothing.

use taut::loss::CrossEntropy;
use taut::loss::Mean;
use taut::ops::{Norm, Variance};
use taut::prelude::*;

type Watched<E> = Tensor<(usize,), E, Traced<Inference>>;

/// The gradient of f at each x, times `upstream`.
fn gradient<E: Float>(x: &[E], upstream: E, f: impl Fn(Watched<E>) -> Watched<E>) -> Vec<E> {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::from_vec(x.to_vec(), (x.len(),)).unwrap());
    let y = f(x.clone());
    let upstream = Tensor::full_with(y.shape(), upstream);
    y.vector_jacobian(upstream).of_input(&x).to_vec()
}

/// The same for both operands.
fn gradients<E: Float>(a: E, b: E, f: impl Fn(Watched<E>, Watched<E>) -> Watched<E>) -> [E; 2] {
    let tape = Tape::inference();
    let [a, b] = [a, b].map(|x| tape.watch(Tensor::from_vec(vec![x], (1,)).unwrap()));
    let gradients = f(a.clone(), b.clone()).sum().backward();
    [&a, &b].map(|x| gradients.of_input(x)[[0]])
}

#[track_caller]
fn close<E: Float>(found: &[E], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().map(|x| x.as_f64()).zip(expected) {
        let fits = found == *expected || (found - expected).abs() <= 1e-5 * expected.abs();
        assert!(fits, "{what}: {found:e} instead of {expected:e}");
    }
}

/// Numbers whose squares are too small or too large for the type, and some between.
fn scales<E: Float>() -> Vec<E> {
    let exponents: [i32; 7] =
        if size_of::<E>() == 4 { [-36, -25, -19, 0, 19, 25, 36] } else { [-300, -200, -160, 0, 160, 200, 300] };
    exponents.into_iter().map(|exponent| E::of(10_f64.powi(exponent))).collect()
}

fn gradients_are_right_at_every_scale<E: Float>() {
    for s in scales::<E>() {
        let size = s.as_f64();
        let what = |name: &str| format!("{name} at {size:e}");
        // angle and length of (3, 4) s
        let (y, x) = (E::of(3.0) * s, E::of(4.0) * s);
        close(&gradients(y, x, |y, x| y.atan2(x)), &[4.0 / 25.0 / size, -3.0 / 25.0 / size], &what("atan2"));
        close(&gradients(y, x, |y, x| y.hypot(x)), &[0.6, 0.8], &what("hypot"));
        // a quotient of numbers of the same magnitude
        close(&gradients(y, x, |y, x| y / x), &[0.25 / size, -3.0 / 16.0 / size], &what("/"));
        // upstream gradients that bring back into range what the derivative takes out of it
        close(&gradient(&[x], s, |x| x.reciprocal()), &[-1.0 / 16.0 / size], &what("reciprocal"));
        for ln in [gradient(&[x], s, |x| x.ln()), gradient(&[x], s * E::of(std::f64::consts::LN_2), |x| x.log2())] {
            close(&ln, &[0.25], &what("logarithm"));
        }
        close(&gradient(&[x], s, |x| x / s), &[1.0], &what("/ number"));
        let vector = [y, -x, E::zero()];
        let norm = gradient(&vector, E::one(), |x| x.norm(Norm::L2).reshape_with((1,)));
        close(&norm, &[0.6, -0.8, 0.0], &what("norm"));
        let deviation = gradient(&[y, x], E::one(), |x| x.std(Variance::Unbiased).reshape_with((1,)));
        close(&deviation, &[-0.5_f64.sqrt(), 0.5_f64.sqrt()], &what("std"));
        // out of range on the way
        let product = gradient(&[s, s, s.recip(), s.recip()], E::one(), |x| x.product().reshape_with((1,)));
        close(&product, &[1.0 / size, 1.0 / size, size, size], &what("product"));
    }
}

#[test]
fn gradients_are_right_at_every_scale_of_f32() {
    gradients_are_right_at_every_scale::<f32>();
}

#[test]
fn gradients_are_right_at_every_scale_of_f64() {
    gradients_are_right_at_every_scale::<f64>();
}

#[test]
fn forward_values_at_every_scale() {
    for s in scales::<f32>() {
        let x = Tensor::from([3.0 * s, 4.0 * s]);
        close(&[x.clone().norm(Norm::L2).item()], &[5.0 * f64::from(s)], "norm");
        close(&[x.clone().std(Variance::Biased).item()], &[0.5 * f64::from(s)], "std");
        close(&[Tensor::from([s, s, 1.0 / s, 1.0 / s]).product().item()], &[1.0], "product");
    }
    for s in scales::<f64>() {
        for count in [1, 2, 7, 40] {
            // large ones first, in whichever lanes they are multiplied
            let x = Tensor::from_fn_with((4 * count,), |[i]| if i < 2 * count { 3.0 * s } else { 1.0 / s });
            let expected = 3_f64.powi(2 * count as i32);
            close(&[x.product().item()], &[expected], "product");
        }
    }
    let tiny = f64::from_bits(3); // below the normal numbers
    for (x, expected) in [
        (vec![tiny, 1e308, 1e308, 1e-300], 3.0 * 5e-324 * 1e300 * 1e16),
        (vec![1e300, 1e300, 0.0], 0.0),
        (vec![1e300, -1e300], f64::NEG_INFINITY),
        (vec![1e-300, 1e-300, -1.0], -0.0),
        (vec![f64::INFINITY, 1e-300, 1e-300], f64::INFINITY),
    ] {
        close(&[Tensor::from_vec(x.clone(), (x.len(),)).unwrap().product().item()], &[expected], "product");
    }
    assert!(Tensor::<_, f64>::of([f64::INFINITY, 0.0]).product().item().is_nan());
    assert!(Tensor::<_, f64>::of([f64::NAN, 1e300, 1e300]).product().item().is_nan());
}

#[test]
fn norms_of_gradients_whose_squares_are_out_of_range() {
    for size in [1e-300_f64, 1e-160, 1e-20, 1.0, 1e20, 1e160, 1e300] {
        let layer = Linear::<2, 1, f64>::init(&mut StdRng::seed_from_u64(0));
        let x = Tape::inference().trace(Tensor::<_, f64>::of([[3.0 * size, 4.0 * size]]));
        let mut gradients = layer.forward(x).sum().backward();
        close(&[gradients.norm_of(&layer.weight)], &[5.0 * size], "norm_of");
        let all = 1.0_f64.hypot(5.0 * size); // the bias has the gradient 1
        close(&[gradients.norm()], &[all], "norm");
        assert_eq!(gradients.norms(&layer)[0], ("weight".to_string(), gradients.norm_of(&layer.weight)));
        close(&[gradients.clip_norm(0.5)], &[all], "clip_norm");
        assert!(gradients.norm() <= 0.5);
    }
}

#[test]
fn at_zero_and_at_the_ends() {
    for (y, x) in [(0.0, 0.0), (-0.0, 0.0), (0.0, -0.0)] {
        assert_eq!(gradients::<f32>(y, x, |y, x| y.atan2(x)).map(|g| g.abs()), [0.0; 2]);
        assert_eq!(gradients::<f64>(y.into(), x.into(), |y, x| y.hypot(x)).map(|g| g.abs()), [0.0; 2]);
    }
    assert_eq!(gradients(f32::INFINITY, 1.0, |y, x| y.atan2(x)).map(|g| g.abs()), [0.0; 2]);
    assert_eq!(gradients(1.0, f32::NEG_INFINITY, |y, x| y.hypot(x)), [0.0, -1.0]);
    assert!(gradients(f32::NAN, 1.0, |y, x| y.atan2(x)).iter().all(|g| g.is_nan()));
    // the number next to 1: 1 - x^2 is wrong by a quarter if the square is rounded
    let next = 1.0_f32 - f32::EPSILON / 2.0;
    let expected = (1.0 - f64::from(next).powi(2)).sqrt().recip();
    close(&gradient(&[next, -next], 1.0, |x| x.asin()), &[expected, expected], "asin");
    close(&gradient(&[next, -next], 1.0, |x| x.acos()), &[-expected, -expected], "acos");
    close(&gradient(&[1e19_f32, -1e15, 0.5], 1e10, |x| x.atan()), &[1e-28, 1e-20, 0.8e10], "atan");
}

#[test]
fn losses_of_nothing_are_zero_and_have_no_gradient() {
    let ignored = CrossEntropy { ignored: Some(9), ..Default::default() };
    let none = CrossEntropy { class_weights: Some(Tensor::from([0.0, 1.0, 1.0])), ..Default::default() };
    for reduction_of in [
        |x: Tensor<_, f32, _>, settings: &_| x.cross_entropy_with(&Tensor::from([9, 9]), settings, Mean),
        |x: Tensor<_, f32, _>, settings: &_| x.negative_log_likelihood_with(&Tensor::from([9, 9]), settings, Mean),
    ] {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[1.0, f32::NAN, 3.0], [0.0, 5.0, f32::INFINITY]]));
        let loss = reduction_of(x.clone(), &ignored);
        assert_eq!(loss.item(), 0.0);
        assert!(loss.backward().of_input(&x).iter().all(|g| g == 0.0));
    }
    let tape = Tape::inference();
    let x = tape.watch(Tensor::from([[1.0, 2.0, 3.0], [0.0, 5.0, 1.0]]));
    let loss = x.clone().cross_entropy_with(&Tensor::from([0, 0]), &none, Mean);
    assert_eq!(loss.item(), 0.0);
    assert!(loss.backward().of_input(&x).iter().all(|g| g == 0.0));
    // the samples that count are weighted among themselves
    let logits = Tensor::from([[1.0, 2.0, 3.0], [0.0, 5.0, 1.0]]);
    let both = logits.clone().cross_entropy_with(&Tensor::from([0, 2]), &none, Mean).item();
    assert_eq!(both, logits.slice(1).reshape::<Rank2<1, 3>>().cross_entropy(&Tensor::from([2])).item());

    let mut rng = StdRng::seed_from_u64(0);
    let layer = Linear::<4, 3>::init(&mut rng);
    let empty =
        || layer.forward(Tape::training(&mut StdRng::seed_from_u64(0)).trace(Tensor::<_>::zeros_with((0, Const::<4>))));
    let shape = (0, Const::<3>);
    let labels = Tensor::<(usize,), usize>::zeros_with((0,));
    let t = Tensor::<_>::zeros_with(shape);
    let losses = [
        empty().cross_entropy(&labels),
        empty().multi_class_hinge(&labels),
        empty().mean_squared_error(&t),
        empty().mean_absolute_error(&t),
        empty().huber(&t, 1.0),
        empty().hinge(&t),
        empty().logistic(&t),
        empty().binary_cross_entropy(&t),
        empty().kl_divergence(&t),
    ];
    for loss in losses {
        assert_eq!(loss.item(), 0.0);
        assert!(loss.backward().of(&layer.weight).iter().all(|g| g == 0.0));
    }
}
