use taut::prelude::*;

fn main() {
    let double: fn(Tensor<Rank2<1, 4>>) -> Tensor<Rank2<1, 4>> = |x| x * 2.0;
    let model = (Linear::<3, 4>::init(&mut StdRng::seed_from_u64(0)), Lambda(double), Relu);
    //~ cannot be exported to ONNX
    //~ `Lambda<fn(
    model.to_onnx::<Tensor<Rank2<1, 3>>>().unwrap();
}
