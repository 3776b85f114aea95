//! Every kind of model: tuples, containers, references, derived and hand-written structs.

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
fn tuples_of_up_to_sixteen_run_in_order() {
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

/// A field's type may be private though the struct that holds it is public.
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

/// Not a chain: the design's example of a hand-written layer.
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

/// Each closure stands on the same line as `line()`.
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

#[test]
fn tuples_of_sixteen_are_the_longest() {
    type Sixteen = (
        (Linear<1, 2>, Relu, Relu, Relu),
        Relu,
        Linear<2, 3>,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Relu,
        Linear<3, 4>,
    );
    let model = Sixteen::init(&mut rng());
    let y: Tensor<Rank1<4>> = model.forward(Tensor::<Rank1<1>>::ones());
    let x = model.0.forward(Tensor::<Rank1<1>>::ones());
    assert_eq!(y, model.15.forward(model.2.forward(x).relu()));
    assert_eq!(names(&model), ["0.0.weight", "0.0.bias", "2.weight", "2.bias", "15.weight", "15.bias"]);
}

#[test]
fn guards_and_smart_pointers_run_as_references_do() {
    use std::borrow::Cow;
    use std::cell::{LazyCell, RefCell};
    use std::sync::{LazyLock, RwLock};
    static MODEL: LazyLock<Linear<4, 3>> = LazyLock::new(|| Linear::init(&mut rng()));

    let x = Tensor::<Rank2<2, 4>>::randn(&mut rng());
    let layer = Linear::<4, 3>::init(&mut rng());
    let y = layer.forward(x.clone());
    let x = || x.clone();
    assert_eq!(MODEL.forward(x()), y);
    assert_eq!(LazyCell::new(|| layer.clone()).forward(x()), y);
    assert_eq!(Cow::Borrowed(&layer).forward(x()), y);
    let (mutex, lock, cell) = (Mutex::new(layer.clone()), RwLock::new(layer.clone()), RefCell::new(layer));
    assert_eq!(mutex.lock().unwrap().forward(x()), y);
    assert_eq!(lock.read().unwrap().forward(x()), y);
    assert_eq!(lock.write().unwrap().forward(x()), y);
    assert_eq!(cell.borrow().forward(x()), y);
    assert_eq!(cell.borrow_mut().forward(x()), y);

    // and those that can change what they point to are trained
    fn step<M>(mut model: M, x: Tensor<Rank2<2, 4>>)
    where
        M: Parameters
            + Module<Tensor<Rank2<2, 4>, f32, Traced<Training>>, Output = Tensor<Rank2<2, 3>, f32, Traced<Training>>>,
    {
        let loss = model.forward(Tape::training(&mut rng()).trace(x)).sum();
        Sgd::new(SgdConfig::default()).step(&mut model, &loss.backward());
    }
    step(mutex.lock().unwrap(), x());
    step(lock.write().unwrap(), x());
    step(cell.borrow_mut(), x());
    step(Rc::new(mutex.lock().unwrap().clone()), x());
    let trained = mutex.into_inner().unwrap().forward(x());
    assert_ne!(trained, y);
    assert_eq!(lock.into_inner().unwrap().forward(x()), trained);
    assert_eq!(cell.into_inner().forward(x()), trained);
    assert_eq!(names(&Rc::<Linear<4, 3>>::init(&mut rng())), ["weight", "bias"]);
}

#[test]
fn what_may_be_missing_runs_if_it_is_there() {
    let x = Tensor::<Rank2<2, 4>>::randn(&mut rng());
    let layer = Linear::<4, 4>::init(&mut rng());
    let with = (Relu, Some(layer.clone()));
    let without = (Relu, None::<Linear<4, 4>>);
    assert_eq!(with.forward(x.clone()), layer.forward(x.clone().relu()));
    assert_eq!(without.forward(x.clone()), x.relu());
    assert_eq!(names(&with), ["1.weight", "1.bias"]);
    assert!(names(&without).is_empty());
}

/// Blocks of a type parameter: no bound but that of the block.
fn twice<X, M: Module<X, Output = X>>(list: &Vec<M>, maybe: &Option<M>, x: X) -> X {
    maybe.forward(list.forward(x))
}

fn twice_residual<B: Dim, const W: usize>(
    list: &[Residual<(Linear<W, W>, Relu)>; 2],
    x: Tensor<(B, Const<W>)>,
) -> Tensor<(B, Const<W>)> {
    list.forward(x)
}

#[test]
fn lists_of_blocks_in_generic_code() {
    let x = Tensor::<Rank2<2, 4>>::randn(&mut rng());
    let layer = Linear::<4, 4>::init(&mut rng());
    let y = layer.forward(layer.forward(x.clone()));
    assert_eq!(twice(&vec![layer.clone()], &Some(layer.clone()), x.clone()), y);
    let blocks = <[Residual<(Linear<4, 4>, Relu)>; 2]>::init(&mut rng());
    assert_eq!(twice_residual(&blocks, x.clone()), blocks[1].forward(blocks[0].forward(x)));
}

#[test]
fn maps_of_layers_are_visited_in_the_order_of_their_names() {
    use std::collections::{BTreeMap, HashMap};
    let keys = ["b", "a", "c10", "c9"];
    let mut tree: BTreeMap<String, Linear<2, 2>> =
        keys.iter().map(|key| (key.to_string(), Linear::init(&mut rng()))).collect();
    let mut hash: HashMap<&str, Linear<2, 2>> = keys.iter().map(|key| (*key, Linear::init(&mut rng()))).collect();
    let expected = ["a", "b", "c10", "c9"].map(|key| [format!("{key}.weight"), format!("{key}.bias")]).concat();
    assert_eq!(names(&tree), expected);
    assert_eq!(names(&hash), expected);
    let mut mutably = Vec::new();
    hash.for_each_parameter_mut(|name, _| mutably.push(name.to_string()));
    tree.for_each_parameter_mut(|name, _| mutably.push(name.to_string()));
    assert_eq!(mutably, [expected.clone(), expected].concat());
}

#[test]
#[should_panic(expected = "a map of layers with the key \"a.b\"")]
fn a_key_with_a_dot_is_no_name() {
    names(&std::collections::BTreeMap::from([("a.b", Linear::<2, 2>::init(&mut rng()))]));
}

/// Fields that are not layers, and layers that are not in the chain.
#[derive(Init, Module, Parameters)]
struct Configured {
    layer: Linear<4, 4>,
    #[init(value = Lambda(|x| x.relu()))]
    activation: Lambda<fn(Tensor<Rank2<2, 4>>) -> Tensor<Rank2<2, 4>>>,
    #[module(skip)]
    head: Linear<4, 1>,
    #[module(skip)]
    #[parameters(skip)]
    #[init(value = [1, 2].map(|x: usize| x + 1))]
    sizes: [usize; 2],
    #[module(skip)]
    #[parameters(skip)]
    #[init(default)]
    name: String,
}

#[test]
fn fields_that_are_no_layers_are_skipped() {
    let model = Configured::init(&mut rng());
    let x = Tensor::<Rank2<2, 4>>::randn(&mut rng());
    assert_eq!(model.forward(x.clone()), model.layer.forward(x).relu());
    assert_eq!(names(&model), ["layer.weight", "layer.bias", "head.weight", "head.bias"]);
    assert_eq!((model.sizes, model.name.as_str()), ([2, 3], ""));
}

#[test]
fn closures_and_functions_are_layers() {
    fn double<S: Shape, T: Trace>(x: Tensor<S, f32, T>) -> Tensor<S, f32, T> {
        x * 2.0
    }
    let shift = 0.5;
    let layer = Linear::<3, 4>::init(&mut rng());
    let model = (layer.clone(), Lambda(double), Lambda(move |x: Tensor<Rank2<2, 4>>| x + shift));
    let x = Tensor::<Rank2<2, 3>>::randn(&mut rng());
    assert_eq!(model.forward(x.clone()), layer.forward(x) * 2.0 + shift);
    assert_eq!(names(&model), ["0.weight", "0.bias"]);
}
