//! word2vec: what it learns, that threads do not change it, and what it refuses.

use rand::RngExt;
use taut::prelude::*;
use taut::text::word2vec::{Architecture, Config, Output, Parallel, Progress, TrainingError, train};
use taut::text::{Corpus, Tokens, VocabularyOptions, WordVectors};

const TOPICS: usize = 3;
const WORDS_OF_TOPIC: usize = 6;

/// Sentences of eight words, each about one topic.
fn sentences(count: usize) -> Vec<Vec<String>> {
    let mut rng = StdRng::seed_from_u64(7);
    let mut sentence =
        |topic: usize| (0..8).map(|_| format!("{topic}-{}", rng.random_range(0..WORDS_OF_TOPIC))).collect();
    (0..count).map(|i| sentence(i % TOPICS)).collect()
}

fn trained(corpus: &Corpus, config: &Config) -> WordVectors {
    let vocabulary = corpus.vocabulary(VocabularyOptions::default()).unwrap();
    train(corpus, vocabulary, config, &mut taut::Generator::new(1), |_| {}).unwrap()
}

fn small() -> Config {
    Config { dimension: 12, window: 4, sample: 0.0, epochs: 4, learning_rate: 0.05, ..Default::default() }
}

/// The mean cosine of words of one topic, and of different ones.
fn cosines(vectors: &WordVectors) -> [f32; 2] {
    let words = vectors.vocabulary().tokens();
    let mut sums = [(0.0, 0.0); 2];
    for (i, a) in words.iter().enumerate() {
        for b in &words[..i] {
            let (sum, count) = &mut sums[usize::from(a[..1] != b[..1])];
            *sum += vectors.similarity(a, b).unwrap();
            *count += 1.0;
        }
    }
    sums.map(|(sum, count)| sum / count)
}

#[test]
fn words_of_one_topic_come_together() {
    let corpus = Corpus::from_sentences(sentences(180));
    for architecture in [Architecture::SkipGram, Architecture::Cbow] {
        for output in [Output::NegativeSampling(5), Output::HierarchicalSoftmax] {
            let config = Config { architecture, output, ..small() };
            let [same, other] = cosines(&trained(&corpus, &config));
            assert!(same > 0.8 && other < 0.3, "{architecture:?}, {output:?}: cosines {same} and {other}");
        }
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let corpus = Corpus::from_sentences(sentences(60));
    for output in [Output::NegativeSampling(5), Output::HierarchicalSoftmax] {
        let config = Config { output, ..small() };
        let bits = |threads: usize, config: &Config| -> Vec<u32> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let vectors = pool.install(|| trained(&corpus, config));
            vectors.vectors().iter().map(f32::to_bits).collect()
        };
        let one = bits(1, &config);
        assert!(one == bits(2, &config) && one == bits(5, &config));
        // the number of parts does make a difference
        assert!(one != bits(1, &Config { parallel: Parallel::Partitioned(3), ..config }));
    }
}

#[test]
fn hogwild_learns_too() {
    let corpus = Corpus::from_sentences(sentences(300));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let config = Config { parallel: Parallel::Hogwild, ..small() };
    let [same, other] = pool.install(|| cosines(&trained(&corpus, &config)));
    assert!(same > 0.8 && other < 0.3, "cosines {same} and {other}");
}

#[test]
fn few_words_many_parts_and_a_high_rate_stay_finite() {
    // every part moves every vector many times
    let corpus = Corpus::from_sentences(sentences(120));
    let config = Config { learning_rate: 0.2, parallel: Parallel::Partitioned(32), ..small() };
    let vectors = trained(&corpus, &config);
    assert!(vectors.vectors().iter().all(|x| x.abs() < 3.0));
    let [same, other] = cosines(&vectors);
    assert!(same > other + 0.4, "cosines {same} and {other}");
}

