//! While an operation waits for rayon's pool, its thread takes up other jobs: none of them may be affected by a frozen
//! part, a part in inference mode, or a summary of another model.

use rayon::prelude::*;
use std::cell::Cell;
use taut::prelude::*;

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Lets this thread run whatever else waits in its pool, as a product that waits for other threads does.
#[derive(Clone, Copy, Init, Parameters)]
struct Yields;
impl<X> Module<X> for Yields {
    type Output = X;
    fn apply(&self, x: X) -> X {
        thread_local!(static DEPTH: Cell<usize> = const { Cell::new(0) });
        // jobs within jobs, but not so deep that the stack overflows
        if DEPTH.get() < 4 {
            DEPTH.set(DEPTH.get() + 1);
            rayon::yield_now();
            DEPTH.set(DEPTH.get() - 1);
        }
        x
    }
}

/// A head behind a frozen part; the head must get a gradient, the frozen part none.
fn head_is_trained<F>(features: &F, weight: &Param<Rank2<3, 4>>, head: &Linear<3, 2>, freeze: bool) -> bool
where
    F: Module<Tensor<Rank2<5, 4>, f32, Traced<Training>>, Output = Tensor<Rank2<5, 3>, f32, Traced<Training>>>,
{
    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
    let hidden = features.forward(tape.trace(Tensor::ones()));
    let gradients = head.forward((Yields, Yields).forward(hidden)).sum().backward();
    let trained = [gradients.try_of(&head.weight).is_some(), gradients.try_of(&head.bias).is_some()];
    trained == [true; 2] && gradients.try_of(weight).is_some() != freeze
}

#[test]
fn jobs_taken_up_inside_a_frozen_part_are_not_frozen() {
    // one thread: every pass runs inside the frozen part of another
    let mut rng = StdRng::seed_from_u64(0);
    let (layer, head) = (Linear::<4, 3>::init(&mut rng), Linear::<3, 2>::init(&mut rng));
    for threads in [1, 2] {
        let passes: Vec<bool> = pool(threads).install(|| {
            (0..64)
                .into_par_iter()
                .with_max_len(1)
                .map(|i| match i % 4 {
                    0 => head_is_trained(&frozen(&(Yields, &layer, Yields)), &layer.weight, &head, true),
                    1 => head_is_trained(&(frozen(&(Yields, Yields)), &layer), &layer.weight, &head, false),
                    2 => head_is_trained(&frozen(&(frozen(&Yields), &layer, Yields)), &layer.weight, &head, true),
                    _ => head_is_trained(&(Yields, &layer, Yields), &layer.weight, &head, false),
                })
                .collect()
        });
        assert_eq!(passes.iter().filter(|&&right| !right).count(), 0, "of {} on {threads} threads", passes.len());
    }
}

/// A layer that gives work to rayon itself.
#[derive(Clone, Init, Parameters)]
struct Parallel(Linear<4, 3>);
impl<T: Trace> Module<Tensor<Rank2<5, 4>, f32, T>> for Parallel {
    type Output = Tensor<Rank2<5, 3>, f32, T>;
    fn apply(&self, x: Tensor<Rank2<5, 4>, f32, T>) -> Self::Output {
        let sums: Vec<f32> = (0..64).into_par_iter().map(|i| (0..200).map(|j| (i * j) as f32).sum()).collect();
        assert_eq!(sums.len(), 64);
        self.0.forward(x)
    }
}

#[test]
fn a_layer_may_use_rayon_itself() {
    let mut rng = StdRng::seed_from_u64(0);
    let (layer, head) = (Parallel::init(&mut rng), Linear::<3, 2>::init(&mut rng));
    let wrong = pool(4).install(|| {
        let pass = |_| head_is_trained(&frozen(&(Yields, &layer)), &layer.0.weight, &head, true);
        (0..2000).into_par_iter().with_max_len(1).map(pass).filter(|right| !right).count()
    });
    assert_eq!(wrong, 0, "of 2000");
}

#[test]
fn many_passes_with_products_that_wait_for_the_pool() {
    // large enough that the product is split over threads
    type Model = ((Frozen<Linear<512, 512>>, Relu), Linear<512, 10>);
    let model = Model::init(&mut StdRng::seed_from_u64(0));
    let x = Tensor::<Rank2<16, 512>>::ones();
    let wrong = pool(4).install(|| {
        let pass = |_| {
            let tape = Tape::inference();
            let gradients = model.forward(tape.trace(x.clone())).sum().backward();
            gradients.try_of(&model.1.weight).is_some() && gradients.try_of(&model.0.0.0.weight).is_none()
        };
        (0..500).into_par_iter().with_max_len(1).map(pass).filter(|right| !right).count()
    });
    assert_eq!(wrong, 0, "of 500");
}

#[test]
fn frozen_parts_take_inputs_of_any_type() {
    let mut rng = StdRng::seed_from_u64(0);
    let cell = LstmCell::<3, 4>::init(&mut rng);
    let first = Linear::<3, 3>::init(&mut rng);
    let x = Tensor::<Rank2<2, 3>>::randn(&mut rng);
    let run = |freeze: bool| {
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let x = first.forward(tape.trace(x.clone()));
        let zero = Tensor::<Rank2<2, 4>>::zeros();
        let state = LstmState { hidden: tape.trace(zero.clone()), cell: tape.trace(zero) };
        let state = if freeze { frozen(&cell).forward((x, state)) } else { cell.forward((x, state)) };
        let gradients = (state.hidden + state.cell).sum().backward();
        let mut reached = 0;
        cell.for_each_parameter(|_, _| reached += 1);
        let expected = if freeze { 2 } else { 2 + reached };
        assert!(format!("{gradients:?}").contains(&format!("parameters: {expected},")), "{gradients:?}");
        gradients.of(&first.weight)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_summary_knows_of_its_own_model_only() {
    let mut rng = StdRng::seed_from_u64(0);
    let model = (Linear::<4, 3>::init(&mut rng), Yields, Relu);
    let expected = model.summary::<Rank2<5, 4>>();
    assert_eq!(expected.rows.len(), 3);
    let wrong = pool(1).install(|| {
        let pass = |i| match i % 2 {
            0 => model.summary::<Rank2<5, 4>>() == expected,
            _ => model.forward(Tensor::<Rank2<5, 4>>::ones()).count() == 15,
        };
        (0..64).into_par_iter().with_max_len(1).map(pass).filter(|right| !right).count()
    });
    assert_eq!(wrong, 0, "of 64");
}
