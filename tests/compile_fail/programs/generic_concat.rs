use taut::prelude::*;

fn beside<const I: usize, const J: usize>(x: Tensor<Rank2<8, I>>, y: Tensor<Rank2<8, J>>) {
    //~ the sum Const<I> + Const<J> is outside the table of sizes
    //~ in generic code, write `where Const<I>: shape::Plus<Const<J>>`
    let _ = (x, y).concat::<1>();
}

fn main() {
    beside(Tensor::<Rank2<8, 3>>::ones(), Tensor::<Rank2<8, 4>>::ones());
}
