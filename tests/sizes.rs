//! Shapes with more elements than can be addressed, or than there is memory for: refused with a message, at the line
//! that asks for them, by everything that makes a shape.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use taut::ops::Window2d;
use taut::prelude::*;

/// One hook for the whole program: tests that use it take turns.
static HOOK: Mutex<()> = Mutex::new(());
/// The file of the last panic.
static PLACE: Mutex<String> = Mutex::new(String::new());

/// Panics unless `f` does, with a message about its size and at a line of this file.
#[track_caller]
fn refused<R>(what: &str, f: impl FnOnce() -> R) {
    let message = message(what, f);
    let fits = ["more elements than can be addressed", "out of memory", "do not fit"];
    assert!(fits.iter().any(|words| message.contains(words)), "{what}: {message}");
}

fn message<R>(what: &str, f: impl FnOnce() -> R) -> String {
    let turn = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| {
        *PLACE.lock().unwrap() = panic.location().map_or(String::new(), |place| place.file().to_string());
    }));
    let result = catch_unwind(AssertUnwindSafe(|| drop(f())));
    std::panic::set_hook(before);
    let place = std::mem::take(&mut *PLACE.lock().unwrap());
    drop(turn);
    let Err(panic) = result else { panic!("{what} was not refused") };
    assert!(place.ends_with("tests/sizes.rs"), "{what}: panics in {place}");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

/// Pairs whose product, if it wraps, is 0, 2, `isize::MAX + 1`, or more than any memory.
const PAIRS: [(usize, usize); 5] =
    [(1 << 32, 1 << 32), (usize::MAX / 2 + 2, 2), (1 << 32, 1 << 31), (1 << 31, 1 << 31), (1 << 46, 1)];

#[test]
fn constructors_refuse_what_has_no_room() {
    let mut rng = StdRng::seed_from_u64(0);
    for shape in PAIRS {
        refused("zeros", || Tensor::<_>::zeros_with(shape));
        refused("zeros of bool", || Tensor::<_, bool>::zeros_with((shape.0, shape.1, 8_usize)));
        refused("ones", || Tensor::<_, f64>::ones_with(shape));
        refused("full", || Tensor::full_with(shape, 3_usize));
        refused("from_fn", || Tensor::from_fn_with(shape, |_| 0.0_f32));
        refused("uniform", || Tensor::<_>::uniform_with(shape, 0.0, 1.0, &mut rng));
        refused("normal", || Tensor::<_>::normal_with(shape, 0.0, 1.0, &mut rng));
        refused("truncated", || Tensor::<_>::truncated_normal_with(shape, 0.0, 1.0, (-1.0, 1.0), &mut rng));
    }
    refused("static", || Tensor::<Rank2<{ 1 << 32 }, { 1 << 32 }>>::zeros());
    refused("static", || Tensor::<Rank1<{ 1 << 60 }>>::uniform(0.0, 1.0, &mut rng));
    refused("eye", || Tensor::<Rank2<{ 1 << 32 }, { 1 << 32 }>>::eye());
    let words = message("zeros", || Tensor::<(usize, usize)>::zeros_with((1 << 32, 1 << 32)));
    assert_eq!(words, "a tensor of shape (4294967296, 4294967296) has more elements than can be addressed");
    let words = message("zeros", || Tensor::<(usize,)>::zeros_with((1 << 46,)));
    assert!(words.contains("70368744177664 elements of type f32 take 281474976710656 bytes"), "{words}");
}

#[test]
fn values_do_not_fill_a_shape_that_wraps() {
    let shape = (6148914691236517206_usize, Const::<3>); // 2, if it wraps
    let error = Tensor::from_vec(vec![1.0_f32; 2], shape).unwrap_err().to_string();
    assert_eq!(
        error,
        "a tensor of shape (6148914691236517206, 3) has more elements than can be addressed, and 2 values were given"
    );
    assert!(Tensor::from_slice(&[0.0_f32; 0], (1_usize << 32, 1_usize << 32)).is_err());
    assert!(Tensor::from_slice(&[0.0_f32; 0], (0_usize, usize::MAX, 2_usize)).is_err());
    refused("reshape", || Tensor::from([1.0, 2.0, 3.0, 4.0]).reshape_with(((1 << 63) + 2_usize, 2_usize)));
    refused("reshape", || Tensor::<(usize,)>::zeros_with((0,)).reshape_with((1_usize << 32, 1_usize << 32)));
}

