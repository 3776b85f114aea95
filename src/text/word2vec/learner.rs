//! Learning from a sentence, however the vectors are stored.

use super::alias::AliasTable;
use super::huffman::Huffman;
use super::parts::Part;
use super::{Architecture, Config, Output};
use crate::kernels::word2vec::{LANES, Lanes, Movement, Picked, mean, step};
use crate::numbers::Generator;
use crate::text::Vocabulary;
use rand::RngExt;

/// Vectors that a thread reads and moves.
pub trait Table {
    /// Prepares rows for reading, and returns their positions in [`vectors`](Self::vectors), valid until the next call.
    fn fetch(&mut self, rows: &[u32], places: &mut Vec<u32>);
    fn vectors(&self) -> &[Lanes];
    /// Moves the vectors at these positions, each by its own movement, or all by one. `step` is the learning rate times
    /// the number of vectors that a movement sums.
    fn move_by(&mut self, places: &[u32], movements: &[Lanes], step: f32);
}

/// What is predicted of a word.
enum Targets {
    /// The word itself, against this many others drawn from the table.
    Negative(AliasTable, usize),
    /// The way to the word.
    Hierarchical(Huffman),
}

/// What all threads know.
pub struct Task {
    architecture: Architecture,
    window: usize,
    /// The probability with which an occurrence of each word is kept.
    kept: Vec<f32>,
    targets: Targets,
    seed: u64,
    /// Of a vector, in registers.
    pub width: usize,
    rates: [f64; 2],
    /// The number of words read in all epochs.
    pub total: u64,
}

impl Task {
    pub fn new(config: &Config, vocabulary: &Vocabulary, seed: u64) -> Self {
        let counts = vocabulary.counts();
        let targets = match config.output {
            Output::NegativeSampling(negatives) => {
                // a word that never occurs is never drawn, whatever the exponent
                let weight = |&count: &u64| if count == 0 { 0.0 } else { (count as f64).powf(config.exponent) };
                let weights: Vec<f64> = counts.iter().map(weight).collect();
                Targets::Negative(AliasTable::new(&weights), negatives)
            }
            Output::HierarchicalSoftmax => Targets::Hierarchical(Huffman::new(counts)),
        };
        // counts may come from a file
        let words = counts.iter().fold(0, |sum: u64, &count| sum.saturating_add(count));
        Task {
            architecture: config.architecture,
            window: config.window,
            kept: counts.iter().map(|&count| kept(count as f64 / words as f64, config.sample) as f32).collect(),
            targets,
            seed,
            width: config.dimension.div_ceil(LANES),
            rates: [config.learning_rate, config.lowest_learning_rate],
            total: words.saturating_mul(config.epochs as u64),
        }
    }

    /// The learning rate after this many words: it falls linearly.
    pub fn rate(&self, words: u64) -> f64 {
        let [first, last] = self.rates;
        let part = (words as f64 / self.total as f64).min(1.0);
        first * (1.0 - part) + last * part
    }
}

/// The probability with which an occurrence of a word of frequency f is kept: sqrt(t / f) + t / f. (The paper has only
/// the square root; its program and all others have this.)
pub fn kept(part: f64, sample: f64) -> f64 {
    if sample > 0.0 { (sample / part).sqrt() + sample / part } else { 1.0 }
}

/// The loss of some predictions.
#[derive(Clone, Copy, Default)]
pub struct Loss {
    pub sum: f64,
    pub predictions: u64,
}

/// One thread's buffers, for reuse.
#[derive(Default)]
pub struct Learner {
    sentence: Vec<u32>,
    context: Vec<u32>,
    targets: Vec<u32>,
    labels: Vec<f32>,
    input_places: Vec<u32>,
    output_places: Vec<u32>,
    mean: Vec<Lanes>,
    movement: Movement,
}

impl Learner {
    /// Learns from the sentences of a part.
    pub fn learn(&mut self, task: &Task, part: &Part, inputs: &mut impl Table, outputs: &mut impl Table) -> Loss {
        // random numbers depend on the part alone, not on the thread
        let mut rng = Generator::new(task.seed.wrapping_add(part.number));
        let rate = task.rate(part.before) as f32;
        let mut loss = Loss::default();
        for sentence in part.sentences() {
            self.sentence.clear();
            self.sentence.extend(sentence.iter().filter(|&&word| {
                let kept = task.kept[word as usize];
                kept >= 1.0 || rng.random::<f32>() < kept
            }));
            for place in 0..self.sentence.len() {
                let reach = rng.random_range(1..=task.window);
                let end = reach.saturating_add(place + 1).min(self.sentence.len());
                self.context.clear();
                self.context.extend_from_slice(&self.sentence[place.saturating_sub(reach)..place]);
                self.context.extend_from_slice(&self.sentence[place + 1..end]);
                if !self.context.is_empty() {
                    let word = self.sentence[place];
                    loss.sum += f64::from(self.learn_word(task, word, rate, inputs, outputs, &mut rng));
                    loss.predictions += match task.architecture {
                        Architecture::SkipGram => self.context.len() as u64,
                        Architecture::Cbow => 1,
                    };
                }
            }
        }
        loss
    }

