//! Shapes: what the compiler knows, and what is checked at run time.
//!
//!     cargo run --example 02_shapes

use taut::prelude::*;

/// A function for matrices of any size: the sizes are parameters, just as types can be.
fn center_rows<const R: usize, const C: usize>(x: Tensor<Rank2<R, C>>) -> Tensor<Rank2<R, C>> {
    let means = x.clone().mean_axis::<1>();
    x - means.broadcast_axis::<1, _>(Const::<C>)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Tensor::from([[1.0, 3.0], [10.0, 30.0]]);
    println!("rows with a mean of 0:\n{}\n", center_rows(x.clone()));

    // Rearranging axes and elements: the compiler computes the shape of each result.
    let t: Tensor<Rank2<2, 2>> = x.clone().transpose();
    let images = Tensor::<Rank4<8, 3, 32, 32>>::zeros();
    let rows: Tensor<Rank2<8, 3072>> = images.flatten_from::<1>();
    println!("transposed:\n{t}\na flattened batch of images has the shape {:?}\n", rows.shape());

    // A dimension known only at run time is a `usize`: the number of lines in a file, say.
    let numbers: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let lines = numbers.len() / 3;
    let table: Tensor<(usize, Const<3>)> = Tensor::from_vec(numbers, (lines, Const::<3>))?;
    println!("a table of {} lines, whose columns add up to {}", lines, table.clone().sum_axis::<0>());

    // A mismatch is an error that states both numbers, not a surprise later on.
    let wrong = Tensor::from_vec(vec![1.0_f32; 5], (2, Const::<3>)).map(|_: Tensor<(usize, Const<3>)>| ());
    println!("five numbers for two lines of three: {}", wrong.unwrap_err());

    // Once a size has been checked against what the program expects, it becomes part of the type again.
    let four: Tensor<Rank2<4, 3>> = table.try_into_shape()?;
    println!("now the compiler knows: {:?}", four.shape());
    Ok(())
}
