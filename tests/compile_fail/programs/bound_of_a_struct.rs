use taut::prelude::*;

type Images = Tensor<Rank4<2, 8, 30, 30>>;

struct Stack<B: Module<Images, Output = Images>>(B);

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ `<Conv2d<8, 8, 3> as Module<Tensor<(Const<2>, Const<8>, Const<30>, Const<30>)>>>::Output
    //~ expected `30`, found `28`
    let _ = Stack(Conv2d::<8, 8, 3>::init(&mut rng));
}
