//! Whole runs on threads as ranks.

use super::*;
use crate::data::{Labels, digits};
use crate::optim::Momentum;
use crate::params::Values;
use crate::prelude::*;
use rand::RngExt;

/// The bits of all parameters and buffers.
fn bits<M: Parameters>(model: &M) -> Vec<u64> {
    let mut bits = Vec::new();
    model.for_each_parameter(|_, leaf| match leaf.values {
        Values::F32(values) => bits.extend(values.iter().map(|x| u64::from(x.to_bits()))),
        Values::F64(values) => bits.extend(values.iter().map(|x| x.to_bits())),
    });
    bits
}

/// That all ranks, whatever their number, have the same results; returns them.
fn same_on_any_number<R: PartialEq + std::fmt::Debug + Send>(
    numbers: impl IntoIterator<Item = usize>,
    program: impl Fn(&dyn Communicator) -> R + Sync,
) -> R {
    let expected = program(&OneProcess);
    for ranks in numbers {
        for (rank, found) in run_threads(ranks, &program).into_iter().enumerate() {
            assert!(found == expected, "rank {rank} of {ranks}");
        }
    }
    expected
}

type Network = ((Linear<64, 24>, BatchNorm1d<24>, Relu, Dropout<30>), Linear<24, 10>);

type WithoutBatchNorm = ((Linear<64, 24>, Relu, Dropout<30>), Linear<24, 10>);

/// Two epochs.
fn train<M>(samples: usize, size: usize, parts: Parts, world: &dyn Communicator) -> (Vec<u64>, Vec<u64>)
where
    M: Init
        + Parameters
        + Module<
            Tensor<(usize, Const<64>), f32, Traced<Training>>,
            Output = Tensor<(usize, Const<10>), f32, Traced<Training>>,
        >,
{
    let mut rng = StdRng::seed_from_u64(3);
    let data = digits().first(samples);
    let mut model = M::init(&mut rng);
    let mut optimizer =
        Sgd::new(SgdConfig { learning_rate: 0.1, momentum: Momentum::Nesterov(0.9), ..Default::default() });
    let mut losses = Vec::new();
    for _ in 0..2 {
        for batch in data.parts_of(size, parts, world, &mut rng) {
            let loss = |tape: &Tape<Training>, (x, y): (Tensor<(usize, Const<64>)>, Labels)| {
                model.forward(tape.trace(x)).cross_entropy(&y)
            };
            let (loss, gradients) = batch.backward(&model, world, &mut rng, loss).unwrap();
            losses.push(loss.to_bits());
            optimizer.step(&mut model, &gradients);
        }
    }
    expect_equal(&model, world).unwrap();
    (bits(&model), losses)
}

#[test]
fn any_number_of_ranks_gives_the_bits_of_one() {
    for (samples, size, parts) in [(256, 64, 4), (150, 75, 7)] {
        same_on_any_number([2, 3, 4, 6], |world| train::<Network>(samples, size, Parts::Fixed(parts), world));
    }
    // odd batches, of which the last has fewer samples than there are parts or ranks
    for (samples, size, parts) in [(100, 33, 4), (77, 37, 3), (33, 16, 16)] {
        same_on_any_number([2, 3, 5], |world| train::<WithoutBatchNorm>(samples, size, Parts::Fixed(parts), world));
    }
}

#[test]
fn one_rank_for_each_part_has_equal_ranks_and_other_rounding() {
    let one = train::<Network>(120, 40, Parts::OnePerRank, &OneProcess).0;
    let ranks = run_threads(3, |world| train::<Network>(120, 40, Parts::OnePerRank, world));
    assert!(ranks.iter().all(|rank| rank == &ranks[0]));
    assert_ne!(ranks[0].0, one, "batch norms saw other parts");
    assert_eq!(train::<Network>(120, 40, Parts::Fixed(3), &OneProcess), ranks[0]);
}

