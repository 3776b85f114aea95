//! Embeddings: against PyTorch, and their sparse gradients.

mod common;

use common::{F32, F64, case};
use taut::nn::BagMode;
use taut::optim::Rule;
use taut::prelude::*;

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

/// Compares a layer with a case, in both element types.
macro_rules! compare {
    ($name:literal, $layer:ident<$v:literal, $d:literal>, $indices:expr, $change:expr) => {
        compare!(@one $name, $layer<$v, $d, f64>, F64, $indices, $change);
        compare!(@one $name, $layer<$v, $d, f32>, F32, $indices, $change);
    };
    (@one $name:literal, $layer:ty, $tolerance:expr, $indices:expr, $change:expr) => {{
        let case = case("embedding", $name);
        let change: fn($layer) -> $layer = $change;
        let mut layer = change(<$layer>::init(&mut rng()));
        *layer.weight.value_mut() = case.input(0);
        let tape = Tape::training(&mut rng());
        let y = layer.forward(tape.trace($indices));
        case.expect_output(&y, $tolerance);
        let gradients = y.vector_jacobian(case.upstream());
        case.expect_gradient(0, &gradients.of(&layer.weight), $tolerance);
    }};
}

#[test]
fn rows_and_bags() {
    let indices = Tensor::from([[3, 1, 3], [0, 6, 1]]);
    compare!("rows", Embedding<7, 3>, indices.clone(), |layer| layer);
    compare!("padding", Embedding<7, 3>, indices.clone(), |layer| layer.with_padding(1));
    let few = Tensor::from([[0, 1, 0], [0, 0, 1]]);
    compare!("few rows", Embedding<3, 2>, few.clone(), |layer| layer.with_padding(1));
    let bags = Tensor::from([[3, 1, 3, 2], [2, 2, 0, 6], [2, 2, 2, 2]]);
    compare!("mean of bags", EmbeddingBag<40, 3>, bags.clone(), |layer| layer);
    compare!("mean of bags with padding", EmbeddingBag<7, 3>, bags.clone(), |layer| layer.with_padding(2));
    compare!("sum of bags", EmbeddingBag<40, 3>, bags.clone(), |mut layer| {
        layer.mode = BagMode::Sum;
        layer
    });
    compare!("sum of bags with padding", EmbeddingBag<7, 3>, bags.clone(), |mut layer| {
        layer.mode = BagMode::Sum;
        layer.with_padding(2)
    });
}

#[test]
fn steps_of_the_used_rows_only() {
    fn check<R: Rule + Clone>(name: &str, rule: R) {
        let case = case("embedding", name);
        let mut layer = Embedding::<9, 2, f64>::from_weight(case.input(0));
        let mut optimizer = Optimizer::new(rule);
        for used in [[4, 1], [1, 7], [4, 4]] {
            let gradients = layer.forward(Tape::inference().trace(Tensor::from(used))).square().sum().backward();
            optimizer.step(&mut layer, &gradients);
        }
        case.expect_output(layer.weight.value(), F64);
    }
    let adam =
        AdamConfig { learning_rate: 0.1, mean_decay: 0.8, square_decay: 0.6, epsilon: 0.0, ..Default::default() };
    check("lazy adam", AdamConfig { lazy: true, ..adam });
    check("ada grad", AdaGradConfig { learning_rate: 0.1, epsilon: 1e-10, ..Default::default() });
    check("sgd", SgdConfig { learning_rate: 0.1, momentum: Momentum::None, ..Default::default() });
}

/// The gradient of a table with many rows, few of which the batch uses, and the same numbers from a product with
/// one-hot vectors, which is never sparse.
#[test]
fn sparse_gradients_are_those_of_a_product() {
    type Layer = Embedding<50, 4, f64>;
    let layer = Layer::init(&mut rng());
    let batches = [[7, 3, 7], [3, 49, 0]].map(Tensor::from);
    let loss = |y: Tensor<Rank2<3, 4>, f64, Traced<Inference>>| {
        let weights = Tensor::<Rank2<3, 4>, f64>::from_fn(|[i, j]| (i * 5 + j) as f64 - 4.0);
        (y.square() * weights).sum()
    };
    let sparse =
        |batch: &Tensor<Rank1<3>, usize>| loss(layer.forward(Tape::inference().trace(batch.clone()))).backward();
    let dense = |batch: &Tensor<Rank1<3>, usize>| {
        let one_hot: Tensor<Rank2<3, 50>, f64> = batch.one_hot(Const);
        let x = Tape::inference().trace(one_hot);
        let table = layer.weight.on(&x);
        loss(x.matmul(table)).backward()
    };
    let [first, second] = &batches;
    let of = |gradients: &Gradients| gradients.of(&layer.weight);
    assert_eq!(of(&sparse(first)), of(&dense(first)));
    // rows and rows, rows and whole, whole and rows
    let expected = of(&(dense(first) + dense(second)));
    assert!(of(&(sparse(first) + sparse(second))).is_close(&expected, 1e-14, 0.0));
    assert!(of(&(sparse(first) + dense(second))).is_close(&expected, 1e-14, 0.0));
    assert!(of(&(dense(first) + sparse(second))).is_close(&expected, 1e-14, 0.0));
    // norms, clipping and scaling see the same numbers
    let (mut sparse, mut dense) = (sparse(first) * 3.0, dense(first) * 3.0);
    assert!((sparse.norm() - dense.norm()).abs() < 1e-12 * dense.norm());
    sparse.clip_norm(2.0);
    dense.clip_norm(2.0);
    assert!(of(&sparse).is_close(&of(&dense), 1e-14, 0.0));
    sparse.clip_value(0.3);
    dense.clip_value(0.3);
    assert!(of(&sparse).is_close(&of(&dense), 1e-14, 0.0));
    // one tape, twice the same table, once as a product
    let tape = Tape::inference();
    let y = layer.forward(tape.trace(first.clone()));
    let whole = (layer.weight.on(&y) * 2.0).sum();
    let both = (y.sum() + whole).backward();
    let counts = Tensor::<Rank1<50>, f64>::from_fn(|[row]| first.iter().filter(|&index| index == row).count() as f64);
    let expected = counts.to_vec().into_iter().flat_map(|count| [2.0 + count; 4]).collect::<Vec<_>>();
    assert_eq!(of(&both).to_vec(), expected);
}

