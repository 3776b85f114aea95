//! W12: several processes. The time for the sum of gradients, by their size, in f32; a training step of LeNet, batch
//! 256 in four parts, Adam; and one of a network of 5.8 million parameters, batch 128 in one part per rank, alternately
//! with gradients that travel during the backward pass and after it. All ranks must make the same number of calls, so
//! it is fixed; the median is rank 0's.
//!
//! ```text
//! cargo build --release -p taut-benches --features mpi --bin w12_processes
//! RAYON_NUM_THREADS=1 mpirun -n 2 target/release/w12_processes
//! ```

use std::time::Instant;
use taut::distributed::{self, CommunicationError, Communicator, DistributedDataset, Parts};
use taut::prelude::*;
use taut_benches::{LeNet, wanted};

/// The sizes of the sums.
const SIZES: [usize; 5] = [1, 1_000, 100_000, 1_000_000, 10_000_000];
const STEPS: usize = 60;

fn report(workload: &str, world: &dyn Communicator, mut milliseconds: Vec<f64>) {
    milliseconds.sort_by(f64::total_cmp);
    if world.is_first() {
        println!(
            r#"{{"peer":"taut","workload":"{workload}","processes":{},"threads":{},"median_ms":{:.4},"min_ms":{:.4}}}"#,
            world.size(),
            rayon::current_num_threads(),
            milliseconds[milliseconds.len() / 2],
            milliseconds[0],
        );
    }
}

fn sums(world: &dyn Communicator) -> Result<(), CommunicationError> {
    for size in SIZES {
        let parameter = Param::<(usize,)>::new(Tensor::ones_with((size,)));
        let gradients = parameter.on(&Tape::inference()).sum().backward();
        let mut times = Vec::new();
        for call in 0..33 {
            let own = gradients.clone();
            world.barrier()?;
            let start = Instant::now();
            let sum = own.all_reduce(&parameter, world)?;
            if call >= 3 {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
            assert_eq!(sum.of(&parameter).as_slice()[size - 1], world.size() as f32);
        }
        report(&format!("w12_sum_{size}"), world, times);
    }
    Ok(())
}

fn step(workload: &str, parts: Parts, world: &dyn Communicator) -> Result<(), CommunicationError> {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = LeNet::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig::default());
    let images = Tensor::<Rank4<256, 1, 28, 28>>::randn(&mut rng);
    let data = (images, Tensor::<Rank1<256>, usize>::from_fn(|[i]| i * 7 % 10));
    let mut times = Vec::new();
    for call in 0..STEPS + 5 {
        let batch = data.parts_of(256, parts, world, &mut rng).next().expect("one batch");
        let start = Instant::now();
        let (_, gradients) = batch.backward(&model, world, &mut rng, |tape, (images, labels)| {
            model.forward(tape.trace(images)).cross_entropy(&labels)
        })?;
        optimizer.step(&mut model, &gradients);
        if call >= 5 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    report(workload, world, times);
    Ok(())
}

/// Lets nothing travel while something is computed.
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

fn overlap(world: &dyn Communicator) -> Result<(), CommunicationError> {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = <((Linear<784, 2048>, Relu), (Linear<2048, 2048>, Relu), Linear<2048, 10>)>::init(&mut rng);
    let mut optimizer = Sgd::new(SgdConfig::default());
    let data = (Tensor::<Rank2<128, 784>>::randn(&mut rng), Tensor::<Rank1<128>, usize>::from_fn(|[i]| i * 7 % 10));
    let blocking = Blocking(world);
    let ways: [(&str, &dyn Communicator); 2] = [("during", world), ("after", &blocking)];
    let mut times = [Vec::new(), Vec::new()];
    for call in 0..2 * (STEPS + 3) {
        let batch = data.parts_of(128, Parts::OnePerRank, world, &mut rng).next().expect("one batch");
        world.barrier()?;
        let start = Instant::now();
        let (_, gradients) = batch.backward(&model, ways[call % 2].1, &mut rng, |tape, (images, labels)| {
            model.forward(tape.trace(images)).cross_entropy(&labels)
        })?;
        optimizer.step(&mut model, &gradients);
        if call >= 6 {
            times[call % 2].push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    for ((name, _), times) in ways.iter().zip(times) {
        report(&format!("w12_overlap_{name}"), world, times);
    }
    Ok(())
}

fn main() -> Result<(), CommunicationError> {
    distributed::run(|world| {
        if wanted("w12_sum") {
            sums(world)?;
        }
        if wanted("w12_overlap") {
            overlap(world)?;
        }
        if wanted("w12_lenet") {
            step("w12_lenet_4_parts", Parts::Fixed(4), world)?;
            step("w12_lenet_part_per_rank", Parts::OnePerRank, world)?;
        }
        Ok(())
    })
}
