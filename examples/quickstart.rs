//! Learns to read handwritten digits, in seconds and without any files: the 8x8 digits come with taut.
//!
//!     cargo run --release --example quickstart

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Curve, Progress, Recorder, Report, at_least_one, parse, plot, writable};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Normalization, digits};
use taut::prelude::*;

/// The model is a type: each layer must accept the output of the one before, or this does not compile.
type Mlp = ((Linear<64, 128>, Relu), (Linear<128, 64>, Relu), Linear<64, 10>);

/// Learns to read handwritten digits of 8x8 pixels, which come with taut.
#[derive(Parser)]
struct Options {
    /// Number of passes over the training set
    #[arg(long, default_value_t = 30, value_parser = at_least_one)]
    epochs: usize,
    /// Save the trained model, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    save: Option<PathBuf>,
    /// Draw the loss curves
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        let start = Instant::now();
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        let (train, test) = digits().split(0.2, &mut rng);
        println!("{} digits to learn from, {} to test with\n", train.len(), test.len());
        let normalization = Normalization::of_all([train.whole().0]);

        let mut model = Mlp::init(&mut rng);
        let mut optimizer = Adam::new(AdamConfig { learning_rate: 2e-3, ..Default::default() });
        let mut recorder = Recorder::start::<Options>(&options.common, "")?;
        let mut losses = Vec::new();
        for epoch in 1..=options.epochs {
            let batches = train.batches::<32>(&mut rng);
            let mut progress = Progress::new(format!("epoch {epoch:2}"), batches.len());
            for (images, labels) in batches {
                let tape = Tape::training(&mut rng);
                let loss = model.forward(tape.trace(normalization.apply(images))).cross_entropy(&labels);
                progress.batch(loss.item(), labels.count());
                optimizer.step(&mut model, &loss.backward());
            }
            let loss = progress.finish("");
            losses.push(loss);
            recorder.log(epoch, [("train/loss", loss)])?;
        }

        // after saving and loading, it is the same model
        let path = options.save.clone().unwrap_or_else(|| std::env::temp_dir().join("taut-quickstart.safetensors"));
        model.save(&path)?;
        let model = Mlp::load(&path)?;
        println!("\nthe model is in {}", path.display());

        let (images, labels) = test.whole();
        let accuracy = model.forward(normalization.apply(images)).accuracy(&labels);
        recorder.log(options.epochs, [("test/accuracy", accuracy)])?;
        recorder.last(&model)?;
        for (image, label) in test.in_order(1).take(3) {
            let picture = drawing(image.as_slice());
            let logits = model.forward(normalization.apply(image));
            let (predicted, _) = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).expect("ten logits");
            println!("\n{picture}this is a {}, and the model says {predicted}", label[[0]]);
        }

        if let Some(path) = &options.plot {
            plot(path, "quickstart: training loss", &[Curve { name: "Adam".into(), values: losses.clone() }])?;
        }
        let mut report = Report::default();
        report.add("test_accuracy", accuracy);
        report.add("training_loss", losses.last().copied());
        report.add("parameters", model.parameter_count());
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

/// A digit drawn with characters.
fn drawing(pixels: &[f32]) -> String {
    let shades: Vec<char> = " .:-=+*#%@".chars().collect();
    let shade = |&pixel: &f32| String::from(shades[(pixel * (shades.len() - 1) as f32).round() as usize]).repeat(2);
    pixels.chunks(8).map(|row| row.iter().map(shade).collect::<String>() + "\n").collect()
}
