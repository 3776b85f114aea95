use taut::prelude::*;

fn attend<const W: usize, const H: usize>(layer: &MultiHeadAttention<W, H>, x: Tensor<Rank3<2, 5, W>>) {
    //~ H heads do not divide a width of Const<W>
    //~ in generic code, write `where Const<W>: shape::Heads<H>`
    layer.forward(x);
}

fn main() {
    attend(&MultiHeadAttention::<16, 4>::init(&mut StdRng::seed_from_u64(0)), Tensor::ones());
}
