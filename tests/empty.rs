//! Empty tensors: nothing is computed, however long the other axes are, forward and backward.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use taut::loss::{CrossEntropy, Each};
use taut::ops::{Norm, Order, Variance};
use taut::prelude::*;

/// Longer than any loop may be, but shorter than what cannot be addressed together with a few other axes.
const LONG: usize = 1 << 40;
/// Anything slower than this loops over an axis.
const LIMIT: Duration = Duration::from_secs(5);

/// What is running, and since when: a loop over such an axis would not end, and cannot be stopped from inside.
static FAILED: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Option<(String, Instant)>> = Mutex::new(None);

/// Tests take turns, so that one thing runs at a time.
static TURN: Mutex<()> = Mutex::new(());

fn watch() -> MutexGuard<'static, ()> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|_| {}));
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(Duration::from_millis(100));
                let running = RUNNING.lock().unwrap();
                if let Some((name, since)) = &*running
                    && since.elapsed() > LIMIT
                {
                    eprintln!("{name} goes through an axis of a tensor without elements");
                    std::process::exit(1);
                }
            }
        });
    });
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f`, which returns an empty tensor, has its number refused, or panics in words.
fn quick<R>(name: &str, f: impl FnOnce() -> R) -> Option<R> {
    *RUNNING.lock().unwrap() = Some((name.to_string(), Instant::now()));
    let result = catch_unwind(AssertUnwindSafe(f));
    *RUNNING.lock().unwrap() = None;
    let panic = match result {
        Ok(result) => return Some(result),
        Err(panic) => panic,
    };
    let words = words(&*panic);
    let fits = [
        "more elements than can be addressed",
        "out of memory",
        "nothing",
        "no elements",
        "do not fit",
        "does not fit",
        "of 0 classes",
        "no pixel",
        "does not divide",
        "more than one number",
        "have no last one",
    ];
    if !fits.iter().any(|fit| words.contains(fit)) {
        // the hook that silences expected panics would silence this one
        eprintln!("{name}: {words}");
        FAILED.store(true, Relaxed);
    }
    None
}

fn words(panic: &dyn Any) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

type Traced3<E> = Tensor<(usize, usize, usize), E, Traced<Training>>;

/// The function of a tensor of each of these shapes, and its gradient.
fn each_shape<S: Shape, O: Shape, E: Float>(
    name: &str,
    shapes: &[S],
    f: impl Fn(Tensor<S, E, Traced<Training>>) -> Tensor<O, E, Traced<Training>>,
) {
    for &shape in shapes {
        quick(&format!("{name} of {shape:?}"), || {
            let tape = Tape::training(&mut StdRng::seed_from_u64(0));
            let x = tape.watch(Tensor::<S, E>::zeros_with(shape));
            let y = f(x.clone());
            assert!(y.count() < 1 << 22);
            let ones = Tensor::ones_with(y.shape());
            assert_eq!(y.vector_jacobian(ones).of_input(&x).count(), 0);
        });
    }
}

fn shapes3() -> Vec<(usize, usize, usize)> {
    let mut shapes = Vec::new();
    for sizes in [[0, LONG, 2], [0, 2, LONG], [2, 0, LONG], [LONG, 0, 2], [LONG, 2, 0], [2, LONG, 0]] {
        shapes.push(sizes.into());
    }
    shapes.extend([(0, 1 << 20, 1 << 20), (1 << 20, 0, 1 << 20), (1 << 20, 1 << 20, 0), (0, 0, LONG), (LONG, 0, 0)]);
    shapes.extend([(0, LONG, 0), (0, 0, 0), (1, 1, 0), (0, 3, 3), (3, 0, 3), (3, 3, 0)]);
    shapes
}

#[test]
fn operations_on_nothing() {
    let _turn = watch();
    operations::<f32>();
    operations::<f64>();
    assert!(!FAILED.load(Relaxed));
}

fn operations<E: Float>() {
    let shapes = shapes3();
    macro_rules! each {
        ($($name:ident $([$($axis:tt)*])? ($($argument:expr),*);)*) => { $(
            each_shape(stringify!($name $($($axis)*)?), &shapes, |x: Traced3<E>| {
                x.$name$(::<$($axis)*>)?($($argument),*)
            });
        )* };
    }
    let (one, half) = (E::one(), E::of(0.5));
    each! {
        // every axis by itself, and more than one
        sum(); mean(); product(); norm(Norm::L2); norm(Norm::L1); logsumexp();
        var(Variance::Biased); std(Variance::Unbiased); max(); min();
        sum_axis[0](); sum_axis[1](); sum_axis[2](); mean_axis[0](); mean_axis[1](); mean_axis[2]();
        product_axis[0](); product_axis[1](); product_axis[2]();
        norm_axis[0](Norm::L2); norm_axis[1](Norm::L2); norm_axis[2](Norm::L2); norm_axis[1](Norm::L1);
        logsumexp_axis[0](); logsumexp_axis[1](); logsumexp_axis[2]();
        var_axis[0](Variance::Biased); var_axis[1](Variance::Unbiased); var_axis[2](Variance::Biased);
        std_axis[0](Variance::Biased); std_axis[1](Variance::Unbiased); std_axis[2](Variance::Biased);
        max_axis[0](); max_axis[1](); max_axis[2](); min_axis[0](); min_axis[1](); min_axis[2]();
        sum_axes[(Axis<0>, Axis<2>)](); mean_axes[(Axis<0>, Axis<2>)](); max_axes[(Axis<0>, Axis<2>)]();
        product_axes[(Axis<0>, Axis<1>)](); var_axes[(Axis<0>, Axis<2>)](Variance::Biased);
        norm_axes[(Axis<1>, Axis<2>)](Norm::L2); logsumexp_axes[(Axis<0>, Axis<2>)]();
        softmax[0](); softmax[1](); softmax[2](); log_softmax[0](); log_softmax[1](); log_softmax[2]();
        cumulative_sum[0](); cumulative_sum[1](); cumulative_sum[2]();
        transpose(); permute[(Axis<2>, Axis<1>, Axis<0>)](); permute[(Axis<1>, Axis<2>, Axis<0>)]();
        permute[(Axis<1>, Axis<0>, Axis<2>)](); permute[(Axis<2>, Axis<0>, Axis<1>)]();
        flip[0](); flip[1](); flip[2](); repeat[0, 2](); repeat[1, 2](); repeat[2, 2]();
        pad[0, 0, 0](); pad[1, 0, 0](); pad[2, 0, 0](); pad[0, 1, 1](); pad[1, 1, 1](); pad[2, 1, 1]();
        slice_range[0](0..0); slice_range[1](0..0); slice_range[2](0..0);
        flatten(); flatten_from[0](); unsqueeze[1](); broadcast_axis[0, _](2); broadcast_axis[3, _](2);
        broadcast_axis[1, _](0);
        relu(); exp(); gelu(); square(); powf(half); clamp(half, one); leaky_relu(half); softplus();
        scale_shift(half, one);
    }
    each_shape("sort", &shapes, |x: Traced3<E>| x.sort::<1>(Order::Ascending).0);
    each_shape("sort", &shapes, |x: Traced3<E>| x.sort::<2>(Order::Descending).0);
    each_shape("top_k", &shapes, |x: Traced3<E>| x.top_k::<0, 0>().0);
    each_shape("top_k", &shapes, |x: Traced3<E>| x.top_k::<2, 0>().0);
    let none = || Tensor::<(usize,), usize>::zeros_with((0,));
    each_shape("index_select", &shapes, |x: Traced3<E>| x.index_select::<0, _>(&none()));
    each_shape("index_select", &shapes, |x: Traced3<E>| x.index_select::<1, _>(&none()));
    each_shape("index_select", &shapes, |x: Traced3<E>| x.index_select::<2, _>(&none()));
    each_shape("gather", &shapes, |x: Traced3<E>| {
        let indices = Tensor::zeros_with((0, x.shape().1, x.shape().2));
        x.gather::<0, _>(&indices)
    });
    each_shape("gather", &shapes, |x: Traced3<E>| {
        let indices = Tensor::zeros_with((x.shape().0, 0, x.shape().2));
        x.gather::<1, _>(&indices)
    });
    each_shape("gather", &shapes, |x: Traced3<E>| {
        let indices = Tensor::zeros_with((x.shape().0, x.shape().1, 0));
        x.gather::<2, _>(&indices)
    });
    each_shape("concat", &shapes, |x: Traced3<E>| (x.clone(), x).concat::<0>());
    each_shape("concat", &shapes, |x: Traced3<E>| (x.clone(), x).concat::<1>());
    each_shape("concat", &shapes, |x: Traced3<E>| (x.clone(), x).concat::<2>());
    each_shape("stack", &shapes, |x: Traced3<E>| [x.clone(), x].stack::<1>());
    each_shape("split", &shapes, |x: Traced3<E>| {
        let [a, _] = x.pad::<1, 0, 0>().split::<1, 2>();
        a
    });
    each_shape("times its transpose", &shapes, |x: Traced3<E>| x.clone().matmul(x.transpose()));
    each_shape("a transpose times", &shapes, |x: Traced3<E>| x.clone().transpose().matmul(x));
    each_shape("+", &shapes, |x: Traced3<E>| x.clone() + x);
    each_shape("atan2", &shapes, |x: Traced3<E>| x.clone().atan2(x));
    each_shape("mean squared error", &shapes, |x: Traced3<E>| x.clone().mean_squared_error(&x));
    each_shape("cross entropy", &shapes, |x: Traced3<E>| {
        let labels = Tensor::zeros_with((x.shape().0, x.shape().1));
        x.cross_entropy(&labels)
    });
    each_shape("negative log likelihood of each", &shapes, |x: Traced3<E>| {
        let labels = Tensor::zeros_with((x.shape().0, x.shape().1));
        x.negative_log_likelihood_with(&labels, &CrossEntropy::default(), Each)
    });
    each_shape("multi-class hinge", &shapes, |x: Traced3<E>| {
        let labels = Tensor::zeros_with((x.shape().0, x.shape().1));
        x.multi_class_hinge(&labels)
    });
    each_shape("dropout", &shapes, |x: Traced3<E>| Dropout::<50>.forward(x));
    for &shape in &shapes {
        let x = || Tensor::<_, E>::zeros_with(shape);
        macro_rules! plain {
            ($($name:literal $value:expr;)*) => { $( quick(&format!("{} of {shape:?}", $name), || {
                let _ = $value;
            }); )* };
        }
        plain! {
            "Display" x().to_string();
            "Debug" format!("{:?}", x());
            "argmax" x().argmax();
            "argmin" x().argmin();
            "argmax_axis 0" x().argmax_axis::<0>();
            "argmax_axis 1" x().argmax_axis::<1>();
            "argmin_axis 2" x().argmin_axis::<2>();
            "argsort 0" x().argsort::<0>(Order::Ascending);
            "argsort 1" x().argsort::<1>(Order::Ascending);
            "argsort 2" x().argsort::<2>(Order::Ascending);
            "count_true_axis 0" x().is_nan().count_true_axis::<0>();
            "count_true_axis 1" x().is_nan().count_true_axis::<1>();
            "count_true_axis 2" x().is_nan().count_true_axis::<2>();
            "any" x().lt(one).any();
            "all" x().lt(one).all();
            "cast" x().is_nan().cast::<usize>();
            "is_close" x().is_close(&x(), 0.0, 0.0);
            "from_fn" Tensor::from_fn_with(shape, |_| one);
            "uniform" Tensor::<_, E>::uniform_with(shape, half, one, &mut StdRng::seed_from_u64(0));
            "normal" Tensor::<_, E>::normal_with(shape, half, one, &mut StdRng::seed_from_u64(0));
            "from_vec" Tensor::<_, E>::from_vec(vec![], shape).unwrap();
            "iter" x().iter().count();
        }
    }
}

#[test]
fn layers_on_nothing() {
    let _turn = watch();
    let images = [
        (0, Const::<2>, LONG, 1),
        (0, Const, 4, LONG),
        (0, Const, LONG, 4),
        (0, Const, 1 << 16, 1 << 16),
        (0, Const, 4, 4),
        (LONG, Const, 0, 4),
        (LONG, Const, 4, 0),
        (LONG, Const, 0, 0),
        (1, Const, 0, LONG),
        (1, Const, LONG, 0),
        (1, Const, 0, 4),
        (1, Const, 0, 0),
        (0, Const, 0, 0),
    ];
    macro_rules! each {
        ($shapes:ident: $($layer:ty),* $(,)?) => { $( {
            let layer = <$layer>::init(&mut StdRng::seed_from_u64(0));
            each_shape(stringify!($layer), &$shapes, |x: Tensor<_, f32, _>| layer.forward(x));
        } )* };
    }
    each!(images:
        MaxPool2d<2>, MaxPool2d<3, 2, 1>, MaxPool2d<1>, AvgPool2d<2>, AvgPool2d<1>, AvgPool2d<3, 2, 1, false>,
        AdaptiveAvgPool2d<1>, AdaptiveAvgPool2d<3>, AdaptiveMaxPool2d<2>, GlobalAvgPool2d, GlobalMaxPool2d,
        ZeroPad2d<1>, ReflectionPad2d<1>, ReplicationPad2d<1>, UpsampleNearest2d<2>, UpsampleBilinear2d<2>,
        PixelShuffle<1>, Dropout<50>, Dropout2d<50>, Flatten,
        Conv2d<2, 3, 3>, Conv2d<2, 3, 1>, Conv2d<2, 3, 3, 2, 1>, GroupedConv2d<2, 2, 2, 3>, SameConv2d<2, 2, 3>,
        RectangularConv2d<2, 2, 1, 3>, ConvTranspose2d<2, 2, 2>, ConvTranspose2d<2, 2, 3, 2>,
        BatchNorm2d<2>, GroupNorm<1, 2>, ChannelPRelu<2>, PRelu, Relu, Identity,
    );
    let sequences = [(0, 3, Const::<4>), (0, LONG, Const), (LONG, 0, Const), (3, 0, Const), (0, 0, Const)];
    each!(sequences:
        Rnn<4, 3>, Lstm<4, 3>, Gru<4, 3>, Lstm<4, 3, 2>, MultiHeadAttention<4, 2>,
        MultiHeadAttention<4, 2, 50, CausalMask>, TransformerEncoderLayer<4, 2, 8>, LayerNorm<4>, Linear<4, 2>,
        LastStep, Bias<4>,
    );
    let rows = [(0, Const::<4>)];
    each!(rows: Linear<4, 2>, BatchNorm1d<4>, LayerNorm<4>, Softmax<1>, LogSoftmax<1>, Dropout<50>);
    let channels = [(0, Const::<4>, LONG), (LONG, Const, 0), (1, Const, 0), (0, Const, 0), (0, Const, 5)];
    each!(channels:
        MaxPool1d<2>, AvgPool1d<2>, AvgPool1d<1>, MaxPool1d<3, 2, 1>, Conv1d<4, 3, 3>, Conv1d<4, 3, 1>, GroupNorm<2, 4>,
    );
    assert!(!FAILED.load(Relaxed));
}

#[test]
fn images_without_pixels_are_not_pooled() {
    let _turn = watch();
    for (height, width) in [(0, 0), (0, 3), (3, 0)] {
        let x = || Tensor::<_>::zeros_with((1, Const::<2>, height, width));
        let refused: [(&str, Box<dyn FnOnce()>); 6] = [
            ("maxima", Box::new(|| drop(MaxPool2d::<2, 2, 1>.forward(x())))),
            ("means", Box::new(|| drop(AvgPool2d::<2, 2, 1>.forward(x())))),
            ("adaptive maxima", Box::new(|| drop(AdaptiveMaxPool2d::<2>.forward(x())))),
            ("adaptive means", Box::new(|| drop(AdaptiveAvgPool2d::<2>.forward(x())))),
            ("global maxima", Box::new(|| drop(GlobalMaxPool2d.forward(x())))),
            ("global means", Box::new(|| drop(GlobalAvgPool2d.forward(x())))),
        ];
        for (name, pool) in refused {
            let panic = catch_unwind(AssertUnwindSafe(pool)).expect_err(name);
            assert_eq!(words(&*panic), format!("pooling: an image of {height} x {width} pixels has nothing to pool"));
        }
    }
}
