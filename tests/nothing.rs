//! Nothing within something: losses of no samples, of samples that do not count, sequences of length 0 and empty bags
//! in batches that are not empty. Their results are 0, and so are their gradients.

use taut::loss::{CrossEntropy, Each, Mean, Sum};
use taut::nn::{BagMode, Bidirectional, Unidirectional};
use taut::prelude::*;
use taut::shape::LastAxis;

type Watched<S, E> = Tensor<S, E, Traced<Inference>>;

/// The loss of all of `x` is 0, and so is its gradient, whatever the upstream gradient.
#[track_caller]
fn nothing<S: Shape, O: Shape, E: Float>(what: &str, x: Tensor<S, E>, loss: impl Fn(Watched<S, E>) -> Watched<O, E>) {
    let tape = Tape::inference();
    let x = tape.watch(x);
    let y = loss(x.clone());
    assert!(y.iter().all(|loss| loss == E::zero()), "{what}: {y:?}");
    let upstream = Tensor::full_with(y.shape(), E::of(3.0));
    let gradient = y.vector_jacobian(upstream).of_input(&x);
    assert_eq!(gradient.shape(), x.shape());
    assert!(gradient.iter().all(|g| g == E::zero()), "{what}: {gradient:?}");
}

/// The loss with each reduction.
macro_rules! each_reduction {
    ($what:expr, $x:expr, |$name:ident, $reduction:ident| $loss:expr) => {{
        nothing(&format!("{}, mean", $what), $x, |$name| {
            let $reduction = Mean;
            $loss
        });
        nothing(&format!("{}, sum", $what), $x, |$name| {
            let $reduction = Sum;
            $loss
        });
        nothing(&format!("{}, each", $what), $x, |$name| {
            let $reduction = Each;
            $loss
        });
    }};
}

fn losses_of_pairs<S: LastAxis, E: Float>(shape: S) {
    let t = Tensor::<S, E>::zeros_with(shape);
    macro_rules! each {
        ($($method:ident($($argument:expr),*);)*) => { $(
            each_reduction!(
                format!("{} of {shape:?}", stringify!($method)),
                Tensor::<S, E>::zeros_with(shape),
                |x, reduction| x.$method(&t, $($argument,)* reduction)
            );
        )* };
    }
    each! {
        mean_squared_error_with(); mean_absolute_error_with(); huber_with(0.5); hinge_with(); logistic_with();
        binary_cross_entropy_with(2.0); kl_divergence_with();
    }
}

#[test]
fn losses_of_empty_pairs() {
    fn all<E: Float>() {
        losses_of_pairs::<_, E>((0,));
        losses_of_pairs::<_, E>((0, 3));
        losses_of_pairs::<_, E>((3, 0));
        losses_of_pairs::<_, E>((0, 2, 3));
        losses_of_pairs::<_, E>((2, 3, 0));
        losses_of_pairs::<_, E>((2, 0, 3, 4));
    }
    all::<f32>();
    all::<f64>();
}

/// Settings of cross-entropies: plain, smoothed, weighted, and both.
fn settings<E: Float>(weights: [f64; 3], ignored: Option<usize>) -> Vec<CrossEntropy<Const<3>, E>> {
    let weights = || Some(Tensor::from_vec(weights.map(E::of).to_vec(), (Const,)).unwrap());
    let (plain, smoothed) = (0.0, 0.25);
    [(plain, None), (smoothed, None), (plain, weights()), (smoothed, weights())]
        .map(|(label_smoothing, class_weights)| CrossEntropy {
            label_smoothing,
            class_weights,
            ignored,
            ..Default::default()
        })
        .into()
}

#[test]
fn losses_of_no_rows() {
    fn all<E: Float>() {
        for settings in settings::<E>([0.5, 1.0, 2.0], None).iter().chain(&settings([0.0; 3], None)) {
            let x = || Tensor::<_, E>::zeros_with((0, Const::<3>));
            let (classes, soft) = (Tensor::<(usize,), usize>::zeros_with((0,)), x());
            each_reduction!("no classes", x(), |x, r| x.cross_entropy_with(&classes, settings, r));
            each_reduction!("nothing soft", x(), |x, r| x.cross_entropy_with(&soft, settings, r));
            each_reduction!("no likelihoods", x(), |x, r| x.negative_log_likelihood_with(&classes, settings, r));
            for shape in [(0, 2), (2, 0), (0, 0)] {
                let x = || Tensor::<_, E>::zeros_with((shape.0, shape.1, Const::<3>));
                let (classes, soft) = (Tensor::<(usize, usize), usize>::zeros_with(shape), x());
                each_reduction!("no steps", x(), |x, r| x.cross_entropy_with(&classes, settings, r));
                each_reduction!("no soft steps", x(), |x, r| x.cross_entropy_with(&soft, settings, r));
                each_reduction!("unlikely", x(), |x, r| x.negative_log_likelihood_with(&classes, settings, r));
            }
        }
        let classes = Tensor::<(usize,), usize>::zeros_with((0,));
        let x = || Tensor::<_, E>::zeros_with((0, Const::<3>));
        each_reduction!("multi-class hinge", x(), |x, r| x.multi_class_hinge_with(&classes, r));
    }
    all::<f32>();
    all::<f64>();
}