#[test]
fn one_part_is_the_plain_training_loop() {
    let mut rng = crate::Generator::new(3);
    let model = <(Linear<64, 24>, Relu, Linear<24, 10>)>::init(&mut rng);
    let batch = digits().parts::<50>(1, &OneProcess, &mut rng.clone()).next().unwrap();
    let (x, y) = digits().batches::<50>(&mut rng).next().unwrap();
    let loss = model.forward(Tape::training(&mut rng).trace(x)).cross_entropy(&y);
    let (value, plain) = (loss.item(), loss.backward());
    let (found, gradients) = batch
        .backward(&model, &OneProcess, &mut rng, |tape, (x, y)| model.forward(tape.trace(x)).cross_entropy(&y))
        .unwrap();
    assert_eq!(found, f64::from(value));
    gradients.for_each(&model, |name, _, found| match (name, found) {
        ("0.weight", Some(Values::F32(found))) => assert_eq!(found, plain.of(&model.0.weight).to_vec()),
        (_, found) => assert!(found.is_some()),
    });
    // more parts are the same but for rounding
    let mut rng = crate::Generator::new(3);
    let model_again = <(Linear<64, 24>, Relu, Linear<24, 10>)>::init(&mut rng);
    assert_eq!(bits(&model), bits(&model_again));
    let batch = digits().parts_of(50, Parts::Fixed(7), &OneProcess, &mut rng).next().unwrap();
    let parts = batch
        .backward(&model, &OneProcess, &mut rng, |tape, (x, y)| model.forward(tape.trace(x)).cross_entropy(&y))
        .unwrap()
        .1;
    assert!(parts.of(&model.0.weight).is_close(&plain.of(&model.0.weight), 1e-5, 1e-6));
    assert_ne!(parts.of(&model.0.weight), plain.of(&model.0.weight));
}

/// Pictures, whose samples are in one dataset with their augmentation and dropout of channels.
#[test]
fn augmentation_and_dropout_follow_the_sample() {
    same_on_any_number([2, 3, 5], |world| {
        let mut rng = StdRng::seed_from_u64(1);
        let images = Tensor::<(usize, Const<1>, Const<8>, Const<8>)>::uniform_with(
            (60, Const, Const, Const),
            0.0,
            1.0,
            &mut rng,
        );
        type Cnn = ((Conv2d<1, 4, 3>, Relu, Dropout2d<25>), Flatten, Linear<144, 1>);
        let mut model = Cnn::init(&mut rng);
        let mut optimizer = Adam::new(AdamConfig::default());
        let augmentation = crate::data::Augmentation::new(&mut rng).crop(1).flip().cutout(2);
        let batches = images.parts::<4>(5, world, &mut rng);
        let batches = batches.map(move |batch| batch.map(|x, samples| augmentation.apply_to(x, samples)));
        for batch in crate::data::Prefetch::new(batches, 2) {
            let loss = |tape: &Tape<Training>, x| model.forward(tape.trace(x)).relu().mean();
            let gradients = batch.backward(&model, world, &mut rng, loss).unwrap().1;
            optimizer.step(&mut model, &gradients);
        }
        bits(&model)
    });
}

/// A table of which parts use rows, and a table that is used as a whole, too.
#[derive(Init, Parameters)]
struct Words {
    rows: Embedding<500, 3, f64>,
    tied: Embedding<20, 3, f64>,
    bias: Bias<20, f64>,
    unused: Linear<2, 2>,
}

impl Words {
    fn loss(
        &self,
        tape: &Tape<Training>,
        words: Tensor<(usize,), usize>,
        whole: bool,
    ) -> Tensor<(), f64, Traced<Training>> {
        let few = words.iter().map(|word| word % 20).collect();
        let few = Tensor::from_vec(few, (words.count(),)).unwrap();
        let x = self.rows.forward(tape.trace(words)) + self.tied.forward(tape.trace(few));
        let x = x.tanh();
        if whole {
            let scores = x.matmul(self.tied.weight.on(tape).transpose());
            return self.bias.forward(scores).tanh().mean();
        }
        x.mean()
    }
}

