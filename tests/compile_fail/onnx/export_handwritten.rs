use taut::prelude::*;

#[derive(Init, Parameters)]
struct Doubled;

impl<S: Shape, T: Trace> Module<Tensor<S, f32, T>> for Doubled {
    type Output = Tensor<S, f32, T>;
    fn apply(&self, x: Tensor<S, f32, T>) -> Self::Output {
        x * 2.0
    }
}

#[derive(Init, Module, Parameters)]
struct Network {
    hidden: (Linear<3, 4>, Doubled),
    output: Linear<4, 2>,
}

fn main() {
    let model = Network::init(&mut StdRng::seed_from_u64(0));
    //~ `Doubled` cannot be exported to ONNX
    model.to_onnx::<Tensor<(usize, Const<3>)>>().unwrap();
}
