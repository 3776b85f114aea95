use taut::prelude::*;

#[derive(Init, Parameters)]
struct Skip {
    layer: Linear<4, 4>,
}

impl<B: Dim> Module<Tensor<(B, Const<4>)>> for Skip {
    type Output = Tensor<(B, Const<4>)>;
    fn apply(&self, x: Tensor<(B, Const<4>)>) -> Self::Output {
        self.layer.forward(x.clone()) + x
    }
}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let model = Skip::init(&mut rng);
    let tape = Tape::training(&mut rng);
    //~ expected `Tensor<(_, Const<4>)>`, found `Tensor<(Const<8>, Const<4>), f32, ...>`
    model.forward(tape.trace(Tensor::<Rank2<8, 4>>::ones()));
}
