//! A training step that has run before takes all buffers from the pool, and little else from the system's allocator;
//! acting in an environment, nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use taut::prelude::*;
use taut::rl::{CartPole, Discrete, Environments, EpsilonGreedy, GaussianPolicy, Pendulum, Policy};

/// Counts allocations: all of this thread, as the test harness has one of its own, and those of any thread that are
/// aligned like the buffers of tensors.
struct Counting;
thread_local! {
    static ALL: Cell<usize> = const { Cell::new(0) };
}
static BUFFERS: AtomicUsize = AtomicUsize::new(0);

fn count(layout: Layout) {
    ALL.set(ALL.get() + 1);
    if layout.align() >= 64 {
        BUFFERS.fetch_add(1, Relaxed);
    }
}

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout);
        // SAFETY: the caller's promises are what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a step that has run before and counts its allocations: at most `all`, and no buffers. Each thread of the pool
/// has its own buffers and may get a part of the work for the first time in any step, so there are several attempts,
/// one of which must allocate none.
fn expect_steady(name: &str, all: usize, mut step: impl FnMut()) {
    const STEPS: usize = 10;
    const ATTEMPTS: usize = 10;
    (0..3).for_each(|_| step());
    let mut buffers = Vec::new();
    while buffers.last() != Some(&0) && buffers.len() < ATTEMPTS {
        let before = (ALL.get(), BUFFERS.load(Relaxed));
        (0..STEPS).for_each(|_| step());
        let (found, new_buffers) = (ALL.get() - before.0, BUFFERS.load(Relaxed) - before.1);
        buffers.push(new_buffers);
        assert!(found <= STEPS * all, "{name}: {found} allocations in {STEPS} steps, more than {all} in each");
    }
    assert_eq!(buffers.last(), Some(&0), "{name}: buffers allocated in {STEPS} steps each: {buffers:?}");
}

/// One test, because the counters belong to the whole program.
#[test]
fn a_steady_training_step_allocates_no_buffer() {
    let mut rng = taut::Generator::new(0);
    let labels = Tensor::<Rank1<16>, usize>::from_fn(|[i]| i % 10);

    let mut model = <((Linear<49, 32>, Relu), (Linear<32, 16>, Relu), Linear<16, 10>)>::init(&mut rng);
    let images = Tensor::<Rank2<16, 49>>::randn(&mut rng);
    let mut optimizer = Sgd::new(SgdConfig { momentum: Momentum::Classic(0.9), ..Default::default() });
    // The tape with its list and map, a box for the backward pass of each of the six operations, the table of gradients
    // and the list of those that leave it, the sizes of the labels, and the path that the optimizer walks along.
    expect_steady("fully connected", 15, || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(images.clone())).cross_entropy(&labels);
        optimizer.step(&mut model, &loss.backward());
    });

    let mut model = <(Embedding<1000, 8>, Lstm<8, 20, 2>, LastStep, Linear<20, 10>)>::init(&mut rng);
    let words = Tensor::<Rank2<16, 5>, usize>::from_fn(|[i, j]| i * 31 + j * 7);
    let mut optimizer = Adam::new(AdamConfig { lazy: true, ..Default::default() });
    // besides those above: lists of layers and their states, names of parameters, the rows that were used, and in each
    // pass of each layer the list of groups of sequences, and four arrays for the steps of a group
    expect_steady("recurrent", 68, || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(words.clone())).cross_entropy(&labels);
        optimizer.step(&mut model, &loss.backward());
    });

    // nothing at all: no tape, buffers from the pool, and room for the finished episodes was reserved before
    let network = <((Linear<4, 64>, Tanh), (Linear<64, 64>, Tanh), Linear<64, 2>)>::init(&mut rng);
    let mut environments = Environments::<CartPole, 1>::new(0);
    expect_steady("acting", 0, || {
        for _ in 0..20 {
            let mut actions = Discrete::best(&network.forward(environments.observations()));
            EpsilonGreedy { first: 0.5, last: 0.5, steps: 0 }.explore(&mut actions, 0, &mut rng);
            environments.step(&actions);
        }
        environments.finished().for_each(|_| ());
    });
    let actor = <(Linear<3, 32>, Tanh, Linear<32, 1>, GaussianPolicy<1>)>::init(&mut rng);
    let mut environments = Environments::<Pendulum, 8>::new(0);
    expect_steady("acting with numbers", 0, || {
        let actions = actor.forward(environments.observations()).act(&mut rng);
        environments.step(&actions);
    });
}
