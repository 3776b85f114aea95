use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank1<4>>::ones();
    let training = Tape::training(&mut StdRng::seed_from_u64(0)).trace(x.clone());
    let inference = Tape::inference().trace(x);
    //~ Traced<Training>
    //~ Traced<Inference>
    let _ = training + inference;
}
