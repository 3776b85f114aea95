//! Metrics that stream over batches: values from scikit-learn (`tests/metrics/generate_sklearn.py`), whichever batches
//! the samples come in.

use serde_json::Value;
use taut::metrics::{
    Accuracy, Average, BinaryConfusion, ConfusionMatrix, MultilabelConfusion, OneVsRestRocAuc, Perplexity, Regression,
    RocAuc, WeightedMean,
};
use taut::prelude::*;

fn values(kind: &str) -> Vec<Value> {
    let values: Value = serde_json::from_str(include_str!("metrics/sklearn.json")).unwrap();
    values[kind].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn counts(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn yes_or_no(value: &Value) -> Vec<bool> {
    value.as_array().unwrap().iter().map(|x| x.as_bool().unwrap()).collect()
}

fn list<E: Element>(values: Vec<E>) -> Tensor<(usize,), E> {
    let count = values.len();
    Tensor::from_vec(values, (count,)).unwrap()
}

fn matrix<const C: usize>(value: &Value) -> Tensor<(usize, Const<C>), f64> {
    let rows = value["sizes"][0].as_u64().unwrap() as usize;
    Tensor::from_vec(numbers(&value["values"]), (rows, Const)).unwrap()
}

/// A number or, where there is none, NaN.
#[track_caller]
fn close(found: f64, expected: &Value) {
    match expected.as_f64() {
        Some(expected) => near(found, expected),
        None => assert!(expected.is_null() && found.is_nan(), "{found}, not {expected}"),
    }
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found}, not {expected}");
}

fn classification<const C: usize>(case: &Value) {
    let (logits, labels) = (matrix::<C>(&case["logits"]), list(counts(&case["labels"])));
    let mut confusion = ConfusionMatrix::<C>::default();
    confusion.add(&logits, &labels);
    for label in 0..C {
        let row: Vec<usize> = (0..C).map(|predicted| confusion.count(label, predicted)).collect();
        assert_eq!(row, counts(&case["confusion"][label]));
        close(confusion.precision(label), &case["precision"][label]);
        close(confusion.recall(label), &case["recall"][label]);
        close(confusion.f1(label), &case["f1"][label]);
    }
    let averages = [(Average::Macro, "macro"), (Average::Micro, "micro"), (Average::Weighted, "weighted")];
    for (average, name) in averages {
        close(confusion.mean_precision(average), &case[format!("{name}_precision")]);
        close(confusion.mean_recall(average), &case[format!("{name}_recall")]);
        close(confusion.mean_f1(average), &case[format!("{name}_f1")]);
    }
    close(confusion.accuracy(), &case["accuracy"]);
    for (k, expected) in (1..).zip(case["top"].as_array().unwrap()) {
        let mut accuracy = Accuracy::top(k);
        accuracy.add(&logits, &labels);
        close(accuracy.value(), expected);
    }
    let mut perplexity = Perplexity::default();
    perplexity.add(&logits, &labels);
    near(perplexity.value(), case["log_loss"].as_f64().unwrap().exp());
    near(perplexity.bits(), case["log_loss"].as_f64().unwrap() / 2_f64.ln());
    let mut of_loss = Perplexity::default();
    of_loss.add_loss(logits.clone().cross_entropy(&labels).item(), labels.count());
    near(of_loss.value(), perplexity.value());

    let mut areas = OneVsRestRocAuc::<C>::default();
    areas.add(&matrix::<C>(&case["probabilities"]), &labels);
    (0..C).for_each(|class| close(areas.of(class).value(), &case["areas"][class]));
    close(areas.macro_average(), &case["macro_area"]);
    close(areas.weighted_average(), &case["weighted_area"]);
    if let Some(expected) = case.get("exact_macro_area") {
        areas.reset();
        areas.add(&logits.softmax::<1>(), &labels);
        close(areas.macro_average(), expected);
    }
}

#[test]
fn classes_are_measured_as_by_sklearn() {
    let cases = values("classification");
    assert_eq!(cases.len(), 4);
    classification::<4>(&cases[0]);
    classification::<6>(&cases[1]);
    classification::<10>(&cases[2]);
    classification::<2>(&cases[3]);
}

#[test]
fn decisions_are_measured_as_by_sklearn() {
    for case in values("binary") {
        let (scores, labels) = (list(numbers(&case["scores"])), list(yes_or_no(&case["labels"])));
        let (mut confusion, mut area) = (BinaryConfusion::default(), RocAuc::default());
        confusion.add(&scores, &labels);
        area.add(&scores, &labels);
        let found = [confusion.true_positives(), confusion.false_positives(), confusion.false_negatives()];
        assert_eq!([&found[..], &[confusion.true_negatives()]].concat(), counts(&case["counts"]));
        close(confusion.accuracy(), &case["accuracy"]);
        close(confusion.precision(), &case["precision"]);
        close(confusion.recall(), &case["recall"]);
        close(confusion.specificity(), &case["specificity"]);
        close(confusion.f1(), &case["f1"]);
        close(area.value(), &case["area"]);
        let mut of_probabilities = BinaryConfusion::with_threshold(0.5);
        of_probabilities.add(&scores.sigmoid(), &labels);
        assert_eq!(of_probabilities.true_positives(), confusion.true_positives());
        assert_eq!(of_probabilities.false_positives(), confusion.false_positives());
    }
}

fn multilabel<const C: usize>(case: &Value) {
    let logits = matrix::<C>(&case["logits"]);
    let labels = Tensor::from_vec(yes_or_no(&case["labels"]["values"]), logits.shape()).unwrap();
    let mut confusion = MultilabelConfusion::<C>::default();
    confusion.add(&logits, &labels);
    for (average, name) in [(Average::Macro, "macro"), (Average::Micro, "micro"), (Average::Weighted, "weighted")] {
        close(confusion.mean_precision(average), &case[format!("{name}_precision")]);
        close(confusion.mean_recall(average), &case[format!("{name}_recall")]);
        close(confusion.mean_f1(average), &case[format!("{name}_f1")]);
    }
    for label in 0..C {
        close(confusion.of(label).precision(), &case["precision"][label]);
        close(confusion.of(label).recall(), &case["recall"][label]);
        close(confusion.of(label).f1(), &case["f1"][label]);
    }
    // all decisions as those of one label
    let mut all = BinaryConfusion::default();
    all.add(&logits, &labels);
    close(all.f1(), &case["micro_f1"]);
}

#[test]
fn several_labels_are_measured_as_by_sklearn() {
    let cases = values("multilabel");
    assert_eq!(cases.len(), 2);
    multilabel::<5>(&cases[0]);
    multilabel::<2>(&cases[1]);
}

#[test]
fn predicted_numbers_are_measured_as_by_sklearn() {
    let cases = values("regression");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let mut errors = Regression::default();
        errors.add(&list(numbers(&case["predictions"])), &list(numbers(&case["targets"])));
        close(errors.mean_absolute_error(), &case["mean_absolute_error"]);
        close(errors.mean_squared_error(), &case["mean_squared_error"]);
        close(errors.root_mean_squared_error(), &case["root_mean_squared_error"]);
        let expected = case["r_squared"].as_f64().unwrap();
        // targets near a million: seven digits are lost from the start
        let tolerance = if case["targets"][0].as_f64().unwrap() > 1e5 { 1e-9 } else { 1e-12 };
        assert!((errors.r_squared() - expected).abs() < tolerance, "{}, not {expected}", errors.r_squared());
    }
}

