//! Saving: models as safetensors with PyTorch's names, and checkpoints from which training resumes bit for bit.
//!
//!     cargo run --release --example 08_saving

use taut::data::digits;
use taut::prelude::*;

#[derive(Clone, Init, Module, Parameters)]
struct Model {
    hidden: (Linear<64, 32>, Relu),
    output: Linear<32, 10>,
}

fn epoch(model: &mut Model, optimizer: &mut Adam, rng: &mut taut::Generator) {
    for (images, labels) in digits().batches::<64>(rng) {
        let tape = Tape::training(rng);
        let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
        optimizer.step(model, &loss.backward());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("taut-saving-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    // this generator can be saved, unlike most
    let mut rng = taut::Generator::new(0);
    let mut model = Model::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig::default());
    epoch(&mut model, &mut optimizer, &mut rng);

    // A checkpoint holds everything training needs: parameters, the optimizer's state, the generator.
    let path = folder.join("checkpoint.safetensors");
    Checkpoint::new()
        .with_model("model", &model)
        .with_snapshot("optimizer", &optimizer.snapshot())
        .with_generator("rng", &rng)
        .save(&path)?;
    epoch(&mut model, &mut optimizer, &mut rng);

    // Another process resumes from there, and ends with the same bits.
    let checkpoint = Checkpoint::load(&path)?;
    let mut resumed = Model::init(&mut rng);
    checkpoint.restore_model("model", &mut resumed)?;
    let mut its_optimizer = Adam::new(AdamConfig::default());
    its_optimizer.restore(&checkpoint.snapshot("optimizer")?, &resumed)?;
    epoch(&mut resumed, &mut its_optimizer, &mut checkpoint.generator("rng")?);
    println!("the same bits: {}", resumed.output.weight.value() == model.output.weight.value());

    // The finished model alone, for inference: in Python, safetensors.torch.load_file reads it.
    let path = folder.join("model.safetensors");
    model.save(&path)?;
    let loaded = Model::load(&path)?;
    println!("the same model: {}", loaded.output.weight.value() == model.output.weight.value());

    // A file that does not fit says why, and changes nothing.
    if let Err(error) = <Linear<64, 10>>::load(&path) {
        println!("as a Linear<64, 10>: {error}");
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
