//! Timing and printing of the workloads, with the same protocol and output as for the other libraries.
//!
//! Warm-up: at least 3 calls and 0.2 s (at most 1,000 calls). Calls shorter than 2 ms are timed in groups of about 2
//! ms. Then as many groups are timed as the budget allows, 5 to 201; the median is reported. `RAYON_NUM_THREADS` sets
//! the number of threads, `PEER_ONLY` selects workloads (`w1`, or the beginning of a name), and `PEER_BUDGET_S` sets
//! the budget.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo run --release -p taut-benches --bin w1_mlp
//! cargo bench -p taut-benches --bench products
//! ```

use rand::RngExt;
use std::time::Instant;
use taut::prelude::*;
use taut::text::Corpus;

/// The network of W3, for images of 1x28x28.
pub type LeNet = (
    (Conv2d<1, 6, 5, 1, 2>, Relu, MaxPool2d<2>),
    (Conv2d<6, 16, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<400, 120>, Relu),
    (Linear<120, 84>, Relu),
    Linear<84, 10>,
);

/// The measurements: times of one call in milliseconds.
pub struct Figures {
    median_ms: f64,
    min_ms: f64,
    /// Over all threads of the process; `None` where the system does not report it.
    cpu_ms: Option<f64>,
    groups: usize,
    inner: usize,
}

/// The amount of work in one call, from which the rates follow.
#[derive(Default)]
pub struct Work {
    pub samples: Option<f64>,
    pub flops: Option<f64>,
    pub bytes: Option<f64>,
    pub words: Option<f64>,
}

/// Whether this workload was asked for.
pub fn wanted(workload: &str) -> bool {
    let Ok(only) = std::env::var("PEER_ONLY") else { return true };
    let matches = |name: &str| {
        if name.contains('_') { workload.starts_with(name) } else { workload.split('_').next() == Some(name) }
    };
    only.is_empty() || only.split(',').any(matches)
}

/// Measures `call` for about `budget` seconds, times `PEER_BUDGET_S`.
pub fn measure(budget: f64, mut call: impl FnMut()) -> Figures {
    let scale: f64 = std::env::var("PEER_BUDGET_S").ok().and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let mut timed = |calls: usize| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64()
    };
    let warm_up = Instant::now();
    let mut seconds = timed(1);
    for calls in 2..=1_000 {
        seconds = timed(1);
        let so_far = warm_up.elapsed().as_secs_f64();
        if so_far > 1.0 || (calls >= 3 && so_far > 0.2) {
            break;
        }
    }
    let inner = if seconds < 2e-3 { (2e-3 / seconds.max(1e-9)).ceil() as usize } else { 1 };
    let groups = ((budget * scale / (seconds * inner as f64)) as usize).clamp(5, 201);
    let cpu = cpu_seconds();
    let mut times: Vec<f64> = (0..groups).map(|_| timed(inner) / inner as f64 * 1e3).collect();
    let cpu = cpu.zip(cpu_seconds()).map(|(before, after)| (after - before) * 1e3 / (groups * inner) as f64);
    times.sort_by(f64::total_cmp);
    Figures { median_ms: times[groups / 2], min_ms: times[0], cpu_ms: cpu, groups, inner }
}

/// The processor time of all threads of this process, as Linux reports it, in steps of 10 ms.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Checks that the step that was timed learns its batch. It goes on until the loss that it returns is below `limit`, for
/// a slow machine had time for a few steps only.
///
/// # Panics
/// If the loss is not below `limit` in 1,000 steps more.
pub fn expect_learned(limit: f32, mut step: impl FnMut() -> f32) {
    const MOST: usize = 1000;
    let mut losses = (0..MOST).map(|_| step());
    assert!(losses.any(|loss| loss < limit), "the batch was not learned: no loss was below {limit}");
}

/// Prints the line of a workload.
pub fn report(workload: &str, figures: &Figures, work: Work) {
    let seconds = figures.median_ms / 1e3;
    let mut extra = format!(r#""min_ms":{:.6},"n":{},"inner":{}"#, figures.min_ms, figures.groups, figures.inner);
    let rates = [
        ("cpu_ms", figures.cpu_ms),
        ("samples_per_s", work.samples.map(|x| x / seconds)),
        ("gflops", work.flops.map(|x| x / seconds / 1e9)),
        ("gbps", work.bytes.map(|x| x / seconds / 1e9)),
        ("words_per_s", work.words.map(|x| x / seconds)),
    ];
    for (name, value) in rates {
        if let Some(value) = value {
            extra += &format!(r#","{name}":{value:.6}"#);
        }
    }
    let (threads, median) = (rayon::current_num_threads(), figures.median_ms);
    println!(
        r#"{{"peer":"taut","workload":"{workload}","threads":{threads},"median_ms":{median:.6},"extra":{{{extra}}}}}"#
    );
}

/// The sizes of the products, (rows, columns, inner).
pub const PRODUCTS: [(usize, usize, usize); 13] = [
    (64, 64, 64),
    (128, 128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
    (2048, 2048, 2048),
    (64, 10, 784),
    (64, 128, 784),
    (128, 512, 512),
    (25088, 64, 576),
    (64, 25088, 576),
    (256, 1024, 64),
    (1, 4096, 4096),
];

/// This many words, 20 per sentence, from a vocabulary of 10,000, word r with a probability proportional to 1 / r.
/// Every word occurs: first each once in order, then at random.
pub fn zipf_corpus(words: usize) -> Corpus {
    const VOCABULARY: usize = 10_000;
    const SENTENCE: usize = 20;
    let mut rng = taut::Generator::new(0);
    let mut sum = 0.0;
    let mut add = |rank: usize| {
        sum += 1.0 / rank as f64;
        sum
    };
    let below: Vec<f64> = (1..=VOCABULARY).map(&mut add).collect();
    let mut word = |i: usize| {
        let drawn = sum * rng.random::<f64>();
        if i < VOCABULARY { i } else { below.partition_point(|&below| below <= drawn).min(VOCABULARY - 1) }
    };
    let mut words_left = (0..words).map(|i| format!("w{}", word(i)));
    Corpus::from_sentences((0..words / SENTENCE).map(|_| words_left.by_ref().take(SENTENCE).collect::<Vec<_>>()))
}
