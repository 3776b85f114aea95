//! Models saved with 16 bits: the bits that PyTorch rounds to, and errors for numbers that would be lost.

use safetensors::SafeTensors;
use taut::io::{ParameterFile, Precision};
use taut::prelude::*;

const COUNT: usize = 474;
type Narrow = Bias<COUNT>;
type Wide = Bias<COUNT, f64>;

fn path() -> String {
    format!("{}/tests/pytorch/files/halves.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// The model whose numbers the file stores under this name.
fn loaded<M: Init + Parameters>(name: &str) -> M {
    let mut model = M::init(&mut StdRng::seed_from_u64(0));
    let mut file = ParameterFile::open(path()).unwrap().rename(|found| (found == name).then(|| "bias".to_string()));
    file.load(&mut model).unwrap();
    model
}

#[test]
fn numbers_are_rounded_to_the_bits_of_pytorch() {
    let file = std::fs::read(path()).unwrap();
    let theirs = SafeTensors::deserialize(&file).unwrap();
    let (narrow, wide) = (loaded::<Narrow>("narrow.f32"), loaded::<Wide>("wide.f64"));
    for (precision, of_narrow, of_wide) in [
        (Precision::Unchanged, "narrow.f32", "wide.f64"),
        (Precision::F32, "narrow.f32", "wide.f32"),
        (Precision::F16, "narrow.f16", "wide.f16"),
        (Precision::BF16, "narrow.bf16", "wide.bf16"),
    ] {
        let narrow = narrow.to_safetensors_with(precision).unwrap();
        let wide = wide.to_safetensors_with(precision).unwrap();
        for (name, ours) in [(of_narrow, narrow), (of_wide, wide)] {
            let ours = SafeTensors::deserialize(&ours).unwrap();
            let (ours, theirs) = (ours.tensor("bias").unwrap(), theirs.tensor(name).unwrap());
            assert_eq!((ours.dtype(), ours.shape()), (theirs.dtype(), theirs.shape()));
            assert!(ours.data() == theirs.data(), "{name} with {precision:?}");
        }
    }
}

#[test]
fn what_was_saved_with_16_bits_is_widened_exactly() {
    for (precision, name) in [(Precision::F16, "narrow.f16"), (Precision::BF16, "narrow.bf16")] {
        let bytes = loaded::<Narrow>("narrow.f32").to_safetensors_with(precision).unwrap();
        let narrow = Narrow::from_safetensors(&bytes).unwrap();
        let again = narrow.to_safetensors_with(precision).unwrap();
        assert!(again == bytes, "rounding a second time changes nothing");
        let bits = |model: &Narrow| model.bias.value().iter().map(f32::to_bits).collect::<Vec<_>>();
        assert!(bits(&narrow) == bits(&loaded::<Narrow>(name)), "{name}");
        let wide = Wide::from_safetensors(&bytes).unwrap();
        let pairs = wide.bias.value().iter().zip(narrow.bias.value().iter());
        assert!(pairs.into_iter().all(|(wide, narrow)| wide.to_bits() == f64::from(narrow).to_bits()));
    }
}

#[test]
fn files_have_the_size_of_their_numbers_and_every_layer_comes_back() {
    type Model = (Conv2d<1, 3, 3>, BatchNorm2d<3>, Relu, Flatten, Linear<27, 5, f64>);
    let model = Model::init(&mut StdRng::seed_from_u64(1));
    let count = 3 * 9 + 3 + 4 * 3 + 27 * 5 + 5;
    for precision in [Precision::F16, Precision::BF16] {
        let bytes = model.to_safetensors_with(precision).unwrap();
        let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        assert_eq!(bytes.len() - header, 2 * count);
        let path = std::env::temp_dir().join(format!("taut-half-{precision:?}-{}", std::process::id()));
        model.save_with(&path, precision).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes);
        std::fs::remove_file(&path).unwrap();
        let again = Model::from_safetensors(&bytes).unwrap();
        assert!(again.to_safetensors_with(precision).unwrap() == bytes);
        assert!(again.4.weight.value().is_close(model.4.weight.value(), 2.0_f64.powi(-8), 1e-7));
    }
}

#[test]
fn a_number_out_of_range_is_named_and_nothing_is_written() {
    let filled = |x: f64| {
        let mut model = <(Linear<2, 3>, Linear<3, 1, f64>)>::init(&mut StdRng::seed_from_u64(0));
        model.1.weight = Param::new(Tensor::full(x));
        model
    };
    let path = std::env::temp_dir().join(format!("taut-out-of-range-{}", std::process::id()));
    for (precision, largest, too_large, words) in [
        (Precision::F16, 65_519.0, -65_520.0, "`1.weight` holds -65520, which F16 does not"),
        (Precision::BF16, 3.39e38, 3.4e38, "which BF16 does not"),
        (Precision::F32, f64::from(f32::MAX), 1e39, "which F32 does not"),
    ] {
        filled(largest).to_safetensors_with(precision).unwrap();
        filled(f64::INFINITY).to_safetensors_with(precision).unwrap();
        let error = filled(too_large).save_with(&path, precision).unwrap_err();
        assert!(error.reason().contains(words) && error.reason().contains("was not written"), "{error}");
        assert!(!path.exists());
    }
    filled(1e39).to_safetensors().unwrap();
}