#[test]
fn operations_refuse_what_has_no_room() {
    let two = || Tensor::from([1.0, 2.0]);
    refused("broadcast_axis", || two().broadcast_axis::<0, _>(1 << 62));
    refused("broadcast_axis", || two().broadcast_axis::<1, _>(1 << 63));
    refused("broadcast_axis", || two().broadcast_axis::<1, _>(1 << 50));
    refused("broadcast_to", || two().broadcast_to::<(Axis<0>, Axis<2>), _>((1_usize << 32, Const::<2>, 1_usize << 31)));
    refused("one_hot", || -> Tensor<(Const<2>, usize)> { Tensor::from([1, 2]).one_hot(1 << 63) });
    refused("one_hot", || -> Tensor<(Const<2>, usize)> { Tensor::from([1, 2]).one_hot(1 << 50) });
    let rows = || Tensor::<(usize, usize)>::ones_with((1, 2));
    refused("repeat", || rows().repeat::<1, { 1 << 63 }>());
    refused("repeat", || rows().repeat::<1, { 1 << 50 }>());
    refused("pad", || rows().pad::<0, { usize::MAX }, 1>());
    refused("pad", || rows().pad::<1, { 1 << 62 }, { 1 << 62 }>());
    refused("pad", || rows().pad::<1, { 1 << 50 }, 0>());
    let long = || Tensor::<(usize, usize)>::zeros_with((1 << 32, 0));
    refused("matmul", || long().matmul(long().transpose()));
    refused("matmul", || {
        Tensor::<_>::zeros_with((1_usize << 24, 0_usize)).matmul(Tensor::<_>::zeros_with((0_usize, 1_usize << 24)))
    });
    refused("sum_axis", || Tensor::<(usize, usize)>::zeros_with((1 << 60, 0)).sum_axis::<1>());
    let none = || Tensor::<(usize, usize, usize)>::zeros_with((0, 1, 1 << 62));
    refused("index_select", || none().index_select::<1, _>(&Tensor::from([0, 0])));
    let empty = || Tensor::<(usize, usize)>::zeros_with((0, 1 << 62));
    refused("concat", || (empty(), empty(), empty()).concat::<1>());
    refused("concat", || vec![empty(), empty()].concat::<1>());
    refused("stack", || vec![empty(), empty()].stack::<0>());
}

#[test]
fn layers_refuse_what_has_no_room() {
    let image = |height, width| Tensor::<_>::ones_with((1_usize, Const::<1>, height, width));
    let small = || image(3_usize, 3_usize);
    // the compiler knows factors and strides up to 2048
    let none = || Tensor::<_>::zeros_with((0_usize, Const::<1>, 1_usize << 30, 1_usize << 25));
    refused("upsample", || UpsampleNearest2d::<2048>.forward(none()));
    refused("upsample", || UpsampleBilinear2d::<2048>.forward(none()));
    refused("zero padding", || ZeroPad2d::<{ 1 << 62 }>.forward(small()));
    refused("zero padding", || ZeroPad2d::<{ 1 << 23 }>.forward(small()));
    refused("replication", || ReplicationPad2d::<{ usize::MAX }>.forward(small()));
    refused("im2col", || small().im2col::<1, 1, { 1 << 23 }>());
    refused("im2col", || small().im2col::<1, 1, { 1 << 40 }>());
    let window = |padding| Window2d { padding: [padding; 2], ..Window2d::square(1) };
    for padding in [1 << 23, 1 << 31, 1 << 40] {
        refused("im2col_with", || small().im2col_with(window(padding)));
    }
    let words = message("im2col_with", || small().im2col_with(window(1 << 63)));
    assert!(words.contains("does not fit images of shape (1, 1, 3, 3)"), "{words}");
    let mut rng = StdRng::seed_from_u64(0);
    let convolution = Conv2d::<1, 1, 1, 1, { 1 << 23 }>::init(&mut rng);
    refused("convolution", || convolution.forward(small()));
    let convolution = Conv2d::<1, 1, 1, 1, { 1 << 62 }>::init(&mut rng);
    refused("convolution", || convolution.forward(small()));
    let transposed = ConvTranspose2d::<1, 1, 2, 2048>::init(&mut rng);
    refused("transposed convolution", || transposed.forward(none()));
    // of no features, so that there are many steps
    let steps = |batch, steps| Tensor::<(usize, usize, Const<0>)>::zeros_with((batch, steps, Const));
    for (batch, length) in PAIRS.into_iter().filter(|&(batch, length)| (batch, length).checked_count().is_some()) {
        let lstm = Lstm::<0, 4>::init(&mut rng);
        refused("lstm", || lstm.forward(steps(batch, length)));
        let gru = Gru::<0, 4>::init(&mut rng);
        refused("gru", || gru.forward(steps(batch, length)));
    }
}
