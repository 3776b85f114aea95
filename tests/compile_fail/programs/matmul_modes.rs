use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<4, 4>>::ones();
    let training = Tape::training(&mut StdRng::seed_from_u64(0)).trace(x.clone());
    let inference = Tape::inference().trace(x);
    //~ a value of mode `Traced<Training>` cannot meet one of mode `Traced<Inference>`
    training.matmul(inference);
}
