//! Models of every make: tuples, containers, references, derived and hand-written structs.

use std::panic::Location;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use taut::prelude::*;

fn rng() -> StdRng {
    StdRng::seed_from_u64(0)
}

fn names<M: Parameters>(model: &M) -> Vec<String> {
    let mut names = Vec::new();
    model.for_each_parameter(|name, _| names.push(name.to_string()));
    names
}

#[test]
fn tuples_of_two_to_twelve_run_in_order() {
    let two = <(Linear<1, 2>, Linear<2, 3>)>::init(&mut rng());
    let y: Tensor<Rank2<4, 3>> = two.forward(Tensor::<Rank2<4, 1>>::ones());
    assert_eq!(y, two.1.forward(two.0.forward(Tensor::<Rank2<4, 1>>::ones())));

    type Twelve = (
        Linear<1, 2>,
        Linear<2, 3>,
        Linear<3, 4>,
        Linear<4, 5>,
        Linear<5, 6>,
        Linear<6, 7>,
        Linear<7, 8>,
        Linear<8, 9>,
        Linear<9, 10>,
        Linear<10, 11>,
        Linear<11, 12>,
        Linear<12, 13>,
    );
    let twelve = Twelve::init(&mut rng());
    let y: Tensor<Rank1<13>> = twelve.forward(Tensor::<Rank1<1>>::ones());
    let nested = (twelve.clone(), Linear::<13, 1>::init(&mut rng()));
    let z: Tensor<Rank1<1>> = nested.forward(Tensor::<Rank1<1>>::ones());
    assert_eq!(z, nested.1.forward(y));
    assert_eq!(names(&nested).len(), 26);
    assert_eq!(names(&nested)[22..], ["0.11.weight", "0.11.bias", "1.weight", "1.bias"]);
}

#[test]
fn containers_run_their_blocks_one_after_the_other() {
    let x = Tensor::<Rank2<2, 4>>::randn(&mut rng());
    let array = <[Linear<4, 4>; 3]>::init(&mut rng());
    let expected = array[2].forward(array[1].forward(array[0].forward(x.clone())));
    assert_eq!(array.forward(x.clone()), expected);
    assert_eq!(array.as_slice().forward(x.clone()), expected);
    let vector = array.to_vec();
    assert_eq!(vector.forward(x.clone()), expected);
    assert_eq!(names(&vector), ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]);
    assert_eq!(names(&array), names(&vector));
    assert_eq!(Vec::<Linear<4, 4>>::new().forward(x.clone()), x);
}

#[test]
fn pointers_and_references_are_the_module_they_point_to() {
    let x = Tensor::<Rank2<2, 4>>::randn(&mut rng());
    let mut layer = Linear::<4, 3>::init(&mut rng());
    let y = layer.forward(x.clone());
    // a generic function, so that the reference itself is the module
    fn run<M: Module<Tensor<Rank2<2, 4>>>>(module: M, x: Tensor<Rank2<2, 4>>) -> M::Output {
        module.forward(x)
    }
    assert_eq!(run(&layer, x.clone()), y);
    assert_eq!(run(&mut layer, x.clone()), y);
    assert_eq!(Box::new(layer.clone()).forward(x.clone()), y);
    assert_eq!(Rc::new(layer.clone()).forward(x.clone()), y);
    let shared = (Arc::new(layer), Relu);
    assert_eq!(shared.forward(x), y.relu());
    assert_eq!(names(&shared), ["0.weight", "0.bias"]);
    assert_eq!(names(&Box::new(shared)), ["0.weight", "0.bias"]);
}

#[test]
fn layers_of_different_types_stand_in_one_list() {
    type X = Tensor<Rank2<2, 4>>;
    let layers: Vec<Box<dyn Module<X, Output = X>>> = vec![
        Box::new(Linear::<4, 4>::init(&mut rng())),
        Box::new(Relu),
        Box::new(<[Linear<4, 4>; 2]>::init(&mut rng())),
    ];
    let y = layers.forward(X::ones());
    assert_eq!(y.shape(), (Const, Const));
    let one: &dyn Module<X, Output = X> = &Relu;
    assert_eq!(one.forward(X::ones()), X::ones());
}

#[derive(Clone, Init, Module, Parameters)]
struct Mlp {
    hidden: (Linear<6, 5>, Relu),
    output: Linear<5, 2>,
}

