//! Saving: models as safetensors, and checkpoints from which training resumes bit for bit.
//!
//!     cargo run --release --example 08_saving

use taut::data::digits;
use taut::prelude::*;

type Model = ((Linear<64, 32>, Relu), Linear<32, 10>);

fn epoch(model: &mut Model, optimizer: &mut Adam, rng: &mut taut::Generator) {
    for (images, labels) in digits().batches::<64>(rng) {
        let tape = Tape::training(rng);
        let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
        optimizer.step(model, &loss.backward());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("taut-{}.safetensors", std::process::id()));
    let mut rng = taut::Generator::new(0); // a generator that can be saved, unlike most
    let mut model = Model::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig::default());
    epoch(&mut model, &mut optimizer, &mut rng);

    // A checkpoint holds everything that training needs: parameters, the optimizer's state, the generator.
    let checkpoint = Checkpoint::new().with_model("model", &model).with_snapshot("optimizer", &optimizer.snapshot());
    checkpoint.with_generator("rng", &rng).save(&path)?;
    epoch(&mut model, &mut optimizer, &mut rng);

    // Another process resumes from there, and ends with the same bits.
    let checkpoint = Checkpoint::load(&path)?;
    let (mut resumed, mut its_optimizer) = (Model::init(&mut rng), Adam::new(AdamConfig::default()));
    checkpoint.restore_model("model", &mut resumed)?;
    its_optimizer.restore(&checkpoint.snapshot("optimizer")?, &resumed)?;
    epoch(&mut resumed, &mut its_optimizer, &mut checkpoint.generator("rng")?);
    println!("resumed, the same weights: {}", resumed.1.weight.value() == model.1.weight.value());

    // The finished model alone, for inference: in Python, safetensors.torch.load_file reads it.
    model.save(&path)?;
    println!("loaded, the same weights: {}", Model::load(&path)?.1.weight.value() == model.1.weight.value());
    Ok(std::fs::remove_file(&path)?)
}
