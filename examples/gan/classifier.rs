//! The measure of generated images: a classifier of real ones.

use crate::common::Progress;
use crate::networks::Images;
use std::error::Error;
use std::path::Path;
use taut::data::{Augmentation, Labels, Prefetch};
use taut::metrics::{classifier_score, frechet_distance};
use taut::optim::{OneCycle, Scheduler};
use taut::prelude::*;

/// The features by which the classifier decides.
pub const FEATURES: usize = 128;
const CLASSES: usize = 10;
const BATCH: usize = 64;
/// Not the run's seed: the same data gives the same classifier, so that figures can be compared.
const SEED: u64 = 0;

/// The network of `mnist_cnn`, in two parts.
#[derive(Init, Module, Parameters)]
pub struct Classifier {
    features: Features,
    classes: (Dropout<50>, Linear<FEATURES, CLASSES>),
}
type Features = (
    (Conv2d<1, 16, 5, 1, 2>, Relu, MaxPool2d<2>),
    (Conv2d<16, 32, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<800, FEATURES>, Relu),
);

impl Classifier {
    /// The classifier from a file, or one that learns from images and is saved there.
    ///
    /// # Errors
    /// If the file holds something else, or cannot be written.
    pub fn find(path: &Path, data: &(Images, Labels), epochs: usize) -> Result<Self, Box<dyn Error>> {
        if path.exists() {
            println!("the classifier of {}", path.display());
            return Ok(Classifier::load(path)?);
        }
        let mut rng = StdRng::seed_from_u64(SEED);
        let mut classifier = Classifier::init(&mut rng);
        let rate = 2e-3;
        let mut optimizer = Adam::new(AdamConfig { learning_rate: rate, ..Default::default() });
        let steps = (epochs * data.len().div_ceil(BATCH)) as u64;
        let mut scheduler = Scheduler::new(OneCycle { steps, ..Default::default() }, &mut optimizer);
        for epoch in 1..=epochs {
            let mut augmentation = Augmentation::new(&mut rng).crop(1);
            let batches = data.batches_of(BATCH, &mut rng);
            let mut progress = Progress::new(format!("classifier, epoch {epoch}/{epochs}"), batches.len());
            // the border that a shift brings in is black
            let batches = batches.map(move |(images, labels)| (augmentation.apply(images + 1.0) - 1.0, labels));
            for (images, labels) in Prefetch::new(batches, 4) {
                let tape = Tape::training(&mut rng);
                let loss = classifier.forward(tape.trace(images)).cross_entropy(&labels);
                progress.batch(loss.item(), labels.count());
                optimizer.step(&mut classifier, &loss.backward());
                scheduler.step(&mut optimizer);
            }
            progress.finish("");
        }
        classifier.save(path)?;
        println!("the classifier is in {}", path.display());
        Ok(classifier)
    }

    /// What it sees in images.
    pub fn look(&self, images: &Images) -> Seen {
        let (mut features, mut logits) = (Vec::new(), Vec::new());
        for batch in images.in_order(500) {
            let of_batch = self.features.forward(batch);
            features.extend_from_slice(of_batch.as_slice());
            logits.extend_from_slice(self.classes.forward(of_batch).as_slice());
        }
        let count = images.shape().0;
        let features = Tensor::from_vec(features, (count, Const)).expect("all features of each image");
        Seen { features, logits: Tensor::from_vec(logits, (count, Const)).expect("ten logits for each image") }
    }
}

/// What a classifier sees in images.
pub struct Seen {
    features: Tensor<(usize, Const<FEATURES>)>,
    logits: Tensor<(usize, Const<CLASSES>)>,
}

impl Seen {
    /// The distance of these images from others.
    pub fn distance(&self, other: &Seen) -> f64 {
        frechet_distance(&self.features, &other.features)
    }

    /// How clear and varied they are, from 1 to 10.
    pub fn score(&self) -> f64 {
        classifier_score(&self.logits)
    }

    /// The fraction of them that is classified as their class.
    pub fn accuracy(&self, labels: &Labels) -> f64 {
        self.logits.accuracy(labels)
    }

    /// The fraction of them in each predicted class.
    pub fn shares(&self) -> [f64; CLASSES] {
        let mut shares = [0.0; CLASSES];
        let part = 1.0 / self.logits.shape().0 as f64;
        self.logits.clone().argmax_axis::<1>().iter().for_each(|class| shares[class] += part);
        shares
    }
}