#[test]
fn rows_of_tables_travel_as_rows() {
    // in the last case, some parts use the tied table as a whole, and some only rows of it
    for tied in [[false, false], [true, true], [true, false]] {
        same_on_any_number([2, 3, 4, 8], |world| {
            let mut rng = StdRng::seed_from_u64(1);
            let mut model = Words::init(&mut rng);
            let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.5, ..Default::default() });
            let words = Tensor::from_fn_with((44,), |_| rng.random_range(0..500_usize));
            for _ in 0..2 {
                for batch in words.parts_of(11, Parts::Fixed(4), world, &mut rng) {
                    let mut partial = PartialGradients::new();
                    for part in batch.into_parts() {
                        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
                        let loss = model.loss(&tape, part.data, tied[part.number % 2]);
                        partial.add(part.number, loss.backward());
                    }
                    let gradients = partial.all_reduce(&model, world).unwrap();
                    let is_rows = |id| matches!(gradients.find(id), Some(crate::tape::Gradient::Rows(_)));
                    assert!(is_rows(model.rows.weight.id()));
                    assert_eq!(is_rows(model.tied.weight.id()), tied == [false, false]);
                    optimizer.step(&mut model, &gradients);
                }
            }
            bits(&model)
        });
    }
}

/// What happened on a rank, in order.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    /// A bucket started to travel.
    Sent,
    /// The backward pass reached this layer.
    Reached(usize),
}

type Events = std::sync::Arc<std::sync::Mutex<Vec<Event>>>;

/// Writes down when messages are handed over.
struct Recorder<'a>(&'a dyn Communicator, Events);

impl Communicator for Recorder<'_> {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        self.0.exchange(outgoing)
    }
    fn exchange_during(&self, count: usize, work: &mut Work<'_>) -> Result<Vec<Vec<Vec<u8>>>, CommunicationError> {
        self.0.exchange_during(count, &mut |hand_over| {
            work(&mut |messages| {
                hand_over(messages);
                self.1.lock().unwrap().push(Event::Sent);
            })
        })
    }
}

/// Has only what every communicator must have.
struct Blocking<'a>(&'a dyn Communicator);

impl Communicator for Blocking<'_> {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        self.0.exchange(outgoing)
    }
}

/// Layers, a table of which each part uses all or some rows or nothing, and one that nobody uses.
#[derive(Init, Parameters)]
struct Layers {
    table: Embedding<30, 8>,
    layers: [Linear<8, 8>; 4],
    norm: BatchNorm1d<8>,
    sometimes: Linear<8, 8>,
    unused: Linear<8, 8>,
}

impl Layers {
    /// What takes part depends on the first word.
    fn loss(
        &self,
        tape: &Tape<Training>,
        words: Tensor<(usize,), usize>,
        events: &Events,
    ) -> Tensor<(), f32, Traced<Training>> {
        let first = words.iter().next().unwrap_or(0);
        let mut x = self.table.forward(tape.trace(words));
        for (number, layer) in self.layers.iter().enumerate() {
            let events = events.clone();
            x = custom(layer.forward(x).tanh(), move |x| {
                let backward = move |gradient| {
                    events.lock().unwrap().push(Event::Reached(number));
                    gradient
                };
                (x, backward)
            });
        }
        x = self.norm.forward(x);
        if first % 2 == 1 {
            x = self.sometimes.forward(x);
        }
        if first % 3 == 1 {
            return (x.clone() * x).mean() + self.table.weight.on(tape).tanh().mean();
        }
        (x.clone() * x).mean()
    }
}

