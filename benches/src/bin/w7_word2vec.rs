//! W7: one epoch of skip-gram with negative sampling over 1,000,000 words, 20 per sentence, from a vocabulary of
//! 10,000, word r with a probability proportional to 1 / r: dimension 100, window 5, 5 negatives, learning rate 0.025.
//! `w7_sgns` without subsampling of frequent words, `w7_sgns_sub1e-3` with it. The vocabulary is built beforehand.

use taut::text::VocabularyOptions;
use taut::text::word2vec::{Config, train};
use taut_benches::{Work, measure, report, wanted, zipf_corpus};

const WORDS: usize = 1_000_000;

fn main() {
    let corpus = zipf_corpus(WORDS);
    let vocabulary = corpus.vocabulary(VocabularyOptions::default()).expect("the corpus is in memory");
    for (workload, sample) in [("w7_sgns", 0.0), ("w7_sgns_sub1e-3", 1e-3)] {
        if !wanted(workload) {
            continue;
        }
        let config = Config { sample, epochs: 1, ..Default::default() };
        let mut rng = taut::Generator::new(0);
        let mut losses = Vec::new();
        let figures = measure(1.0, || {
            losses.clear();
            train(&corpus, vocabulary.clone(), &config, &mut rng, |progress| losses.push(progress.loss))
                .expect("the corpus is in memory");
        });
        let part = losses.len() / 10;
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        assert!(mean(&losses[losses.len() - part..]) < mean(&losses[..part]), "nothing was learned");
        report(workload, &figures, Work { words: Some(WORDS as f64), ..Default::default() });
    }
}
