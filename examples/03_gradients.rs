//! Gradients: operations on a tape are recorded, and walked backwards.
//!
//!     cargo run --example 03_gradients

use taut::prelude::*;

fn main() {
    // The gradient of x^2 + 3 x is 2 x + 3.
    let tape = Tape::inference();
    let x = tape.watch(Tensor::from([1.0, 2.0, 3.0]));
    let y = (x.clone() * x.clone() + x.clone() * 3.0).sum();
    let gradients = y.backward();
    println!("d(x^2 + 3 x)/dx at 1, 2, 3: {}", gradients.of_input(&x));

    // So a function can be minimised without any model: here, the lowest point of a paraboloid.
    let mut point = Tensor::from([4.0, -3.0]);
    for step in 1..=60 {
        let tape = Tape::inference();
        let x = tape.watch(point.clone());
        let height = (x.clone() - Tensor::from([1.0, 2.0])).square().sum();
        if step % 20 == 0 {
            println!("step {step}: height {:.6} at {point:.3}", height.item());
        }
        point -= height.backward().of_input(&x) * 0.1;
    }

    // Without a tape nothing is recorded and there is no overhead: this line has no gradient, and asking for one would
    // not compile.
    let plain = Tensor::from([1.0, 2.0, 3.0]).square().sum();
    println!("1 + 4 + 9 = {}", plain.item());

    // A custom operation can be checked against finite differences, in f64.
    let checked = check_gradients(|x| x.tanh() * 2.0, Tensor::<_, f64>::of([0.5, -1.0]));
    println!("2 tanh(x) against finite differences: {}", if checked.is_ok() { "they agree" } else { "they differ" });
}