#[test]
fn gradients_travel_during_the_backward_pass_and_are_the_same() {
    for (samples, parts) in [(40, 4), (40, 7), (21, 3), (9, 1)] {
        let step = |world: &dyn Communicator, events: &Events, overlapped: bool| {
            let mut rng = StdRng::seed_from_u64(8);
            let model = Layers::init(&mut rng);
            let words = Tensor::from_fn_with((samples,), |_| rng.random_range(0..30_usize));
            let batch = words.parts_of(samples, Parts::Fixed(parts), world, &mut rng).next().unwrap();
            let mut loss = |tape: &Tape<Training>, words| model.loss(tape, words, events);
            let (value, gradients) = if overlapped {
                batch.backward(&model, world, &mut rng, loss).unwrap()
            } else {
                let (seed, like) = batch.seed(&mut rng);
                let mut partial = PartialGradients::new();
                for part in batch.into_parts() {
                    let tape = Tape::training_of(part.samples.clone(), &mut crate::Generator::new(seed));
                    partial.add_share(part.number, super::backward::share(tape, part, samples, &mut loss));
                }
                let share = partial.reduce(&model, world, like).unwrap();
                (share.loss, share.gradients)
            };
            let mut found = vec![vec![value.to_bits()]];
            gradients.for_each(&model, |_, _, values| match values {
                Some(Values::F32(values)) => found.push(values.iter().map(|x| u64::from(x.to_bits())).collect()),
                _ => found.push(Vec::new()),
            });
            let updates = gradients.into_parts().1;
            assert_eq!(updates.len(), 2);
            for update in updates {
                found.push(vec![update.keep.to_bits()]);
                let Values::F32(values) = super::bytes::slice(&update.add, 0..8) else { panic!("not of f32") };
                found.push(values.iter().map(|x| u64::from(x.to_bits())).collect());
            }
            found
        };
        let expected = step(&OneProcess, &Events::default(), false);
        for ranks in 1..=4 {
            let results = run_threads(ranks, |world| {
                let events = Events::default();
                assert_eq!(
                    step(world, &Events::default(), false),
                    expected,
                    "{parts} parts, {ranks} ranks: afterwards"
                );
                assert_eq!(step(&Blocking(world), &Events::default(), true), expected, "{parts} parts, {ranks} ranks");
                assert_eq!(step(&Recorder(world, events.clone()), &events, true), expected, "{parts}, {ranks} ranks");
                events.lock().unwrap().clone()
            });
            for events in results.into_iter().filter(|events| ranks > 1 && events.contains(&Event::Reached(0))) {
                let first_sent = events.iter().position(|event| *event == Event::Sent).unwrap();
                let end = events.iter().rposition(|event| *event == Event::Reached(0)).unwrap();
                // those of the layers above are on the way when the last backward pass reaches the first layer
                assert!(first_sent < end, "{events:?}");
                let before = events[..end].iter().filter(|event| **event == Event::Sent).count();
                assert!(before >= 3, "{events:?}");
            }
        }
    }
}

#[test]
fn exchanges_must_be_as_many_as_promised() {
    for blocking in [false, true] {
        let panic = std::panic::catch_unwind(|| {
            let world = run_threads(1, |world| {
                let work = &mut |hand_over: &mut dyn FnMut(_)| hand_over(vec![vec![1]]);
                let _ =
                    if blocking { Blocking(world).exchange_during(2, work) } else { world.exchange_during(2, work) };
            });
            drop(world);
        });
        let message = panic.unwrap_err().downcast_ref::<String>().cloned();
        assert_eq!(message.as_deref(), Some("exchange_during: messages of 1 exchanges, and 2 were promised"));
    }
}

