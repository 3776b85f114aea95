//! Losses: PyTorch's values and gradients, for mean, sum and no reduction, in f32 and f64.

mod common;

use common::{F32, F64, case};
use taut::loss::{Each, Mean, Reduction, Sum};
use taut::prelude::*;

type One<E> = (Tensor<Rank2<3, 4>, E>,);
type Two<E> = (Tensor<Rank2<3, 4>, E>, Tensor<Rank2<3, 4>, E>);
type Sequence<E> = (Tensor<Rank3<2, 3, 4>, E>,);

/// Runs a loss for each element type and each reduction. (A macro: closures cannot be generic over either.)
macro_rules! agrees {
    ($name:expr, $inputs:ident, |$x:pat_param, $case:ident, $reduction:ident| $body:expr) => {
        agrees! { @each (f32 F32) $name, $inputs, |$x, $case, $reduction| $body }
        agrees! { @each (f64 F64) $name, $inputs, |$x, $case, $reduction| $body }
    };
    (@each ($element:ident $tolerance:ident) $name:expr, $inputs:ident,
     |$x:pat_param, $case:ident, $reduction:ident| $body:expr) => {
        agrees! { @one (Mean "mean" $element $tolerance) $name, $inputs, |$x, $case, $reduction| $body }
        agrees! { @one (Sum "sum" $element $tolerance) $name, $inputs, |$x, $case, $reduction| $body }
        agrees! { @one (Each "none" $element $tolerance) $name, $inputs, |$x, $case, $reduction| $body }
    };
    (@one ($form:ident $form_name:literal $element:ident $tolerance:ident) $name:expr, $inputs:ident,
     |$x:pat_param, $case:ident, $reduction:ident| $body:expr) => {{
        let $case = case("losses", &format!("{} {}", $name, $form_name));
        let $reduction = $form;
        $case.check::<$inputs<$element>, _, _>($tolerance, |$x| $body);
    }};
}

#[test]
fn losses_of_numbers() {
    agrees!("squared_error", Two, |(x, t), case, reduction| x.mean_squared_error_with(&t, reduction));
    agrees!("absolute_error", Two, |(x, t), case, reduction| x.mean_absolute_error_with(&t, reduction));
    agrees!("huber", Two, |(x, t), case, reduction| x.huber_with(&t, 1.5, reduction));
    // smooth L1 of beta is Huber of delta = beta, divided by beta
    agrees!("smooth_l1", Two, |(x, t), case, reduction| x.huber_with(&t, 1.5, reduction) / 1.5);
}

#[test]
fn losses_of_two_answers() {
    agrees!("logistic", One, |(x,), case, reduction| { x.logistic_with(&case.parameter_tensor("labels"), reduction) });
    agrees!("binary_cross_entropy", One, |(x,), case, reduction| {
        x.binary_cross_entropy_with(&case.parameter_tensor("labels"), 2.5, reduction)
    });
}

#[test]
fn losses_of_classes() {
    for smoothing in [0.0, 0.25] {
        let (label_smoothing, name) = (smoothing, if smoothing == 0.0 { "0.0" } else { "0.25" });
        agrees!(format!("cross_entropy classes {name} plain"), One, |(x,), case, reduction| {
            let labels: Tensor<Rank1<3>, usize> = case.parameter_tensor("labels");
            x.cross_entropy_with(&labels, &CrossEntropy { label_smoothing, ..Default::default() }, reduction)
        });
        agrees!(format!("cross_entropy classes {name} weighted"), One, |(x,), case, reduction| {
            let labels: Tensor<Rank1<3>, usize> = case.parameter_tensor("labels");
            let class_weights = Some(case.parameter_tensor("weights"));
            x.cross_entropy_with(
                &labels,
                &CrossEntropy { label_smoothing, class_weights, ..Default::default() },
                reduction,
            )
        });
        agrees!(format!("cross_entropy soft {name} plain"), One, |(x,), case, reduction| {
            let settings = CrossEntropy { label_smoothing, ..Default::default() };
            soft(x, case.parameter_tensor("labels"), settings, reduction)
        });
        agrees!(format!("cross_entropy soft {name} weighted"), One, |(x,), case, reduction| {
            let class_weights = Some(case.parameter_tensor("weights"));
            let settings = CrossEntropy { label_smoothing, class_weights, ..Default::default() };
            soft(x, case.parameter_tensor("labels"), settings, reduction)
        });
    }
}

/// With soft targets of the element type of the logits.
fn soft<E: Float, R: Reduction<Rank1<3>>>(
    x: Tensor<Rank2<3, 4>, E, Traced<Training>>,
    labels: Tensor<Rank2<3, 4>, E>,
    settings: CrossEntropy<Const<4>, E>,
    reduction: R,
) -> Tensor<R::Output, E, Traced<Training>> {
    x.cross_entropy_with(&labels, &settings, reduction)
}

#[test]
fn ignored_labels_do_not_count() {
    for (smoothing, name) in [(0.0, "0.0"), (0.25, "0.25")] {
        agrees!(format!("cross_entropy ignored {name} plain"), Sequence, |(x,), case, reduction| {
            let labels: Tensor<Rank2<2, 3>, usize> = case.parameter_tensor("labels");
            let settings = CrossEntropy { label_smoothing: smoothing, ignored: Some(2), ..Default::default() };
            x.cross_entropy_with(&labels, &settings, reduction)
        });
        agrees!(format!("cross_entropy ignored {name} weighted"), Sequence, |(x,), case, reduction| {
            let labels: Tensor<Rank2<2, 3>, usize> = case.parameter_tensor("labels");
            let class_weights = Some(case.parameter_tensor("weights"));
            let settings =
                CrossEntropy { label_smoothing: smoothing, class_weights, ignored: Some(2), ..Default::default() };
            x.cross_entropy_with(&labels, &settings, reduction)
        });
    }
}

#[test]
fn losses_of_sequences() {
    agrees!("cross_entropy sequence", Sequence, |(x,), case, reduction| {
        let labels: Tensor<Rank2<2, 3>, usize> = case.parameter_tensor("labels");
        let class_weights = Some(case.parameter_tensor("weights"));
        x.cross_entropy_with(&labels, &CrossEntropy { class_weights, ..Default::default() }, reduction)
    });
}

#[test]
fn losses_of_log_probabilities() {
    agrees!("negative_log_likelihood", One, |(x,), case, reduction| {
        let labels: Tensor<Rank1<3>, usize> = case.parameter_tensor("labels");
        let class_weights = Some(case.parameter_tensor("weights"));
        x.negative_log_likelihood_with(&labels, &CrossEntropy { class_weights, ..Default::default() }, reduction)
    });
    agrees!("kl_divergence", One, |(x,), case, reduction| {
        x.kl_divergence_with(&case.parameter_tensor("labels"), reduction)
    });
}

#[test]
fn margins_of_classes() {
    agrees!("multi_class_hinge", One, |(x,), case, reduction| {
        x.multi_class_hinge_with(&case.parameter_tensor("labels"), reduction)
    });
}
