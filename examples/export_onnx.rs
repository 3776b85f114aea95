//! A LeNet for onnxruntime: it learns to read the digits that come with taut, and is written as an ONNX file, along
//! with the digits of the test set. The README has the five lines of Python that run it.
//!
//!     cargo run --release --features onnx --example export_onnx [FOLDER]

use std::path::PathBuf;
use taut::data::digits;
use taut::prelude::*;

/// LeNet-5 takes images of 32x32 pixels; these have 8x8. LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning
/// Applied to Document Recognition", 1998.
type LeNet = (
    (Reshape<Rank3<1, 8, 8>>, UpsampleBilinear2d<4>),
    (Conv2d<1, 6, 5>, Relu, MaxPool2d<2>),
    (Conv2d<6, 16, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<400, 120>, Relu),
    (Linear<120, 84>, Relu),
    Linear<84, 10>,
);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or("out/export_onnx".into()));
    std::fs::create_dir_all(&folder)?;
    let mut rng = StdRng::seed_from_u64(0);
    let (train, test) = digits().split(0.2, &mut rng);
    let mut model = LeNet::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 2e-3, ..Default::default() });
    for _ in 0..10 {
        for (images, labels) in train.batches::<32>(&mut rng) {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
            optimizer.step(&mut model, &loss.backward());
        }
    }

    // `usize`, any number of images, is the dimension `batch` of the graph.
    model.export_onnx::<Tensor<(usize, Const<64>)>>(folder.join("lenet.onnx"))?;

    let (images, labels) = test.whole();
    let pixels: Vec<u8> = images.iter().flat_map(f32::to_le_bytes).collect();
    std::fs::write(folder.join("images.f32"), pixels)?;
    let numbers: Vec<u8> = labels.iter().map(|label| label as u8).collect();
    std::fs::write(folder.join("labels.u8"), numbers)?;
    let (count, accuracy) = (labels.count(), model.forward(images).accuracy(&labels));
    println!("{}: {accuracy:.4} of {count} digits are read correctly", folder.join("lenet.onnx").display());
    Ok(())
}