/// The samples 0 to `count` in random batches, some of them empty.
fn batches(count: usize, rng: &mut StdRng) -> Vec<std::ops::Range<usize>> {
    let mut cuts = Tensor::<(usize,), f64>::uniform_with((5,), 0.0, 1.0, rng).to_vec();
    cuts.sort_by(f64::total_cmp);
    let ends = cuts.iter().map(|cut| (cut * count as f64) as usize).chain([count, count]);
    let mut start = 0;
    ends.map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// Adds all samples at once, and in batches to three metrics that are merged.
fn both_ways<M: Default>(
    count: usize,
    add: impl Fn(&mut M, std::ops::Range<usize>),
    merge: impl Fn(&mut M, &M),
    rng: &mut StdRng,
) -> [M; 2] {
    let mut at_once = M::default();
    add(&mut at_once, 0..count);
    let mut parts = [M::default(), M::default(), M::default()];
    for (number, batch) in batches(count, rng).into_iter().enumerate() {
        add(&mut parts[number % 3], batch);
    }
    let [mut first, second, third] = parts;
    merge(&mut first, &third);
    merge(&mut first, &second);
    [at_once, first]
}

#[test]
fn any_batches_give_what_all_samples_at_once_give() {
    let mut rng = StdRng::seed_from_u64(0);
    for round in 0..40 {
        let count = round * round % 97;
        let logits = Tensor::<(usize, Const<3>)>::normal_with((count, Const), 0.0, 2.0, &mut rng).round();
        let of_labels = Tensor::<(usize,)>::uniform_with((count,), 0.0, 3.0, &mut rng);
        let classes: Vec<usize> = of_labels.iter().map(|x| (x as usize).min(2)).collect();
        let rows = |range: std::ops::Range<usize>| {
            let values = logits.as_slice()[3 * range.start..3 * range.end].to_vec();
            (Tensor::from_vec(values, (range.len(), Const::<3>)).unwrap(), list(classes[range].to_vec()))
        };
        let yes = |range: std::ops::Range<usize>| {
            let (scores, labels) = rows(range);
            (scores.slice_at::<1>(0), list(labels.iter().map(|label| label == 0).collect()))
        };

        macro_rules! same {
            ($metric:ty, $samples:expr) => {{
                let add = |metric: &mut $metric, range| {
                    let (scores, labels) = $samples(range);
                    metric.add(&scores, &labels)
                };
                both_ways(count, add, <$metric>::merge, &mut rng)
            }};
        }
        let [at_once, streamed] = same!(ConfusionMatrix<3>, rows);
        assert_eq!(at_once, streamed);
        let [at_once, streamed] = same!(Accuracy, rows);
        assert_eq!(at_once, streamed);
        let [at_once, streamed] = same!(BinaryConfusion, yes);
        assert_eq!(at_once, streamed);
        let [at_once, streamed] = same!(RocAuc, yes);
        assert!(at_once.value().to_bits() == streamed.value().to_bits() && at_once.total() == count);
        let [at_once, streamed] = same!(OneVsRestRocAuc<3>, rows);
        same_or_nan(at_once.macro_average(), streamed.macro_average());
        let [at_once, streamed] = same!(Perplexity, rows);
        same_or_nan(at_once.value(), streamed.value());
        let [at_once, streamed] = same!(MultilabelConfusion<3>, |range| {
            let (scores, _) = rows(range);
            let labels = scores.lt(0.5);
            (scores, labels)
        });
        assert_eq!(at_once, streamed);
        let [at_once, streamed] = same!(Regression, |range| {
            let (scores, _) = rows(range);
            (scores.clone().square(), scores)
        });
        same_or_nan(at_once.mean_absolute_error(), streamed.mean_absolute_error());
        same_or_nan(at_once.mean_squared_error(), streamed.mean_squared_error());
        same_or_nan(at_once.r_squared(), streamed.r_squared());
        let mean = |metric: &mut WeightedMean, range: std::ops::Range<usize>| {
            metric.add(rows(range.clone()).0.mean().item(), range.len())
        };
        let [at_once, streamed] = both_ways(count, mean, WeightedMean::merge, &mut rng);
        assert_eq!(streamed.total(), count);
        assert!((at_once.value() - streamed.value()).abs() < 1e-6 || count == 0);
    }
}

#[track_caller]
fn same_or_nan(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0) || (a.is_nan() && b.is_nan()), "{a} and {b}");
}