#[test]
fn a_dense_optimizer_takes_sparse_gradients_too() {
    let config = AdamConfig { learning_rate: 0.1, ..Default::default() };
    let run = |lazy: bool| {
        let mut layer = Embedding::<20, 2, f64>::from_weight(Tensor::ones());
        let mut optimizer = Adam::new(AdamConfig { lazy, ..config });
        for used in [[4, 1], [1, 7]] {
            let gradients = layer.forward(Tape::inference().trace(Tensor::from(used))).sum().backward();
            optimizer.step(&mut layer, &gradients);
        }
        layer.weight.value().clone()
    };
    let (whole, lazy) = (run(false), run(true));
    // in the second step, row 4 keeps moving in its direction, or not
    assert!((lazy[[4, 0]] - 0.9).abs() < 1e-6 && whole[[4, 0]] < 0.88, "{lazy} {whole}");
    assert_eq!(whole[[1, 0]], lazy[[1, 0]]);
    assert_eq!((whole[[0, 0]], lazy[[0, 0]]), (1.0, 1.0));
}

/// However many indices a batch looks up, all other rows stay where they are.
#[test]
fn a_lazy_step_leaves_unused_rows_alone() {
    let mut layer = Embedding::<3, 2, f64>::from_weight(Tensor::ones());
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 0.1, lazy: true, ..Default::default() });
    let mut step = |used: Tensor<(usize,), usize>| {
        let gradients = layer.forward(Tape::inference().trace(used)).sum().backward();
        optimizer.step(&mut layer, &gradients);
        layer.weight.value().clone()
    };
    let indices = |list: &[usize]| Tensor::from_slice(list, (list.len(),)).unwrap();
    let first = step(indices(&[0, 1, 2]));
    let second = step(indices(&[0, 1, 1, 0, 1, 0, 0]));
    assert_eq!(first.clone().slice(2), second.clone().slice(2));
    assert!(second[[0, 0]] < first[[0, 0]] && second[[1, 1]] < first[[1, 1]]);
}

#[test]
fn gradients_against_finite_differences() {
    let bag = EmbeddingBag::<11, 3, f64>::init(&mut rng()).with_padding(2);
    let bags = Tensor::from([[3, 1, 3, 2], [2, 10, 0, 6]]);
    check_parameter_gradients(&bag, |bag, tape| bag.forward(tape.trace(bags.clone())).sigmoid()).unwrap();
    let rows = Embedding::<9, 3, f64>::init(&mut rng());
    let indices = Tensor::from([[3, 1], [3, 8]]);
    check_parameter_gradients(&rows, |rows, tape| rows.forward(tape.trace(indices.clone())).sigmoid()).unwrap();
}

#[test]
fn any_rank_and_no_index() {
    let layer = Embedding::<5, 2>::init(&mut rng());
    let one: Tensor<Rank1<2>> = layer.forward(Tensor::from(3));
    assert_eq!(one, layer.weight.value().clone().slice(3));
    let none: Tensor<(usize, Const<2>)> = layer.forward(Tensor::<(usize,), usize>::zeros_with((0,)));
    assert_eq!(none.count(), 0);
    let frozen = Frozen(layer.clone());
    assert_eq!(frozen.forward(Tensor::from(3)), one);
}

#[test]
#[should_panic(expected = "Embedding: index 5 at position (1, 0) is outside axis 0 of size 5")]
fn an_index_outside_is_named() {
    let _ = Embedding::<5, 2>::init(&mut rng()).forward(Tensor::from([[0, 4], [5, 1]]));
}

#[test]
#[should_panic(expected = "EmbeddingBag: index 9 at position (0, 1) is outside axis 0 of size 5")]
fn an_index_outside_a_bag_is_named() {
    let _ = EmbeddingBag::<5, 2>::init(&mut rng()).forward(Tensor::from([[0, 9]]));
}
