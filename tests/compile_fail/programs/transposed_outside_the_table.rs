use taut::prelude::*;

fn main() {
    let enlarge = ConvTranspose2d::<8, 8, 4, 2011, 0>::init(&mut StdRng::seed_from_u64(0));
    //~ a transposed window of kernel 4, stride 2011, padding 0 does not fit dimension Const<2011>
    enlarge.forward(Tensor::<Rank4<2, 8, 2011, 2011>>::ones());
}
