use taut::prelude::*;

fn main() {
    let model = Identity;
    //~ `Vec<f32>` is not what an ONNX graph takes or gives
    model.to_onnx::<Vec<f32>>().unwrap();
}