#[test]
fn files_are_read_anew_in_each_epoch() {
    let path = std::env::temp_dir().join(format!("taut-word2vec-{}.txt", std::process::id()));
    let sentences = sentences(60);
    let lines: Vec<String> = sentences.iter().map(|sentence| sentence.join(" ").to_uppercase()).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let files = Corpus::from_files([&path], Tokens::Spaces).lower_case();
    let in_memory = Corpus::from_sentences(sentences);
    let text = Corpus::from_text(&lines.join("\n"), Tokens::Spaces).lower_case();
    let config = Config { epochs: 2, ..small() };
    let [a, b, c] = [&files, &in_memory, &text].map(|corpus| trained(corpus, &config).vectors().to_vec());
    assert!(a == b && b == c);
    std::fs::write(&path, b"fine words\n\xff").unwrap();
    let vocabulary = in_memory.vocabulary(VocabularyOptions::default()).unwrap();
    let error = train(&files, vocabulary, &config, &mut taut::Generator::new(1), |_| {}).unwrap_err();
    assert!(matches!(error, TrainingError::Data(_)) && error.to_string().contains("line 2: is not UTF-8"), "{error}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn progress_is_told_until_the_end() {
    let corpus = Corpus::from_sentences(sentences(100));
    for parallel in [Parallel::Partitioned(4), Parallel::Hogwild] {
        let config = Config { parallel, ..small() };
        let vocabulary = corpus.vocabulary(VocabularyOptions::default()).unwrap();
        let mut told: Vec<Progress> = Vec::new();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let mut rng = taut::Generator::new(1);
        pool.install(|| train(&corpus, vocabulary, &config, &mut rng, |progress| told.push(progress))).unwrap();
        let (first, last) = (told[0], told[told.len() - 1]);
        assert_eq!((last.words, last.total), (3200, 3200));
        assert!(told.is_sorted_by(|a, b| a.words < b.words && a.learning_rate > b.learning_rate));
        assert!((last.learning_rate - 1e-4).abs() < 1e-9 && last.loss < 0.8 * first.loss, "{first:?} {last:?}");
        // six predictions of one half each
        assert!(first.loss < 6.0 * std::f64::consts::LN_2 * 1.01);
    }
}

#[test]
fn settings_without_a_meaning_are_errors() {
    let corpus = Corpus::from_sentences(sentences(10));
    let says = |config: Config, minimum_count: u64, message: &str| {
        let vocabulary = corpus.vocabulary(VocabularyOptions { minimum_count, ..Default::default() }).unwrap();
        let error = train(&corpus, vocabulary, &config, &mut taut::Generator::new(1), |_| {}).unwrap_err();
        assert!(matches!(error, TrainingError::Setting(_)) && error.to_string().contains(message), "{error}");
    };
    says(Config { dimension: 0, ..small() }, 1, "`dimension` must be at least 1, and is 0");
    says(Config { window: 0, ..small() }, 1, "`window` must be at least 1");
    says(Config { epochs: 0, ..small() }, 1, "`epochs` must be at least 1");
    says(Config { output: Output::NegativeSampling(0), ..small() }, 1, "at least 1 negative word");
    says(Config { parallel: Parallel::Partitioned(0), ..small() }, 1, "1 to 1024 parts that are learned from");
    says(Config { dimension: usize::MAX / 2, ..small() }, 1, "`dimension` may be 10000 at most");
    says(Config { sample: -1.0, ..small() }, 1, "`sample` must be a finite number of at least 0, and is -1");
    says(Config { learning_rate: f64::NAN, ..small() }, 1, "`learning_rate` must be");
    for parallel in [Parallel::Partitioned(4), Parallel::Hogwild] {
        says(
            Config { learning_rate: 1e38, parallel, ..small() },
            1,
            "the vectors became infinite: `learning_rate` must",
        );
    }
    says(Config { exponent: f64::NAN, ..small() }, 1, "`exponent` must be a number from -8 to 8, and is NaN");
    says(Config { exponent: -100.0, ..small() }, 1, "and is -100");
    says(small(), 1000, "the vocabulary must have at least 2 words that occur, and has 0: is the corpus empty");
    // any number of words, one of which occurs
    let options = VocabularyOptions { special: &["<padding>", "<unknown>"], ..Default::default() };
    let vocabulary = Corpus::from_text("one", Tokens::Spaces).vocabulary(options).unwrap();
    let error = train(&corpus, vocabulary, &small(), &mut taut::Generator::new(1), |_| {}).unwrap_err();
    assert!(error.to_string().contains("at least 2 words that occur, and has 1"), "{error}");
}
