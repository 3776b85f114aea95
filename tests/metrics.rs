//! Metrics of samples: values from numpy and scipy (`tests/metrics/generate.py`), and what must hold of any.

use serde_json::Value;
use taut::metrics::{classifier_score, frechet_distance};
use taut::prelude::*;

type Matrix<E> = Tensor<(usize, usize), E>;

fn values() -> Value {
    serde_json::from_str(include_str!("metrics/values.json")).unwrap()
}

fn matrix(value: &Value) -> Matrix<f64> {
    let size = |axis: usize| value["sizes"][axis].as_u64().unwrap() as usize;
    let numbers = value["values"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    Tensor::from_vec(numbers, (size(0), size(1))).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found}, not {expected}");
}

#[test]
fn frechet_distances_are_those_of_scipy() {
    let values = values();
    let cases = values["distances"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (a, b, expected) = (matrix(&case["a"]), matrix(&case["b"]), case["distance"].as_f64().unwrap());
        // for matrices without an inverse, only half of the digits of scipy's root are right
        close(frechet_distance(&a, &b), expected, 1e-6);
        close(frechet_distance(&b, &a), expected, 1e-6);
        // the points are exact in 32 bits
        close(frechet_distance(&a.clone().cast::<f32>(), &b.clone().cast::<f32>()), frechet_distance(&a, &b), 1e-12);
    }
}

#[test]
fn classifier_scores_are_those_of_scipy() {
    let values = values();
    let cases = values["scores"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (logits, expected) = (matrix(&case["logits"]), case["score"].as_f64().unwrap());
        close(classifier_score(&logits), expected, 1e-12);
        close(classifier_score(&logits.cast::<f32>()), expected, 1e-12);
    }
}

/// For normal distributions along the axes, the distance is the sum of (m - m')^2 + (s - s')^2.
#[test]
fn distances_of_points_along_axes() {
    let mut rng = StdRng::seed_from_u64(0);
    for size in [1, 2, 5, 30] {
        // for each axis, points at plus and minus its deviation, and 0 elsewhere
        let corners = |deviations: &[f64], means: &[f64]| {
            let part = ((2 * size - 1) as f64 / 2.0).sqrt();
            Matrix::from_fn_with((2 * size, size), |[i, k]| {
                let sign = if i % 2 == 0 { part } else { -part };
                means[k] + if i / 2 == k { sign * deviations[k] } else { 0.0 }
            })
        };
        let mut random = || Tensor::<(usize,), f64>::uniform_with((size,), 0.0, 3.0, &mut rng).to_vec();
        let (s, m, other_s, other_m) = (random(), random(), random(), random());
        let squares = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let expected = squares(&m, &other_m) + squares(&s, &other_s);
        close(frechet_distance(&corners(&s, &m), &corners(&other_s, &other_m)), expected, 1e-12);
    }
}

#[test]
fn what_holds_of_any_points() {
    let mut rng = StdRng::seed_from_u64(1);
    let a = Tensor::<Rank2<50, 7>, f64>::randn(&mut rng);
    let b = Tensor::<Rank2<40, 7>, f64>::randn(&mut rng) * 2.0 + 1.0;
    let far = frechet_distance(&a, &b);
    assert!(frechet_distance(&a, &a) < 1e-12 && far > 1.0);
    // both rotated, or both twice as large
    let turn = Tensor::from_fn(|[i, k]: [usize; 2]| f64::from(u8::from((i + 3) % 7 == k)));
    let turned = |x: Tensor<_, f64>| x.matmul(Tensor::<Rank2<7, 7>, f64>::clone(&turn));
    close(frechet_distance(&turned(a.clone()), &b.clone().matmul(turn.clone())), far, 1e-12);
    close(frechet_distance(&(a.clone() * 2.0), &(b.clone() * 2.0)), 4.0 * far, 1e-12);
    // one point has no distribution, and neither have points at infinity
    assert!(frechet_distance(&Tensor::<Rank2<1, 7>, f64>::ones(), &b).is_nan());
    assert!(frechet_distance(&(a.clone() / 0.0), &b).is_nan());
    assert!(classifier_score(&Tensor::<Rank2<0, 3>>::zeros()).is_nan());
    // with this many clear classes, equally frequent
    let clear = Tensor::<Rank2<12, 4>>::from_fn(|[i, k]| if i % 4 == k { 200.0 } else { 0.0 });
    close(classifier_score(&clear), 4.0, 1e-12);
}

#[test]
#[should_panic(expected = "frechet_distance: points of 3 dimensions and points of 4")]
fn points_of_different_spaces() {
    let points = |size: usize| Matrix::<f64>::zeros_with((2, size));
    let _ = frechet_distance(&points(3), &points(4));
}
