use taut::prelude::*;

type Decoder = (Linear<10, 48>, Reshape<Rank3<1, 7, 7>>);

fn main() {
    let decoder = Decoder::init(&mut StdRng::seed_from_u64(0));
    let codes = Tensor::<(usize, Const<10>)>::zeros_with((4, Const));
    //~ expected `Const<49>` elements, found `Const<48>`
    decoder.forward(codes);
}
