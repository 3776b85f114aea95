use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank3<2, 10, 8>>::ones();
    //~ attention takes (batch, heads, steps, features), and (Const<2>, Const<10>, Const<8>) comes
    let _ = x.clone().attention(x.clone(), x, &Default::default());
}