#[test]
fn gradients_of_any_subset_of_parameters_add_up() {
    let mut seeds = StdRng::seed_from_u64(9);
    for _ in 0..30 {
        let seed = seeds.random::<u64>();
        same_on_any_number([2, 3, 7], |world| {
            let mut rng = StdRng::seed_from_u64(seed);
            let layers: Vec<Linear<5, 7>> = (0..6).map(|_| Linear::init(&mut rng)).collect();
            let x = Tensor::<Rank2<3, 5>>::randn(&mut rng);
            let parts = rng.random_range(1..9);
            let used: Vec<Vec<bool>> = (0..parts).map(|_| (0..6).map(|_| rng.random()).collect()).collect();
            let mut partial = PartialGradients::new();
            let own = world.rank() * parts / world.size()..(world.rank() + 1) * parts / world.size();
            for part in own {
                let tape = Tape::inference();
                let x = tape.trace(x.clone() * (part as f32 - 1.3));
                let outputs = layers.iter().zip(&used[part]).filter(|(_, used)| **used);
                let zero = tape.trace(Tensor::<()>::zeros());
                let sum = outputs.fold(zero, |sum, (layer, _)| sum + layer.forward(x.clone()).tanh().sum());
                partial.add(part, sum.backward());
            }
            let gradients = partial.all_reduce(&layers, world).unwrap();
            let mut all = Vec::new();
            gradients.for_each(&layers, |name, _, values| match values {
                Some(Values::F32(values)) => {
                    all.push((name.to_string(), values.iter().map(|x| x.to_bits()).collect::<Vec<_>>()));
                }
                _ => all.push((name.to_string(), Vec::new())),
            });
            all
        });
    }
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let folder = std::env::temp_dir().join(format!("taut-distributed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("run.safetensors");
    let epochs = |from: usize, to: usize, world: &dyn Communicator| {
        let mut rng = crate::Generator::new(5);
        let mut model = Network::init(&mut rng);
        let mut optimizer = Adam::new(AdamConfig::default());
        if from > 0 {
            let checkpoint = Checkpoint::load(&path).unwrap();
            checkpoint.restore_model("model", &mut model).unwrap();
            optimizer.restore(&checkpoint.snapshot("optimizer").unwrap(), &model).unwrap();
            rng = checkpoint.generator("rng").unwrap();
        }
        for _ in from..to {
            for batch in digits().first(100).parts_of(30, Parts::Fixed(4), world, &mut rng) {
                let loss = |tape: &Tape<Training>, (x, y): (Tensor<(usize, Const<64>)>, Labels)| {
                    model.forward(tape.trace(x)).cross_entropy(&y)
                };
                let gradients = batch.backward(&model, world, &mut rng, loss).unwrap().1;
                optimizer.step(&mut model, &gradients);
            }
        }
        if world.is_first() {
            let checkpoint = Checkpoint::new().with_model("model", &model).with_generator("rng", &rng);
            checkpoint.with_snapshot("optimizer", &optimizer.snapshot()).save(&path).unwrap();
        }
        world.barrier().unwrap();
        bits(&model)
    };
    let whole = epochs(0, 3, &OneProcess);
    for (before, after) in [(2, 4), (4, 1), (1, 3)] {
        run_threads(before, |world| epochs(0, 1, world));
        let resumed = run_threads(after, |world| epochs(1, 3, world));
        assert!(resumed.iter().all(|rank| rank == &whole), "{before} ranks, then {after}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn shards_have_every_sample_once() {
    for (samples, ranks) in [(10, 3), (2, 5), (0, 2), (7, 7)] {
        let data = Tensor::<(usize,), usize>::from_fn_with((samples,), |[i]| i);
        let shards =
            run_threads(ranks, |world| (data.shard(world).indices().to_vec(), data.shard(world).whole().to_vec()));
        assert!(shards.iter().all(|(indices, values)| indices == values));
        assert!(shards.iter().all(|(indices, _)| indices.len().abs_diff(samples / ranks) <= 1));
        assert_eq!(shards.concat_indices(), (0..samples).collect::<Vec<_>>());
    }
}

trait ConcatIndices {
    fn concat_indices(&self) -> Vec<usize>;
}
impl ConcatIndices for Vec<(Vec<usize>, Vec<usize>)> {
    fn concat_indices(&self) -> Vec<usize> {
        self.iter().flat_map(|(indices, _)| indices.iter().copied()).collect()
    }
}

#[test]
fn a_rank_that_ends_is_an_error_on_the_others() {
    let program = |world: &dyn Communicator| {
        if world.rank() == 1 {
            return Ok(());
        }
        (0..3).try_for_each(|_| world.barrier())
    };
    let ends = run_threads(3, program);
    assert_eq!(ends[1], Ok(()));
    assert!(ends[0].is_err() && ends[2].is_err());
    assert_eq!(ends[0], Err(CommunicationError::Gone { rank: 1 }));
    let panic = std::panic::catch_unwind(|| {
        run_threads(2, |world| {
            assert!(world.rank() == 0, "rank 1 fails");
            assert!(world.barrier().is_err());
        })
    });
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"rank 1 fails"));
}

#[test]
fn what_differs_between_ranks_is_an_error_on_all() {
    let run = |seed: fn(usize) -> u64, size: fn(usize) -> usize| {
        run_threads(2, move |world| {
            let mut rng = StdRng::seed_from_u64(seed(world.rank()));
            let model = Linear::<64, 10>::init(&mut StdRng::seed_from_u64(0));
            let batch = digits().parts_of(size(world.rank()), Parts::Fixed(2), world, &mut rng).next().unwrap();
            let result =
                batch.backward(&model, world, &mut rng, |tape, (x, y)| model.forward(tape.trace(x)).cross_entropy(&y));
            result.map(|_| ()).unwrap_err().to_string()
        })
    };
    for errors in [run(|rank| rank as u64, |_| 10), run(|_| 0, |rank| 10 + rank)] {
        for error in errors {
            assert!(error.contains("rank 1 has other random numbers, or another batch"), "{error}");
        }
    }
    let errors = run_threads(2, |world| {
        let sizes = (0..world.rank() + 1).map(|_| Linear::<2, 2>::init(&mut StdRng::seed_from_u64(0)));
        let model: Vec<_> = sizes.collect();
        let gradients = model[0].forward(Tape::inference().trace(Tensor::from([1.0, 2.0]))).sum().backward();
        let reduced = gradients.all_reduce(&model, world).map(|_| ()).unwrap_err().to_string();
        [reduced, broadcast(&mut model.clone(), world).unwrap_err().to_string()]
    });
    for [reduced, broadcast] in errors {
        assert!(reduced.contains("rank 1 has another model"), "{reduced}");
        assert!(broadcast.contains("on rank 1, the model is another one"), "{broadcast}");
    }
    let errors = run_threads(3, |world| {
        let model = Linear::<2, 2>::init(&mut StdRng::seed_from_u64(world.rank() as u64 / 2));
        expect_equal(&model, world).unwrap_err().to_string()
    });
    assert!(errors.iter().all(|error| error.contains("on rank 2, the model has other weights")), "{errors:?}");
}

#[test]
#[should_panic(expected = "all_reduce: 2 gradients are of parameters outside this model")]
fn gradients_of_another_model_are_refused() {
    let mut rng = StdRng::seed_from_u64(0);
    let (a, b) = (Linear::<2, 2>::init(&mut rng), Linear::<2, 2>::init(&mut rng));
    let gradients = a.forward(Tape::inference().trace(Tensor::from([1.0, 2.0]))).sum().backward();
    let _ = gradients.all_reduce(&b, &OneProcess);
}

#[test]
fn what_other_ranks_send_is_checked() {
    /// Rank 1 sends garbage.
    struct Damaged<'a>(&'a dyn Communicator, std::cell::Cell<u64>);
    impl Communicator for Damaged<'_> {
        fn rank(&self) -> usize {
            self.0.rank()
        }
        fn size(&self) -> usize {
            self.0.size()
        }
        fn exchange(&self, outgoing: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommunicationError> {
            let mut incoming = self.0.exchange(outgoing)?;
            let mut rng = StdRng::seed_from_u64(self.1.get());
            self.1.set(self.1.get() + 1);
            let message = &mut incoming[1];
            match rng.random_range(0..4) {
                0 => message.truncate(rng.random_range(0..=message.len())),
                1 => message.extend([1, 2, 3]),
                2 if !message.is_empty() => {
                    let place = rng.random_range(0..message.len());
                    message[place] ^= 1 << rng.random_range(0..8);
                }
                _ => {}
            }
            Ok(incoming)
        }
    }
    let mut errors = 0;
    for seed in 0..300 {
        let results = run_threads(2, |world| {
            let world = Damaged(world, std::cell::Cell::new(seed * 10));
            let mut rng = StdRng::seed_from_u64(0);
            let model = Words::init(&mut rng);
            let words = Tensor::from([1, 2, 3 + world.rank()]);
            let words = Tensor::from_vec(words.to_vec(), (3,)).unwrap();
            let tape = Tape::training(&mut rng);
            model.loss(&tape, words, false).backward().all_reduce(&model, &world).is_err()
        });
        errors += results.iter().filter(|&&error| error).count();
    }
    assert!(errors > 100, "{errors}: never a panic, but errors");
}

type TwoBatchNorms = (
    (Conv2d<1, 3, 3, 1, 0, 1, f64>, BatchNorm2d<3, f64>, Relu),
    Flatten,
    (Linear<48, 5, f64>, BatchNorm1d<5, f64>, Tanh, Dropout<20>),
    Linear<5, 2, f64>,
);
type Pictures = Tensor<(usize, Const<1>, Const<6>, Const<6>), f64>;

/// Loss, gradients and running averages of one batch.
fn synchronized(samples: usize, parts: usize, world: &dyn Communicator) -> (f64, Vec<f64>, Vec<f64>) {
    let mut rng = crate::Generator::new(1);
    let mut model = TwoBatchNorms::init(&mut rng);
    let pictures = Pictures::normal_with((samples, Const, Const, Const), 0.0, 1.0, &mut rng);
    let batch = pictures.parts_of(samples, Parts::Fixed(parts), world, &mut rng).next().unwrap();
    let loss = |tape: &Tape<Training>, x| {
        let y = model.forward(tape.trace(x));
        (y.clone() * y).mean()
    };
    let (loss, gradients) = batch.backward_synchronized(&model, world, &mut rng, loss).unwrap();
    let mut numbers = Vec::new();
    gradients.for_each(&model, |_, _, values| match values {
        Some(Values::F64(values)) => numbers.extend(values),
        _ => panic!("a gradient is missing"),
    });
    Sgd::new(SgdConfig { learning_rate: 0.0, ..Default::default() }).step(&mut model, &gradients);
    let [one, two] = [&model.0.1.running_mean, &model.0.1.running_var].map(|running| running.value().to_vec());
    let [three, four] = [&model.2.1.running_mean, &model.2.1.running_var].map(|running| running.value().to_vec());
    (loss, numbers, [one, two, three, four].concat())
}

#[test]
fn batch_norms_over_all_ranks_are_those_of_the_whole_batch() {
    for samples in [2, 5, 16, 33] {
        // the plain loop; dropout follows the samples
        let whole = synchronized(samples, 1, &OneProcess);
        let mut rng = crate::Generator::new(1);
        let model = TwoBatchNorms::init(&mut rng);
        let pictures = Pictures::normal_with((samples, Const, Const, Const), 0.0, 1.0, &mut rng);
        let order = crate::data::shuffled(samples, &mut rng);
        let tape = Tape::training_of(order.clone(), &mut crate::Generator::new(rand::Rng::next_u64(&mut rng)));
        let y = model.forward(tape.trace(Dataset::gather(&pictures, samples, &order)));
        let loss = (y.clone() * y).mean();
        assert_eq!(loss.item(), whole.0);
        assert_eq!(loss.backward().of(&model.0.0.weight).to_vec(), whole.1[..27]);
        for parts in [2, 4, 7] {
            let found = same_on_any_number([2, 3, 4, 9], |world| synchronized(samples, parts, world));
            let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-11 * (1.0 + b.abs()));
            assert!(close(&[found.0], &[whole.0]), "{samples} in {parts}: {} {}", found.0, whole.0);
            assert!(close(&found.1, &whole.1) && close(&found.2, &whole.2), "{samples} in {parts}");
        }
    }
}