/// The area by its definition: over all pairs.
#[test]
fn areas_count_pairs_and_equal_scores_as_half() {
    let mut rng = StdRng::seed_from_u64(1);
    for levels in [1.0, 2.0, 5.0, 1000.0] {
        let scores = (Tensor::<Rank1<60>>::uniform(-1.0, 1.0, &mut rng) * levels).round();
        let labels = Tensor::<Rank1<60>, bool>::from_fn(|[i]| i % 3 == 0);
        let (mut pairs, mut right) = (0.0, 0.0);
        for (yes, _) in scores.iter().zip(labels.iter()).filter(|(_, label)| *label) {
            for (no, _) in scores.iter().zip(labels.iter()).filter(|(_, label)| !label) {
                pairs += 1.0;
                right += if yes > no { 1.0 } else { f64::from(u8::from(yes == no)) / 2.0 };
            }
        }
        let mut area = RocAuc::default();
        area.add(&scores, &labels);
        near(area.value(), right / pairs);
        let mut reversed = RocAuc::default();
        reversed.add(&-scores, &labels);
        near(area.value() + reversed.value(), 1.0);
    }
    let of = |scores: [f32; 3]| {
        let mut area = RocAuc::default();
        area.add(&Tensor::from(scores), &Tensor::from([true, false, false]));
        area.value()
    };
    assert_eq!((of([0.0, -0.0, 0.0]), of([f32::INFINITY, 3.0, f32::INFINITY])), (0.5, 0.75));
    assert!(of([f32::NAN, 0.0, 1.0]).is_nan() && of([0.0, f32::NAN, 1.0]).is_nan());
}