#[test]
fn samples_that_do_not_count() {
    fn all<E: Float>() {
        // whatever the ignored rows hold
        let x = || {
            let values = [1.0, f64::NAN, -3.0, f64::INFINITY, 0.0, f64::NEG_INFINITY, 2.0, 2.0, 2.0, 1e30, -1e30, 0.5];
            Tensor::<_, E>::from_vec(values.map(E::of).to_vec(), (2, 2, Const::<3>)).unwrap()
        };
        for ignored in [1, 7, usize::MAX] {
            let labels = Tensor::full_with((2, 2), ignored);
            for settings in
                settings::<E>([0.5, 1.0, 2.0], Some(ignored)).iter().chain(&settings([0.0; 3], Some(ignored)))
            {
                each_reduction!("ignored", x(), |x, r| x.cross_entropy_with(&labels, settings, r));
                each_reduction!("ignored", x(), |x, r| x.negative_log_likelihood_with(&labels, settings, r));
            }
        }
        // weights that sum to 0: those of the labels, or all of them where the others count through smoothing
        let x = || Tensor::<_, E>::from_fn_with((4, Const::<3>), |[i, j]| E::of(i as f64 - 2.0 * j as f64));
        let labels = Tensor::<(usize,), usize>::from_fn_with((4,), |[i]| i % 2);
        for (number, settings) in settings::<E>([0.0; 3], None).iter().enumerate().skip(2) {
            let soft = Tensor::full_with((4, Const::<3>), E::of(1.0 / 3.0));
            each_reduction!(format!("weighted {number}"), x(), |x, r| x.cross_entropy_with(&labels, settings, r));
            each_reduction!(format!("soft {number}"), x(), |x, r| x.cross_entropy_with(&soft, settings, r));
        }
        let settings = &settings::<E>([0.0, 0.0, 5.0], None)[2];
        each_reduction!("weighted", x(), |x, r| x.cross_entropy_with(&labels, settings, r));
        each_reduction!("weighted", x(), |x, r| x.negative_log_likelihood_with(&labels, settings, r));
    }
    all::<f32>();
    all::<f64>();
}

/// Sequences one of which has no steps: the others are what they are alone, this one is 0, and neither it nor padding
/// gets a gradient.
#[test]
fn sequences_without_steps() {
    const STEPS: usize = 3;
    let mut rng = StdRng::seed_from_u64(0);
    let x = Tensor::<Rank3<3, STEPS, 4>, f64>::randn(&mut rng);
    let lengths = Tensor::from([2, 0, 3]);
    // padding may hold anything
    let padded =
        Tensor::<Rank3<3, STEPS, 4>, f64>::from_fn(|[i, j, k]| if j < lengths[[i]] { x[[i, j, k]] } else { f64::NAN });
    macro_rules! each {
        ($($layer:ty),* $(,)?) => { $( {
            let layer = <$layer>::init(&mut rng);
            let tape = Tape::inference();
            let watched = tape.watch(padded.clone());
            let y = output(layer.forward((watched.clone(), lengths.clone())));
            assert!(y.clone().slice_at::<0>(1).iter().all(|y| y == 0.0), "{}", stringify!($layer));
            for (sequence, length) in [(0, 2), (2, 3)] {
                let alone = x.clone().slice_range::<0>(sequence..sequence + 1).slice_range::<1>(0..length);
                let alone = output(layer.forward((alone, Tensor::full_with((1_usize,), length))));
                let found = y.clone().slice_at::<0>(sequence).slice_range::<0>(0..length);
                let close = found.iter().zip(alone.iter()).all(|(a, b)| (a - b).abs() < 1e-12);
                assert!(close, "{}", stringify!($layer));
            }
            let gradients = y.square().sum().backward();
            assert!(gradients.is_finite(), "{}", stringify!($layer));
            let g = gradients.of_input(&watched);
            assert!((0..STEPS).all(|j| g[[1, j, 0]] == 0.0) && g[[0, 2, 1]] == 0.0 && g[[0, 1, 1]] != 0.0);
        } )* };
    }
    /// The sequence in a layer's output.
    trait Output<T> {
        fn sequence(self) -> T;
    }
    impl<S: Shape, T> Output<Tensor<S, f64, T>> for Tensor<S, f64, T> {
        fn sequence(self) -> Self {
            self
        }
    }
    impl<S: Shape, T, U> Output<Tensor<S, f64, T>> for (Tensor<S, f64, T>, U) {
        fn sequence(self) -> Tensor<S, f64, T> {
            self.0
        }
    }
    fn output<T, O: Output<T>>(output: O) -> T {
        output.sequence()
    }
    each!(
        Rnn<4, 3, 1, Unidirectional, f64>,
        Lstm<4, 3, 1, Unidirectional, f64>,
        Gru<4, 3, 1, Unidirectional, f64>,
        Lstm<4, 3, 2, Bidirectional, f64>,
        Gru<4, 3, 2, Bidirectional, f64>,
        MultiHeadAttention<4, 2, 0, NoMask, f64>,
        MultiHeadAttention<4, 2, 0, CausalMask, f64>,
    );
}

#[test]
fn bags_of_nothing() {
    let mut layer = EmbeddingBag::<5, 2>::init(&mut StdRng::seed_from_u64(0)).with_padding(4);
    for mode in [BagMode::Mean, BagMode::Sum] {
        layer.mode = mode;
        let empty = layer.forward(Tensor::<Rank2<3, 0>, usize>::zeros());
        assert_eq!(empty.to_array(), [[0.0; 2]; 3]);
        let tape = Tape::inference();
        let y = layer.forward(tape.trace(Tensor::from([[1, 4], [4, 4], [3, 3]])));
        assert_eq!(y.clone().slice_at::<0>(1).to_array(), [0.0; 2]);
        let gradient = y.sum().backward().of(&layer.weight).to_array();
        let [_, used, _, twice, padding] = gradient;
        let each = if mode == BagMode::Mean { 1.0 } else { 2.0 };
        assert_eq!((used, twice, padding), ([1.0; 2], [each; 2], [0.0; 2]));
    }
}
