use taut::prelude::*;

type Layer = TransformerEncoderLayer<16, 3, 64, 10, CausalMask>;
type Model = (Embedding<100, 16>, PositionalEncoding<16>, TransformerEncoder<Layer, 2>, Linear<16, 100>);

//~ 3 heads do not divide a width of Const<16>
const _: () = check::<Model, Tensor<Rank2<2, 10>, usize>>();

fn main() {}
