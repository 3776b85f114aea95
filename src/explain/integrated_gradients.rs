//! Integrated gradients: the gradient along the path from a baseline to the input.
//!
//! a = (x - x0) times the integral over t from 0 to 1 of ds/dx (x0 + t (x - x0))
//!
//! By the fundamental theorem of calculus the attributions sum to s(x) - s(x0), whatever the model. The integral is
//! computed by Gauss-Legendre quadrature: with n points, exact for polynomials of degree 2 n - 1.

use super::passes::{gradient, scores, zip};
use super::{Explainable, Target};
use crate::numbers::range::{at_least_one, expect};
use crate::shape::HasAxis;
use crate::tensor::Tensor;

/// Divides the change of the score from a baseline to the input among the input's elements.
///
/// Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", 2017.
///
/// ```
/// use taut::explain::{Class, IntegratedGradients};
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = <(Linear<3, 8>, Tanh, Linear<8, 2>)>::init(&mut rng);
/// let x = Tensor::<Rank2<4, 3>>::randn(&mut rng);
/// let baseline = Tensor::zeros();
/// let found = IntegratedGradients::default().explain(&model, &x, &baseline, Class(0));
/// assert!(found.completeness_error() < 0.01);
/// let change = model.forward(x)[[2, 0]] - model.forward(baseline)[[2, 0]];
/// assert!((found.attributions.slice(2).sum().item() - change).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct IntegratedGradients {
    /// The number of points at which the gradient is taken. 50 by default.
    pub steps: usize,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        IntegratedGradients { steps: 50, more: () }
    }
}

/// The result of [`IntegratedGradients`].
#[derive(Clone, Debug)]
pub struct Integrated<S: HasAxis<0>> {
    /// The attributions, with the shape of the inputs.
    pub attributions: Tensor<S>,
    /// For each sample, the change of the score from the baseline to the input.
    pub changes: Tensor<(S::Length,)>,
    /// For each sample, the sum of the attributions.
    pub sums: Tensor<(S::Length,)>,
}

impl<S: HasAxis<0>> Integrated<S> {
    /// The relative error of the sums: |sum - change| / |change|, numerator and denominator summed over the samples, so
    /// that samples whose score hardly changes do not dominate.
    pub fn completeness_error(&self) -> f64 {
        let pairs =
            || self.sums.iter().zip(self.changes.iter()).map(|(sum, change)| (f64::from(sum), f64::from(change)));
        let missed: f64 = pairs().map(|(sum, change)| (sum - change).abs()).sum();
        let whole: f64 = pairs().map(|(_, change)| change.abs()).sum();
        if missed == 0.0 { 0.0 } else { missed / whole }
    }
}

impl IntegratedGradients {
    /// The attributions relative to `baseline`: for images often black, or their mean.
    ///
    /// # Panics
    /// If there are no steps, or the baseline has another run-time shape than the inputs.
    #[track_caller]
    pub fn explain<M, S, G>(&self, model: &M, inputs: &Tensor<S>, baseline: &Tensor<S>, target: G) -> Integrated<S>
    where
        S: HasAxis<0>,
        M: Explainable<S>,
        G: Target<M::Output, S::Length>,
    {
        expect(at_least_one("IntegratedGradients", "steps", self.steps));
        let way = inputs.clone() - baseline.clone();
        let mut sum = vec![0.0_f64; inputs.count()];
        for (place, weight) in gauss_legendre(self.steps) {
            let point = baseline.clone() + way.clone() * place as f32;
            let g = gradient(model, &point, &target, false);
            sum.iter_mut().zip(g.iter()).for_each(|(sum, g)| *sum += weight * f64::from(g));
        }
        let mean = Tensor::from_vec(sum.into_iter().map(|x| x as f32).collect(), inputs.shape());
        let attributions = zip(&mean.expect("one number for each element"), &way, |g, way| g * way);
        let changes = scores(model, inputs, &target) - scores(model, baseline, &target);
        let samples = changes.count();
        let size = attributions.count() / samples.max(1);
        let part = |[sample]: [usize; 1]| {
            let parts = &attributions.as_slice()[sample * size..][..size];
            parts.iter().map(|&x| f64::from(x)).sum::<f64>() as f32
        };
        let sums = Tensor::from_fn_with(changes.shape(), part);
        Integrated { attributions, changes, sums }
    }
}

/// The points and weights of the rule on 0 .. 1: the roots z of the Legendre polynomial P_n, found by Newton's method,
/// and 1 / ((1 - z^2) P_n'(z)^2).
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let point = |i: usize| {
        let mut z = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 0.0;
        // it converges quadratically, from a good start
        for _ in 0..10 {
            let (mut before, mut p) = (0.0, 1.0);
            for k in 0..n {
                let k = k as f64;
                (before, p) = (p, ((2.0 * k + 1.0) * z * p - k * before) / (k + 1.0));
            }
            slope = n as f64 * (z * p - before) / (z * z - 1.0);
            z -= p / slope;
        }
        (0.5 * (1.0 - z), 1.0 / ((1.0 - z * z) * slope * slope))
    };
    (0..n).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Class;
    use crate::prelude::*;

    #[test]
    fn the_rule_integrates_polynomials() {
        for n in [1, 2, 3, 8, 50] {
            for degree in 0..2 * n {
                let sum: f64 = gauss_legendre(n).iter().map(|(x, weight)| weight * x.powi(degree as i32)).sum();
                assert!((sum - 1.0 / (degree as f64 + 1.0)).abs() < 1e-12, "{n} points, degree {degree}");
            }
        }
    }

    #[test]
    fn parts_sum_up_to_the_change() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = <(Conv2d<2, 4, 3>, Relu, Flatten, Linear<64, 3>)>::init(&mut rng);
        let x = Tensor::<Rank4<3, 2, 6, 6>>::randn(&mut rng);
        let baseline = Tensor::<Rank4<3, 2, 6, 6>>::randn(&mut rng);
        let error = |steps| {
            let method = IntegratedGradients { steps, ..Default::default() };
            method.explain(&model, &x, &baseline, Tensor::from([0, 2, 1])).completeness_error()
        };
        // ReLUs have kinks, so the error falls only slowly with the number of steps
        let errors = [5, 50, 500].map(error);
        assert!(errors[0] > errors[1] && errors[1] > errors[2] && errors[2] < 2e-3, "{errors:?}");
        let smooth = <(Linear<5, 7>, Tanh, Linear<7, 3>)>::init(&mut rng);
        let x = Tensor::<(usize, Const<5>)>::normal_with((4, Const), 0.0, 1.0, &mut rng);
        let found =
            IntegratedGradients { steps: 20, ..Default::default() }.explain(&smooth, &x, &(x.clone() * 0.5), Class(2));
        assert!(found.completeness_error() < 1e-4, "{}", found.completeness_error());
    }
}