#[derive(Init, Module, Parameters)]
struct Wrapped<First, const N: usize>
where
    First: Clone,
{
    first: First,
    #[parameters(name = "fc")]
    second: Linear<N, 3>,
    last: Secret,
}

/// A field's type is private, and the struct that holds it is public all the same.
#[derive(Init, Module, Parameters)]
struct Secret(Linear<3, 3>, Sigmoid);

#[derive(Init, Parameters, Module)]
pub struct Public {
    private: Secret,
}

#[test]
fn derived_structs_run_their_fields_and_name_their_parameters() {
    let model = Mlp::init(&mut rng());
    let x = Tensor::<Rank2<7, 6>>::randn(&mut rng());
    let y: Tensor<Rank2<7, 2>> = model.forward(x.clone());
    assert_eq!(y, model.output.forward(model.hidden.forward(x)));
    assert_eq!(names(&model), ["hidden.0.weight", "hidden.0.bias", "output.weight", "output.bias"]);

    let model = Wrapped::<Mlp, 2>::init(&mut rng());
    let y: Tensor<Rank2<7, 3>> = model.forward(Tensor::<Rank2<7, 6>>::ones());
    assert!(y.iter().all(|p| p > 0.0 && p < 1.0));
    assert_eq!(
        names(&model)[3..],
        ["first.output.bias", "fc.weight", "fc.bias", "last.0.weight", "last.0.bias"].map(String::from)
    );
    let y: Tensor<Rank1<3>> = Public::init(&mut rng()).forward(Tensor::from([1.0, 2.0, 3.0]));
    assert_eq!(y.count(), 3);
}

/// A chain it is not: the design's example of a layer written by hand.
#[derive(Init, Parameters)]
struct Gated {
    gate: Linear<4, 4>,
    value: (Linear<4, 4>, Relu),
}

impl<B: Dim, T: Trace> Module<Tensor<(B, Const<4>), f32, T>> for Gated {
    type Output = Tensor<(B, Const<4>), f32, T>;
    fn apply(&self, x: Tensor<(B, Const<4>), f32, T>) -> Self::Output {
        let gate = self.gate.forward(x.clone()).sigmoid();
        self.value.forward(x) * gate
    }
}

#[test]
fn one_definition_serves_every_batch_and_every_trace() {
    let model = (Gated::init(&mut rng()), Linear::<4, 2>::init(&mut rng()));
    let x = Tensor::<Rank2<3, 4>>::randn(&mut rng());
    let fixed: Tensor<Rank2<3, 2>> = model.forward(x.clone());
    let run_time: Tensor<(usize, Const<4>)> = Tensor::from_vec(x.to_vec(), (3, Const)).unwrap();
    assert_eq!(model.forward(run_time).to_vec(), fixed.to_vec());
    let tape = Tape::training(&mut rng());
    let traced: Tensor<Rank2<3, 2>, f32, Traced<Training>> = model.forward(tape.trace(x.clone()));
    assert_eq!(traced.detach(), fixed);
    assert_eq!(model.forward(Tape::inference().trace(x)).detach(), fixed);
}

/// One epoch of any model from 4 features to 3 classes.
fn epoch<M, B: Dim>(
    model: &mut M,
    batches: impl Iterator<Item = (Tensor<(B, Const<4>)>, Tensor<(B,), usize>)>,
    optimizer: &mut Sgd,
    rng: &mut StdRng,
) -> f32
where
    M: Parameters
        + Module<Tensor<(B, Const<4>), f32, Traced<Training>>, Output = Tensor<(B, Const<3>), f32, Traced<Training>>>,
{
    let (mut total, mut count) = (0.0, 0);
    for (x, labels) in batches {
        let tape = Tape::training(rng);
        let loss = model.forward(tape.trace(x)).cross_entropy(&labels);
        total += loss.item();
        count += 1;
        let mut gradients = loss.backward();
        gradients.clip_norm(5.0);
        optimizer.step(model, &gradients);
    }
    total / count as f32
}

