use taut::nn::GroupNorm;
use taut::prelude::*;

fn main() {
    let norm = GroupNorm::<2, 4>::init(&mut StdRng::seed_from_u64(0));
    //~ there is no axis 1 in shape (Const<4>,)
    //~ required for `GroupNorm<2, 4>` to implement
    norm.forward(Tensor::<Rank1<4>>::ones());
}
