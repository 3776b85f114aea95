//! Random shapes and random numbers for tests. `tests/` includes this file too, so it uses public names only.

use rand::Rng;
use taut::prelude::*;

/// Runs `$body` for random shapes: of every rank from 0 to 6 with run-time dimensions, or of the shape types given. For
/// each type, one shape has a dimension of 1 and one a dimension of 0.
///
/// ```ignore
/// use crate::ops::testing::*; // `use common::testing::*;` in tests/
/// random_shapes!(|shape, rng| check_function(|x| x.exp(), random(shape, -3.0, 3.0, rng)));
/// random_shapes!([(usize, usize), (usize, usize, usize)] |shape, rng| ...);
/// ```
macro_rules! random_shapes {
    (|$shape:ident, $rng:ident| $body:expr) => {
        random_shapes!([
            (),
            (usize,),
            (usize, usize),
            (usize, usize, usize),
            (usize, usize, usize, usize),
            (usize, usize, usize, usize, usize),
            (usize, usize, usize, usize, usize, usize)
        ] |$shape, $rng| $body)
    };
    ([$($type:ty),+] |$shape:ident, $rng:ident| $body:expr) => {{
        use rand::SeedableRng as _;
        let $rng = &mut rand::rngs::StdRng::seed_from_u64(0);
        $(
            for kind in 0..4 {
                let $shape: $type = random_shape(kind, $rng);
                $body;
            }
        )+
    }};
}
pub(crate) use random_shapes;

/// Compares the gradients of a reduction with finite differences: over all elements, over one axis, and over several,
/// neighbours or not. With `of_something` in front, only where there are elements.
macro_rules! check_reduction {
    (of_something $($rest:tt)*) => {
        check_reduction!(@ false, $($rest)*)
    };
    (
        @ $empty:expr, $all:ident, $axis:ident, $axes:ident,
        |$shape:ident, $rng:ident| $random:expr $(, $argument:expr)?
    ) => {{
        random_shapes!([(), (usize,), (usize, usize), (usize, usize, usize, usize, usize, usize)] |$shape, $rng| {
            let x = $random;
            if x.count() == 0 && !$empty {
                continue;
            }
            check_gradients(|x| x.$all($($argument)?), x).unwrap();
        });
        random_shapes!([(usize, usize, usize), (usize, usize, usize, usize)] |$shape, $rng| {
            let x = $random;
            if x.count() == 0 && !$empty {
                continue;
            }
            check_gradients(|x| x.$axis::<0>($($argument)?), x.clone()).unwrap();
            check_gradients(|x| x.$axis::<1>($($argument)?), x.clone()).unwrap();
            check_gradients(|x| x.$axis::<2>($($argument)?), x.clone()).unwrap();
            check_gradients(|x| x.$axes::<(Axis<1>, Axis<2>)>($($argument)?), x.clone()).unwrap();
            check_gradients(|x| x.$axes::<(Axis<0>, Axis<2>)>($($argument)?), x.clone()).unwrap();
            // a second gradient is added to the first
            check_gradients(|x| x.clone().$axis::<1>($($argument)?) + x.$axis::<1>($($argument)?), x).unwrap();
        });
    }};
    ($($all:tt)*) => {
        check_reduction!(@ true, $($all)*)
    };
}
pub(crate) use check_reduction;

/// Random numbers, no two of them closer than 0.01.
pub fn distinct<S: Shape>(shape: S, rng: &mut StdRng) -> Tensor<S, f64> {
    let mut numbers: Vec<f64> = Vec::new();
    while numbers.len() < shape.count() {
        let x = Tensor::<Rank0, f64>::uniform(-3.0, 3.0, rng).item();
        if numbers.iter().all(|y| (x - y).abs() > 0.01) {
            numbers.push(x);
        }
    }
    Tensor::from_vec(numbers, shape).expect("as many numbers as elements")
}

/// A shape with few elements and random run-time dimensions. `kind` 1 makes one of them 1, `kind` 2 makes one 0.
pub fn random_shape<S: Shape>(kind: usize, rng: &mut StdRng) -> S {
    // drawn again until the dimensions that the compiler knows have their sizes
    loop {
        if let Some(shape) = S::from_sizes(&random_sizes(S::RANK, kind, rng)) {
            return shape;
        }
    }
}

fn random_sizes(rank: usize, kind: usize, rng: &mut StdRng) -> Vec<usize> {
    const MOST: usize = 36;
    let mut sizes = vec![1; rank];
    if rank > 0 {
        let mut left = MOST;
        let first = rng.next_u32() as usize % rank;
        for axis in 0..rank {
            let size = 1 + rng.next_u32() as usize % left.min(5);
            sizes[(first + axis) % rank] = size;
            left /= size;
        }
        let one_or_none = rng.next_u32() as usize % rank;
        match kind {
            1 => sizes[one_or_none] = 1,
            2 => sizes[one_or_none] = 0,
            _ => {}
        }
    }
    sizes
}

/// Random numbers between `low` and `high`.
pub fn random<S: Shape>(shape: S, low: f64, high: f64, rng: &mut StdRng) -> Tensor<S, f64> {
    Tensor::uniform_with(shape, low, high, rng)
}

/// Random numbers between `low` and `high` that keep at least 0.01 away from each of `points`, where a function has
/// no derivative.
pub fn random_apart<S: Shape>(shape: S, low: f64, high: f64, points: &[f64], rng: &mut StdRng) -> Tensor<S, f64> {
    Tensor::from_fn_with(shape, |_| {
        loop {
            let x = Tensor::<Rank0, f64>::uniform(low, high, rng).item();
            if points.iter().all(|point| (x - point).abs() > 0.01) {
                return x;
            }
        }
    })
}

/// An f64 tensor on the tape of [`check_gradients`].
pub type Watched<S> = Tensor<S, f64, Traced<Training>>;
/// Two of them.
pub type Pair<S> = (Watched<S>, Watched<S>);

/// Compares the gradient of a function that keeps the shape with finite differences. (It takes a function pointer, so
/// that it is compiled once per shape type, and not once per function.)
#[track_caller]
pub fn check_function<S: Shape>(f: fn(Watched<S>) -> Watched<S>, x: Tensor<S, f64>) {
    if let Err(error) = check_gradients(f, x.clone()) {
        panic!("{error}, at {x:?}");
    }
}

/// The same for a function of two tensors of one shape.
#[track_caller]
pub fn check_function_of_two<S: Shape>(f: fn(Pair<S>) -> Watched<S>, a: Tensor<S, f64>, b: Tensor<S, f64>) {
    if let Err(error) = check_gradients(f, (a.clone(), b.clone())) {
        panic!("{error}, at {a:?} and {b:?}");
    }
}
