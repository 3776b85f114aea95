//! Files written by PyTorch give the same models here.

mod common;

use common::{F32, case};
use taut::nn::{Bidirectional, Direction, Elman, GruGates, LstmGates, Recurrent, RecurrentKind};
use taut::prelude::*;

type Sequential = (Conv2d<1, 3, 3>, BatchNorm2d<3>, Relu, MaxPool2d<2>, Flatten, Linear<27, 5>, Relu, Linear<5, 3>);

fn path(name: &str) -> String {
    format!("{}/tests/pytorch/files/sequential_{name}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_state_dict_loads_and_gives_the_same_outputs() {
    for name in ["f32", "f16", "bf16"] {
        let model = Sequential::load(path(name)).unwrap();
        let case = case("files", name);
        case.expect_output(&model.forward(case.input::<Rank4<2, 1, 8, 8>, f32>(0)), F32);
    }
}

/// One layer, two bidirectional layers, two unidirectional layers.
#[derive(Init, Module, Parameters)]
struct Recurring<K: RecurrentKind, const I: usize, const A: usize, const B: usize, const BOTH: usize, const C: usize>
where
    Bidirectional: Direction<B, Width = Const<BOTH>>,
{
    first: Recurrent<K, I, A>,
    second: Recurrent<K, A, B, 2, Bidirectional>,
    third: Recurrent<K, BOTH, C, 2>,
}

#[test]
fn recurrent_networks_load_by_name() {
    fn compare<M, const I: usize, const C: usize>(name: &str)
    where
        M: Parameters + Init + Module<Run<I>, Output = Run<C>>,
    {
        let path = format!("{}/tests/pytorch/files/recurrent_{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        let model = M::load(path).unwrap();
        case("recurrent_files", name)
            .check::<(Tensor<(usize, usize, Const<I>), f32>,), _, _>(F32, |(x,)| model.forward(x));
    }
    type Run<const N: usize> = Tensor<(usize, usize, Const<N>), f32, Traced<Training>>;
    compare::<Recurring<Elman, 7, 13, 6, 12, 21>, 7, 21>("rnn");
    compare::<Recurring<LstmGates, 5, 18, 9, 18, 4>, 5, 4>("lstm");
    compare::<Recurring<GruGates, 11, 3, 17, 34, 8>, 11, 8>("gru");
}

#[test]
fn half_precision_is_converted_exactly() {
    let full = Sequential::load(path("f32")).unwrap();
    for (name, bits) in [("f16", 11), ("bf16", 8)] {
        let half = Sequential::load(path(name)).unwrap();
        let (full, half) = (full.5.weight.value(), half.5.weight.value());
        assert_ne!(full, half);
        assert!(half.is_close(full, 2.0_f64.powi(-bits), 1e-7), "{name} has {bits} significant bits");
    }
}

#[test]
fn a_model_of_other_layers_is_told_apart() {
    type Other = (Conv2d<1, 4, 3>, BatchNorm2d<4>, Relu, MaxPool2d<2>, Flatten, Linear<36, 5>);
    let message = Other::load(path("f32")).unwrap_err().to_string();
    for part in [
        "sequential_f32.safetensors: the file does not fit the model",
        "`0.weight` has shape (4, 1, 3, 3) in the model and (3, 1, 3, 3) in the file",
        "`1.running_var` has shape (4,) in the model and (3,) in the file",
        "`5.weight` has shape (5, 36) in the model and (5, 27) in the file",
        "and 1 more",
    ] {
        assert!(message.contains(part), "{part} is not in\n{message}");
    }
    assert!(!message.contains("num_batches_tracked"), "{message}");
}