#[test]
fn a_generic_training_function_trains_static_and_run_time_batches() {
    let mut rng = rng();
    let x = Tensor::<Rank2<6, 4>>::randn(&mut rng);
    let labels = Tensor::from([0, 1, 2, 0, 1, 2]);
    let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.5, ..Default::default() });

    let mut model = (Gated::init(&mut rng), Linear::<4, 3>::init(&mut rng));
    let first = epoch(&mut model, std::iter::once((x.clone(), labels.clone())), &mut optimizer, &mut rng);
    let many = std::iter::repeat_n((x.clone(), labels.clone()), 300);
    epoch(&mut model, many, &mut optimizer, &mut rng);
    let last = epoch(&mut model, std::iter::once((x.clone(), labels.clone())), &mut optimizer, &mut rng);
    assert!(last < 0.2 * first, "{first} -> {last}");

    let x: Tensor<(usize, Const<4>)> = x.try_into_shape().unwrap();
    let labels: Tensor<(usize,), usize> = labels.try_into_shape().unwrap();
    let again = epoch(&mut model, std::iter::once((x, labels)), &mut optimizer, &mut rng);
    assert!(again <= last);
}

#[test]
fn check_accepts_a_model_that_fits() {
    const _: () = check::<Mlp, Tensor<Rank2<64, 6>>>();
    const _: () = check::<Mlp, Tensor<(usize, Const<6>), f32, Traced<Training>>>();
    const _: () = check::<Mlp, Tensor<(usize, usize)>>();
}

/// The line and message of the panic in `f`.
fn panic_of(f: impl FnOnce()) -> (u32, String, String) {
    static HOOK: Mutex<()> = Mutex::new(());
    let _one_at_a_time = HOOK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    let this_thread = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == this_thread {
            let place = panic.location().unwrap();
            *note.lock().unwrap() = Some((place.line(), place.file().to_string(), panic.to_string()));
        }
    }));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    std::panic::set_hook(before);
    assert!(result.is_err(), "this must panic");
    seen.lock().unwrap().take().unwrap()
}

#[track_caller]
fn line() -> u32 {
    Location::caller().line()
}

/// Each closure stands on one line together with `line()`.
#[test]
fn a_run_time_mismatch_is_reported_at_the_users_line() {
    fn tensor(rows: usize, columns: usize) -> Tensor<(usize, usize)> {
        Tensor::zeros_with((rows, columns))
    }
    let model = Mlp::init(&mut rng());
    let pair = (model.clone(), Relu);
    let labels: Tensor<(usize,), usize> = Tensor::zeros_with((3,));
    let logits: Tensor<(usize, Const<4>)> = Tensor::zeros_with((2, Const));
    let lstm = Lstm::<2, 3>::init(&mut rng());
    let gru = Gru::<2, 3>::init(&mut rng());
    let state = tensor(5, 4);
    let words = |width| Tensor::<(usize, usize, usize)>::zeros_with((5, 6, width));
    let embedding = Embedding::<4, 2>::init(&mut rng());
    let cases: Vec<(u32, (u32, String, String), &[&str])> = vec![
        (line(), panic_of(|| drop(tensor(2, 3) + tensor(2, 4))), &["(2, 3)", "(2, 4)", "+"]),
        (line(), panic_of(|| drop(&tensor(2, 3) * &tensor(3, 3))), &["(2, 3)", "(3, 3)", "*"]),
        (line(), panic_of(|| drop(tensor(2, 3).matmul(tensor(4, 5)))), &["(2, 3)", "(4, 5)", "matmul"]),
        (line(), panic_of(|| drop(model.forward(tensor(2, 7)))), &["6 features", "found 7"]),
        (line(), panic_of(|| drop(pair.forward(tensor(2, 7)))), &["6 features", "found 7"]),
        (line(), panic_of(|| drop(logits.cross_entropy(&labels))), &["(3,)", "batch 2"]),
        (line(), panic_of(|| drop(lstm.forward(words(3)))), &["Lstm", "2 features", "found 3"]),
        (line(), panic_of(|| drop(lstm.forward((words(2), labels.clone())))), &["Lstm", "5 sequences", "3 lengths"]),
        (line(), panic_of(|| drop(gru.forward((words(2), [state])))), &["Gru", "3 features of the state", "found 4"]),
        (line(), panic_of(|| drop(embedding.forward(Tensor::from([1, 9])))), &["Embedding", "index 9", "size 4"]),
    ];
    for (line, (place, file, message), phrases) in cases {
        assert!(file.ends_with("modules.rs"), "reported in {file}: {message}");
        assert_eq!(place, line, "{message}");
        for phrase in phrases {
            assert!(message.contains(phrase), "{message}");
        }
    }
}
