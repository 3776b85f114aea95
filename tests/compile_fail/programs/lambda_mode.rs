use taut::prelude::*;

fn main() {
    let model = (Linear::<3, 4>::init(&mut StdRng::seed_from_u64(0)), Lambda(|x: Tensor<Rank2<2, 4>>| x.relu()));
    let tape = Tape::inference();
    //~ expected struct `Tensor<_, f32, NoTrace>`
    model.forward(tape.trace(Tensor::<Rank2<2, 3>>::ones()));
}
