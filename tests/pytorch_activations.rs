//! Activation layers with their default parameters, trained slopes, and choices by a mask: PyTorch's values.

mod common;

use common::{Entry, F32, F64, case};
use taut::prelude::*;

type Shape3 = Rank3<2, 3, 4>;
type Numbers<E> = Tensor<Shape3, E, Traced<Training>>;

fn layer_agrees<M: Init + Module<Numbers<f32>, Output = Numbers<f32>> + Module<Numbers<f64>, Output = Numbers<f64>>>(
    name: &str,
) {
    let layer = M::init(&mut StdRng::seed_from_u64(0));
    case("activations", name).check::<(Tensor<Shape3>,), _, _>(F32, |(x,)| layer.forward(x));
    case("activations", name).check::<(Tensor<Shape3, f64>,), _, _>(F64, |(x,)| layer.forward(x));
}

#[test]
fn layers_agree() {
    layer_agrees::<Relu>("relu");
    layer_agrees::<LeakyRelu>("leaky_relu");
    layer_agrees::<Elu>("elu");
    layer_agrees::<Gelu>("gelu");
    layer_agrees::<GeluTanh>("gelu_tanh");
    layer_agrees::<Silu>("silu");
    layer_agrees::<Softplus>("softplus");
    layer_agrees::<Sigmoid>("sigmoid");
    layer_agrees::<Tanh>("tanh");
}

#[test]
fn trained_slopes_agree() {
    fn agree<E: Float + Entry>(tolerance: f64) {
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let shared = case("activations", "prelu");
        let x = tape.watch(shared.input::<Rank3<4, 3, 4>, E>(0));
        let layer = PRelu::<E>::init(&mut StdRng::seed_from_u64(0));
        assert_eq!(layer.weight.value(), &shared.input::<Rank1<1>, E>(1), "the initial slope");
        let y = layer.forward(x.clone());
        shared.expect_output(&y, tolerance);
        let gradients = y.vector_jacobian(shared.upstream());
        shared.expect_gradient(0, &gradients.of_input(&x), tolerance);
        shared.expect_gradient(1, &gradients.of(&layer.weight), tolerance);

        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let by_channel = case("activations", "channel_prelu");
        let x = tape.watch(by_channel.input::<Rank3<4, 3, 4>, E>(0));
        let layer = ChannelPRelu::<3, E> { weight: by_channel.input(1).into() };
        let y = layer.forward(x.clone());
        by_channel.expect_output(&y, tolerance);
        let gradients = y.vector_jacobian(by_channel.upstream());
        by_channel.expect_gradient(0, &gradients.of_input(&x), tolerance);
        by_channel.expect_gradient(1, &gradients.of(&layer.weight), tolerance);
    }
    agree::<f32>(F32);
    agree::<f64>(F64);
}