    /// Learns that a word occurs in the context.
    fn learn_word(
        &mut self,
        task: &Task,
        word: u32,
        rate: f32,
        inputs: &mut impl Table,
        outputs: &mut impl Table,
        rng: &mut Generator,
    ) -> f32 {
        match &task.targets {
            Targets::Negative(table, negatives) => {
                self.targets.clear();
                self.targets.push(word);
                self.targets.extend((0..*negatives).map(|_| table.draw(rng)).filter(|&other| other != word));
                self.labels.clear();
                self.labels.resize(self.targets.len(), 0.0);
                self.labels[0] = 1.0;
            }
            Targets::Hierarchical(tree) => {
                let (nodes, labels) = tree.way(word);
                self.targets.clear();
                self.targets.extend_from_slice(nodes);
                self.labels.clear();
                self.labels.extend_from_slice(labels);
            }
        }
        inputs.fetch(&self.context, &mut self.input_places);
        outputs.fetch(&self.targets, &mut self.output_places);
        let width = task.width;
        let context = Picked { table: inputs.vectors(), rows: &self.input_places, width };
        let input = match task.architecture {
            Architecture::SkipGram => context,
            Architecture::Cbow => {
                self.mean.resize(width, Lanes::default());
                mean(context, &mut self.mean);
                Picked { table: &self.mean, rows: &[0], width }
            }
        };
        let output = Picked { table: outputs.vectors(), rows: &self.output_places, width };
        let loss = step(input, output, &self.labels, rate, &mut self.movement);
        let (m, k) = (input.rows.len() as f32, output.rows.len() as f32);
        inputs.move_by(&self.input_places, &self.movement.inputs, rate * k);
        outputs.move_by(&self.output_places, &self.movement.outputs, rate * m);
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::MOST_EXPONENT;
    use super::*;
    use crate::kernels::word2vec::add_rows;
    use crate::text::{TokenCounts, VocabularyOptions};

    /// The table itself.
    struct Direct(Vec<Lanes>, usize);
    impl Table for Direct {
        fn fetch(&mut self, rows: &[u32], places: &mut Vec<u32>) {
            places.clear();
            places.extend_from_slice(rows);
        }
        fn vectors(&self) -> &[Lanes] {
            &self.0
        }
        fn move_by(&mut self, places: &[u32], movements: &[Lanes], _: f32) {
            add_rows(&mut self.0, places, self.1, movements);
        }
    }

    const WORDS: usize = 30;

    fn vocabulary() -> Vocabulary {
        let mut counts = TokenCounts::default();
        (0..WORDS).for_each(|word| (0..1000 / (word + 1)).for_each(|_| counts.add(&format!("w{word:02}"))));
        Vocabulary::new(&counts, VocabularyOptions::default())
    }

    /// The same in `f64`, written as in the definition, with the same random numbers.
    fn reference(task: &Task, part: &Part, length: usize, x: &mut [f64], w: &mut [f64]) -> (f64, u64) {
        let mut rng = Generator::new(task.seed.wrapping_add(part.number));
        let rate = task.rate(part.before);
        let (mut loss, mut predictions) = (0.0, 0);
        for sentence in part.sentences() {
            let mut kept = Vec::new();
            for &word in sentence {
                if task.kept[word as usize] >= 1.0 || rng.random::<f32>() < task.kept[word as usize] {
                    kept.push(word);
                }
            }
            for (i, &word) in kept.iter().enumerate() {
                let reach = rng.random_range(1..=task.window) as isize;
                let near = |&(j, _): &(usize, &u32)| j != i && (j as isize - i as isize).abs() <= reach;
                let context: Vec<usize> = kept.iter().enumerate().filter(near).map(|(_, &c)| c as usize).collect();
                if context.is_empty() {
                    continue;
                }
                let mut targets: Vec<(usize, f64)> = vec![];
                match &task.targets {
                    Targets::Negative(table, negatives) => {
                        targets.push((word as usize, 1.0));
                        for _ in 0..*negatives {
                            let other = table.draw(&mut rng);
                            if other != word {
                                targets.push((other as usize, 0.0));
                            }
                        }
                    }
                    Targets::Hierarchical(tree) => {
                        let (nodes, labels) = tree.way(word);
                        targets
                            .extend(nodes.iter().zip(labels).map(|(&node, &label)| (node as usize, f64::from(label))));
                    }
                }
                let at = |row: usize| row * length..(row + 1) * length;
                let inputs: Vec<Vec<f64>> = match task.architecture {
                    Architecture::SkipGram => context.iter().map(|&c| x[at(c)].to_vec()).collect(),
                    Architecture::Cbow => {
                        let sum = |k: usize| context.iter().map(|&c| x[c * length + k]).sum::<f64>();
                        vec![(0..length).map(|k| sum(k) / context.len() as f64).collect()]
                    }
                };
                predictions += inputs.len() as u64;
                let (old_x, old_w) = (inputs, w.to_vec());
                for (i, input) in old_x.iter().enumerate() {
                    let moved = match task.architecture {
                        Architecture::SkipGram => &context[i..=i],
                        Architecture::Cbow => &context[..],
                    };
                    for &(target, label) in &targets {
                        let output = &old_w[at(target)];
                        let product: f64 = input.iter().zip(output).map(|(x, w)| x * w).sum();
                        let probability = 1.0 / (1.0 + (-product).exp());
                        loss -= if label == 1.0 { probability.ln() } else { (1.0 - probability).ln() };
                        for k in 0..length {
                            w[target * length + k] += rate * (label - probability) * input[k];
                            moved.iter().for_each(|c| x[c * length + k] += rate * (label - probability) * output[k]);
                        }
                    }
                }
            }
        }
        (loss, predictions)
    }

    #[test]
    fn learning_is_as_defined() {
        let vocabulary = vocabulary();
        for architecture in [Architecture::SkipGram, Architecture::Cbow] {
            for output in [Output::NegativeSampling(4), Output::HierarchicalSoftmax] {
                let config = Config { dimension: 11, sample: 0.02, architecture, output, ..Default::default() };
                let task = Task::new(&config, &vocabulary, 3);
                let mut rng = Generator::new(1);
                let words: Vec<u32> = (0..150).map(|_| rng.random_range(0..WORDS as u32)).collect();
                let part = Part { number: 2, before: 1000, words, ends: vec![60, 61, 150] };
                let mut table = |most: f32| -> Direct {
                    let mut lanes = vec![Lanes::default(); WORDS * task.width];
                    for row in lanes.chunks_exact_mut(task.width) {
                        row.iter_mut()
                            .flat_map(|lanes| &mut lanes.0)
                            .take(11)
                            .for_each(|x| *x = rng.random_range(-most..most));
                    }
                    Direct(lanes, task.width)
                };
                let (mut inputs, mut outputs) = (table(0.5), table(0.5));
                let numbers =
                    |table: &Direct| table.0.iter().flat_map(|lanes| lanes.0).map(f64::from).collect::<Vec<_>>();
                let (mut x, mut w) = (numbers(&inputs), numbers(&outputs));
                let before = x.clone();
                let loss = Learner::default().learn(&task, &part, &mut inputs, &mut outputs);
                let (sum, predictions) = reference(&task, &part, task.width * LANES, &mut x, &mut w);
                assert_eq!(loss.predictions, predictions);
                assert!((loss.sum - sum).abs() < 1e-4 * sum, "{} for {sum}", loss.sum);
                for (found, expected) in numbers(&inputs).iter().zip(&x).chain(numbers(&outputs).iter().zip(&w)) {
                    assert!((found - expected).abs() < 1e-5, "{found} for {expected}: {architecture:?}, {output:?}");
                }
                assert!(x.iter().zip(&before).any(|(after, before)| (after - before).abs() > 0.05));
            }
        }
    }

    #[test]
    fn words_that_never_occur_are_not_drawn_and_any_counts_add_up() {
        let most = u64::MAX;
        let entries = [("never", 0), ("often", most), ("too", most), ("once", 1)];
        let vocabulary = Vocabulary::of(entries.iter().map(|&(word, count)| (word.to_string(), count)));
        for exponent in [-MOST_EXPONENT, -0.5, 0.0, MOST_EXPONENT] {
            let task = Task::new(&Config { exponent, ..Default::default() }, &vocabulary, 0);
            assert_eq!(task.total, most);
            let Targets::Negative(table, _) = &task.targets else { panic!("negative words are the default") };
            let mut rng = Generator::new(0);
            let drawn: Vec<u32> = (0..1000).map(|_| table.draw(&mut rng)).collect();
            // with -0.5 the word that occurs once has nearly all the weight, with 8 nearly none
            assert!(!drawn.contains(&0), "{exponent}");
            assert_eq!(drawn.contains(&3), exponent <= 0.0, "{exponent}");
            assert_eq!(drawn.contains(&1), exponent >= 0.0, "{exponent}");
        }
    }

    #[test]
    fn frequent_words_are_left_out_as_in_gensim() {
        // gensim 4.4.0, Word2Vec(sample=1e-3): wv.get_vecattr(word, "sample_int") / 2^32 for parts of 0.1 and 0.01; it
        // stops at 1, which is the same
        for (part, expected) in [(0.1, 0.11), (0.01, 0.416_227_8), (0.002, 1.207_106_8)] {
            assert!((kept(part, 1e-3) - expected).abs() < 1e-6);
        }
        assert_eq!(kept(0.5, 0.0), 1.0);
    }

    #[test]
    fn the_rate_falls_linearly_to_the_lowest() {
        let task = Task::new(&Config { epochs: 2, ..Default::default() }, &vocabulary(), 0);
        assert_eq!(task.total, 2 * vocabulary().counts().iter().sum::<u64>());
        assert_eq!((task.rate(0), task.rate(task.total), task.rate(2 * task.total)), (0.025, 1e-4, 1e-4));
        assert!((task.rate(task.total / 2) - 0.012_55).abs() < 1e-5);
    }
}
