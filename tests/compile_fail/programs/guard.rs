use std::ops::Deref;
use taut::prelude::*;

struct Guard(Linear<2, 3>);

impl Deref for Guard {
    type Target = Linear<2, 3>;
    fn deref(&self) -> &Linear<2, 3> {
        &self.0
    }
}

fn main() {
    let guard = Guard(Linear::init(&mut StdRng::seed_from_u64(0)));
    //~ run what a guard or pointer leads to with `(*guard).forward(x)`
    guard.forward(Tensor::<Rank2<1, 2>>::ones());
}
