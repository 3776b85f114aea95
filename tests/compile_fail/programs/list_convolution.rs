use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let list = [Conv2d::<8, 8, 3>::init(&mut rng), Conv2d::<8, 8, 3>::init(&mut rng)];
    //~ expected `30`, found `28`
    list.forward(Tensor::<Rank4<2, 8, 30, 30>>::ones());
}
