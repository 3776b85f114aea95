//! A LeNet for onnxruntime: it learns to read the digits that come with taut, and is written as an ONNX file, along
//! with the digits of the test set. The README has the five lines of Python that run it.
//!
//!     cargo run --release --features onnx --example export_onnx [FOLDER]

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Progress, Recorder, Report, parse};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
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

const EPOCHS: usize = 10;

/// Trains a LeNet on the digits of 8x8 pixels that come with taut, and writes it as an ONNX file.
#[derive(Parser)]
struct Options {
    /// Where to write the model, and the digits of the test set
    #[arg(default_value = "out/export_onnx")]
    folder: PathBuf,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        let start = Instant::now();
        std::fs::create_dir_all(&options.folder)?;
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        let (train, test) = digits().split(0.2, &mut rng);
        let mut model = LeNet::init(&mut rng);
        let mut optimizer = Adam::new(AdamConfig { learning_rate: 2e-3, ..Default::default() });
        let mut recorder = Recorder::start::<Options>(&options.common, "")?;
        for epoch in 1..=EPOCHS {
            let batches = train.batches::<32>(&mut rng);
            let mut progress = Progress::new(format!("epoch {epoch:2}"), batches.len());
            for (images, labels) in batches {
                let tape = Tape::training(&mut rng);
                let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
                progress.batch(loss.item(), labels.count());
                optimizer.step(&mut model, &loss.backward());
            }
            recorder.log(epoch, [("train/loss", progress.finish(""))])?;
        }

        // `usize`, any number of images, is the dimension `batch` of the graph.
        let file = options.folder.join("lenet.onnx");
        model.export_onnx::<Tensor<(usize, Const<64>)>>(&file)?;

        let (images, labels) = test.whole();
        let pixels: Vec<u8> = images.iter().flat_map(f32::to_le_bytes).collect();
        std::fs::write(options.folder.join("images.f32"), pixels)?;
        let numbers: Vec<u8> = labels.iter().map(|label| label as u8).collect();
        std::fs::write(options.folder.join("labels.u8"), numbers)?;
        let (count, accuracy) = (labels.count(), model.forward(images).accuracy(&labels));
        recorder.log(EPOCHS, [("test/accuracy", accuracy)])?;
        recorder.last(&model)?;
        println!("{}: {accuracy:.4} of {count} digits are read correctly", file.display());
        let mut report = Report::default();
        report.add("test_accuracy", accuracy);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}
