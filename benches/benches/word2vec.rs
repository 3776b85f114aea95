//! One epoch of word2vec over 100,000 words, in all four ways.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use taut::text::VocabularyOptions;
use taut::text::word2vec::{Architecture, Config, Output, train};
use taut_benches::zipf_corpus;

const WORDS: usize = 100_000;

fn word2vec(criterion: &mut Criterion) {
    let corpus = zipf_corpus(WORDS);
    let vocabulary = corpus.vocabulary(VocabularyOptions::default()).expect("the corpus is in memory");
    let mut group = criterion.benchmark_group("word2vec");
    group.sample_size(10);
    group.throughput(Throughput::Elements(WORDS as u64));
    for architecture in [Architecture::SkipGram, Architecture::Cbow] {
        for output in [Output::NegativeSampling(5), Output::HierarchicalSoftmax] {
            let config = Config { architecture, output, epochs: 1, ..Default::default() };
            let mut rng = taut::Generator::new(0);
            group.bench_function(format!("{architecture:?}/{output:?}"), |bench| {
                bench.iter(|| train(&corpus, vocabulary.clone(), &config, &mut rng, |_| {}));
            });
        }
    }
}

criterion_group!(benches, word2vec);
criterion_main!(benches);
