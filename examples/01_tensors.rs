//! Tensors: arrays of numbers whose shape is part of their type.
//!
//!     cargo run --example 01_tensors

use taut::prelude::*;

fn main() {
    // The shape follows from the arrays: two rows of three columns.
    let a: Tensor<Rank2<2, 3>> = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let b = Tensor::<Rank2<3, 4>>::ones();

    // A product eliminates the inner dimension. `b.matmul(a)` would not compile: 4 columns do not match 2 rows.
    let c: Tensor<Rank2<2, 4>> = a.clone().matmul(b);
    println!("a times ones:\n{c}\n");

    // Operations are methods, and operators work on tensors and numbers. Axes are named by number.
    let means = a.clone().mean_axis::<1>();
    println!("the mean of each row: {means}");
    println!("softmax of each row:\n{:.3}\n", a.clone().softmax::<1>());
    println!("2 a + 1:\n{}\n", a.clone() * 2.0 + 1.0);

    // Clones share their elements until one of them is written, so passing tensors by value costs nothing.
    let mut changed = a.clone();
    changed.as_mut_slice()[0] = 100.0;
    println!("the clone begins with {}, a still with {}", changed[[0, 0]], a[[0, 0]]);

    // Random numbers come from a generator that the caller seeds: the same program prints the same numbers.
    let mut rng = StdRng::seed_from_u64(0);
    let noise = Tensor::<Rank1<4>>::randn(&mut rng);
    println!("standard normal numbers: {noise:.3}");

    // Tensors hold f32 unless told otherwise; labels and indices are `usize`, masks are `bool`.
    let positive: Tensor<Rank1<4>, bool> = noise.gt(0.0);
    println!("where they are positive: {positive}");
}