#[test]
fn a_part_that_panics_or_goes_its_own_way_ends_all() {
    let run = |wrong: fn(
        usize,
        Tensor<(usize, Const<5>), f32, Traced<Training>>,
    ) -> Tensor<(usize, Const<5>), f32, Traced<Training>>| {
        run_threads(3, move |world| {
            let mut rng = StdRng::seed_from_u64(0);
            let model = <(BatchNorm1d<5>, BatchNorm1d<5>)>::init(&mut rng);
            let x = Tensor::<(usize, Const<5>)>::normal_with((20, Const), 0.0, 1.0, &mut rng);
            let numbered = (x, Tensor::<(usize,), usize>::from_fn_with((20,), |[i]| i));
            let batch = numbered.parts_of(20, Parts::Fixed(7), world, &mut rng).next().unwrap();
            let number = std::cell::Cell::new(0);
            let batch = batch.map(|(x, _), _| {
                number.set(number.get() + 1);
                (x, number.get() - 1)
            });
            let rank = world.rank();
            let result = batch.backward_synchronized(&model, world, &mut rng, |tape, (x, number)| {
                let x = model.0.forward(tape.trace(x));
                let x = if rank == 1 { wrong(number, x) } else { x };
                model.1.forward(x).mean()
            });
            result.map(|_| ())
        })
    };
    assert!(run(|_, x| x).iter().all(Result::is_ok));
    // one part of rank 1 runs through a batch norm more
    let other = run(|number, x| {
        let more = BatchNorm1d::<5>::init(&mut StdRng::seed_from_u64(0));
        if number == 1 { more.forward(x) } else { x }
    });
    for error in other {
        assert!(error.unwrap_err().to_string().contains("other batch norms than another"));
    }
    let panic = std::panic::catch_unwind(|| run(|number, x| if number == 1 { panic!("a part fails") } else { x }));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"a part fails"));
}
