//! Shapes: what the compiler knows of them, and what the running program checks.
//!
//!     cargo run --example 02_shapes

use taut::prelude::*;

/// A function for matrices of any size: the sizes are parameters of it, as a type would be.
fn center_rows<const R: usize, const C: usize>(x: Tensor<Rank2<R, C>>) -> Tensor<Rank2<R, C>> {
    let means = x.clone().mean_axis::<1>();
    x - means.broadcast_axis::<1, _>(Const::<C>)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Tensor::from([[1.0, 3.0], [10.0, 30.0]]);
    println!("rows with a mean of 0:\n{}\n", center_rows(x.clone()));

    // Moving axes and elements: each result's shape is computed by the compiler.
    let t: Tensor<Rank2<2, 2>> = x.clone().transpose();
    let images = Tensor::<Rank4<8, 3, 32, 32>>::zeros();
    let rows: Tensor<Rank2<8, 3072>> = images.flatten_from::<1>();
    println!("transposed:\n{t}\na flattened batch of images has the shape {:?}\n", rows.shape());

    // A dimension that only the running program knows is a `usize`: the number of lines of a file, say.
    let numbers: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let lines = numbers.len() / 3;
    let table: Tensor<(usize, Const<3>)> = Tensor::from_vec(numbers, (lines, Const::<3>))?;
    println!("a table of {} lines, whose columns add up to {}", lines, table.clone().sum_axis::<0>());

    // What does not fit is an error that says both numbers, not a surprise in a later line.
    let wrong = Tensor::from_vec(vec![1.0_f32; 5], (2, Const::<3>)).map(|_: Tensor<(usize, Const<3>)>| ());
    println!("five numbers for two lines of three: {}", wrong.unwrap_err());

    // Where a size turns out to be what the program expects, it becomes part of the type again.
    let four: Tensor<Rank2<4, 3>> = table.try_into_shape()?;
    println!("now the compiler knows: {:?}", four.shape());
    Ok(())
}