#[test]
fn nothing_gives_nan_and_stays_harmless() {
    let (none, no_labels) = (Tensor::<Rank2<0, 3>>::zeros(), Tensor::<Rank1<0>, usize>::zeros());
    let mut confusion = ConfusionMatrix::<3>::default();
    confusion.add(&none, &no_labels);
    assert!(confusion.accuracy().is_nan() && confusion.f1(0).is_nan());
    for average in [Average::Macro, Average::Micro, Average::Weighted] {
        assert!(confusion.mean_f1(average).is_nan() && confusion.mean_precision(average).is_nan());
        assert!(MultilabelConfusion::<0>::default().mean_recall(average).is_nan());
    }
    assert!(ConfusionMatrix::<0>::default().mean_f1(Average::Macro).is_nan());
    assert!(BinaryConfusion::default().f1().is_nan() && BinaryConfusion::default().specificity().is_nan());
    assert!(RocAuc::default().value().is_nan() && OneVsRestRocAuc::<3>::default().macro_average().is_nan());
    assert!(Perplexity::default().value().is_nan());
    assert!(Regression::default().r_squared().is_nan() && Regression::default().mean_squared_error().is_nan());

    // the mean loss of an empty batch is NaN, and must not reach the others
    let mut loss = WeightedMean::default();
    loss.add(f32::NAN, 0);
    assert!(loss.value().is_nan());
    loss.add(1.5, 2);
    assert_eq!(loss.value(), 1.5);
    loss.add(f32::NAN, 1);
    assert!(loss.value().is_nan());
    loss.reset();
    assert_eq!((loss, loss.total()), (WeightedMean::default(), 0));
}

#[test]
fn what_is_not_a_number_is_seen() {
    let nan = Tensor::from([f32::NAN, 1.0]);
    let mut errors = Regression::default();
    errors.add(&nan, &Tensor::from([1.0, 1.0]));
    assert!(errors.mean_absolute_error().is_nan() && errors.r_squared().is_nan());
    errors.reset();
    errors.add(&Tensor::from([1.0, 2.0]), &nan);
    assert!(errors.mean_squared_error().is_nan() && errors.r_squared().is_nan());
    let mut perplexity = Perplexity::default();
    perplexity.add(&Tensor::from([[f32::NAN, 0.0, 1.0]]), &Tensor::from([1]));
    assert!(perplexity.value().is_nan());
    let mut decisions = BinaryConfusion::default();
    decisions.add(&nan, &Tensor::from([true, true]));
    assert_eq!((decisions.false_negatives(), decisions.true_positives()), (1, 1));
}

#[test]
#[should_panic(expected = "Regression: predictions of shape (3,) and labels of shape (2,)")]
fn run_time_sizes_must_agree() {
    Regression::default().add(&list(vec![1.0; 3]), &list(vec![1.0; 2]));
}
