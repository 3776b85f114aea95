use taut::prelude::*;

fn doubled(x: Tensor<Rank1<3>, f32, Traced<Training>>) -> Tensor<Rank1<3>, f32, Traced<Training>> {
    let again = x.clone();
    //~ this backward pass holds a value of a tape, or something else that cannot leave its thread
    custom(x, |x| (x * 2.0, move |gradient| gradient * 2.0 * again.detach()))
}

fn main() {
    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
    let _ = doubled(tape.watch(Tensor::ones()));
}
