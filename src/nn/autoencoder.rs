//! An encoder and its decoder.

use super::{Forward, Init, Module};
use crate::params::Parameters;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = decoder(encoder(x)), with the shape of x: if y is trained to reproduce x, the encoder's output is a code of x. A
/// decoder with another output shape does not compile.
///
/// Rumelhart, Hinton and Williams, "Learning Internal Representations by Error Propagation", 1986; Hinton and
/// Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", 2006.
///
/// ```
/// use taut::prelude::*;
/// type Encoder = (Linear<64, 32>, Relu, Linear<32, 8>);
/// type Decoder = (Linear<8, 32>, Relu, Linear<32, 64>);
/// let model = Autoencoder::<Encoder, Decoder>::init(&mut StdRng::seed_from_u64(0));
/// let x = Tensor::<Rank2<4, 64>>::ones();
/// let code: Tensor<Rank2<4, 8>> = model.encoder.forward(x.clone());
/// let loss = model.forward(x.clone()).mean_squared_error(&x);
/// ```
#[derive(Clone, Copy, Debug, Init, Parameters)]
pub struct Autoencoder<E, D> {
    /// From the input to the code.
    pub encoder: E,
    /// From the code back.
    pub decoder: D,
}

/// The output shape of an autoencoder: that of its input.
#[diagnostic::on_unimplemented(
    message = "a decoder restores the shape of the encoder's input: `{In}` goes into the encoder and `{Self}` comes \
            out of the decoder",
    label = "this decoder returns another shape"
)]
pub trait RestoresShape<In>: Shape {}
impl<S: Shape> RestoresShape<S> for S {}

// With this impl alone, rustc would infer the encoder's input from the decoder's output before it looks at the actual
// input, and report an error elsewhere. With a second candidate, it does not guess.
#[doc(hidden)]
pub enum Undecided {}
macro_rules! undecided {
    ($($dims:ty),+) => { $(
        #[diagnostic::do_not_recommend]
        impl<S: Shape> RestoresShape<$dims> for S {}
    )+ };
}
type U = Undecided;
undecided!((U,), (U, U), (U, U, U), (U, U, U, U), (U, U, U, U, U), (U, U, U, U, U, U));

impl<E, D, S: Shape, C, O: RestoresShape<S>, F: Float, T: Trace> Module<Tensor<S, F, T>> for Autoencoder<E, D>
where
    E: Module<Tensor<S, F, T>, Output = C>,
    D: Module<C, Output = Tensor<O, F, T>>,
{
    type Output = Tensor<O, F, T>;
    fn apply(&self, x: Tensor<S, F, T>) -> Self::Output {
        self.decoder.forward(self.encoder.forward(x))
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn the_decoder_runs_on_the_code() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = Autoencoder::<(Linear<6, 4>, Tanh), Linear<4, 6>>::init(&mut rng);
        let x = Tensor::<(usize, Const<6>)>::normal_with((3, Const), 0.0, 1.0, &mut rng);
        assert_eq!(model.forward(x.clone()), model.decoder.forward(model.encoder.forward(x)));
        let mut names = Vec::new();
        model.for_each_parameter(|name, _| names.push(name.to_string()));
        assert_eq!(names, ["encoder.0.weight", "encoder.0.bias", "decoder.weight", "decoder.bias"]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut rng = StdRng::seed_from_u64(1);
        let model = Autoencoder::<(Linear<6, 4, f64>, Tanh), Linear<4, 6, f64>>::init(&mut rng);
        let x = Tensor::<Rank2<3, 6>, f64>::randn(&mut rng);
        check_parameter_gradients(&model, |model, tape| model.forward(tape.trace(x.clone()))).unwrap();
        check_gradients(|x| model.forward(x), x.clone()).unwrap();
    }
}
