use taut::prelude::*;

fn main() {
    //~ dropout of 101 percent: at most 100 can be dropped
    Dropout::<101>.forward(Tensor::<Rank2<32, 10>>::ones());
}
