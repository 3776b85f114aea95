//! The training of both networks.

use crate::common::{Panel, Progress};
use crate::losses::{CLIP, CLIP_VECTORS, Loss};
use crate::networks::{Images, Judge, Maker, Noise, Random};
use crate::options::Options;
use std::error::Error;
use taut::data::Labels;
use taut::optim::{Cosine, Schedule, Snapshot, SnapshotArray};
use taut::params::{Kind, ValuesMut};
use taut::prelude::*;

/// The batch size. Small: the two networks need many steps more than exact gradients.
pub const BATCH: usize = 32;
/// Adam's initial learning rate, for both networks and every loss.
const LEARNING_RATE: f64 = 1e-3;
/// Adam's decay of the mean gradient, smaller than usual: what the other network teaches is soon out of date.
const MEAN_DECAY: f64 = 0.5;
/// The decay of the averaged weights.
const DECAY: f64 = 0.999;

/// Everything that training changes and a checkpoint saves.
pub struct Run<G, D> {
    generator: G,
    critic: D,
    pub average: Ema<G>,
    of_generator: Adam,
    of_critic: Adam,
    rng: Random,
    /// For each finished epoch, the mean losses of the critic and the generator.
    pub curves: Vec<[f64; 2]>,
}

impl<G: Maker, D: Judge> Run<G, D> {
    /// Untrained.
    pub fn new(generator: G, critic: D, rng: Random) -> Self {
        let adam = || Adam::new(AdamConfig { mean_decay: MEAN_DECAY, ..Default::default() });
        let average = Ema::new(&generator, DECAY).with_warm_up(0);
        Run { generator, critic, average, of_generator: adam(), of_critic: adam(), rng, curves: Vec::new() }
    }

    /// Trains for one epoch.
    pub fn epoch<A>(&mut self, train: &A, epochs: usize, loss: Loss)
    where
        A: Dataset<Batch<usize> = (Images, Labels)>,
    {
        let batches = train.batches_of(BATCH, &mut self.rng);
        let title = format!("epoch {:2}/{epochs}", self.curves.len() + 1);
        let mut progress = Progress::new(title, batches.len());
        // near the end the networks settle, each on the other's last state
        let (before, steps) = (self.curves.len() * batches.len(), batches.len());
        let rates = Cosine { steps: (epochs * steps) as u64, last: 0.0 };
        let mut sums = [0.0; 2];
        for (step, (images, labels)) in batches.enumerate() {
            let rate = LEARNING_RATE * rates.factor((before + step) as u64);
            self.of_generator.set_learning_rate(rate);
            self.of_critic.set_learning_rate(rate);
            let losses = self.step(images, labels, loss);
            progress.batch(losses[0], BATCH);
            sums = [0, 1].map(|i| sums[i] + f64::from(losses[i]));
        }
        let means = sums.map(|sum| sum / steps as f64);
        progress.finish(&format!(" (critic), {:.4} (generator)", means[1]));
        self.curves.push(means);
    }

    /// One step of the critic, and one of the generator. Returns their losses.
    fn step(&mut self, images: Images, labels: Labels, loss: Loss) -> [f32; 2] {
        let count = labels.count();
        let noise = Noise::normal_with((count, Const), 0.0, 1.0, &mut self.rng);
        let tape = Tape::training(&mut self.rng);
        let made = self.generator.forward((tape.trace(noise), labels.clone()));

        // the critic sees only values: no gradient of its loss reaches the generator
        let of_critic = Tape::training(&mut self.rng);
        let real = self.critic.forward((of_critic.trace(images), labels.clone()));
        let faked = self.critic.forward((of_critic.trace(made.detach()), labels.clone()));
        let critic_loss = loss.of_critic(real, faked);
        let critics = critic_loss.item();
        self.of_critic.step(&mut self.critic, &critic_loss.backward());
        if loss == Loss::Wasserstein {
            clip(&mut self.critic);
        }

        // the generator learns through a critic that does not change
        let generator_loss = loss.of_generator(frozen(&self.critic).forward((made, labels)));
        let generators = generator_loss.item();
        self.of_generator.step(&mut self.generator, &generator_loss.backward());
        self.average.update(&self.generator);
        [critics, generators]
    }

    /// The losses over the epochs.
    pub fn panels(&self) -> [Panel; 2] {
        [(0, "critic"), (1, "generator")].map(|(network, name)| {
            let points = (1..).map(f64::from).zip(self.curves.iter().map(|losses| losses[network])).collect();
            Panel {
                title: format!("loss of the {name}"),
                x: "epoch".into(),
                logarithmic: false,
                curves: vec![(name.into(), points)],
                bands: Vec::new(),
            }
        })
    }

    /// Saves a checkpoint if one was asked for.
    pub fn save(&self, options: &Options, epochs: usize) -> Result<(), Box<dyn Error>> {
        let Some(path) = &options.checkpoint else { return Ok(()) };
        let curves = [("critic", 0), ("generator", 1)].map(|(name, network)| {
            let values = self.curves.iter().map(|losses| losses[network]).collect();
            (name.to_string(), SnapshotArray::F64(values))
        });
        Checkpoint::new()
            .with_model("generator", &self.generator)
            .with_model("critic", &self.critic)
            .with_model("average", &self.average)
            .with_count("updates", self.average.updates() as usize)
            .with_snapshot("of_generator", &self.of_generator.snapshot())
            .with_snapshot("of_critic", &self.of_critic.snapshot())
            .with_snapshot("curves", &Snapshot { numbers: Vec::new(), arrays: curves.into() })
            .with_generator("rng", &self.rng)
            .with_count("epochs", epochs)
            .with_count("loss", options.loss as usize)
            .save(path)?;
        Ok(())
    }

    /// Restores the run from a checkpoint.
    pub fn restore(&mut self, options: &Options, epochs: usize) -> Result<(), Box<dyn Error>> {
        let path = options.checkpoint.as_deref().expect("the command line was checked");
        let checkpoint = Checkpoint::load(path)?;
        let of_run = checkpoint.count("epochs")?;
        if of_run != epochs {
            return Err(format!("{}: is of a run of {of_run} epochs, not {epochs}", path.display()).into());
        }
        if checkpoint.count("loss")? != options.loss as usize {
            return Err(format!("{}: is of a run with another loss than {}", path.display(), options.loss).into());
        }
        checkpoint.restore_model("generator", &mut self.generator)?;
        checkpoint.restore_model("critic", &mut self.critic)?;
        checkpoint.restore_model("average", &mut self.average)?;
        self.average = Ema::new(self.average.model(), DECAY).with_warm_up(checkpoint.count("updates")? as u64);
        self.of_generator.restore(&checkpoint.snapshot("of_generator")?, &self.generator)?;
        self.of_critic.restore(&checkpoint.snapshot("of_critic")?, &self.critic)?;
        self.rng = checkpoint.generator("rng")?;
        let arrays = checkpoint.snapshot("curves")?.arrays;
        let curve = |wanted: &str| match arrays.iter().find(|(name, _)| name == wanted) {
            Some((_, SnapshotArray::F64(values))) => Ok(values.clone()),
            _ => Err(format!("{}: `curves.{wanted}` is not of this program", path.display())),
        };
        self.curves = curve("critic")?.into_iter().zip(curve("generator")?).map(|(a, b)| [a, b]).collect();
        println!("{} of {epochs} epochs were done before", self.curves.len());
        Ok(())
    }
}

/// Keeps the parameters of a critic near 0.
fn clip<M: Parameters>(critic: &mut M) {
    critic.for_each_parameter_mut(|_, leaf| {
        let limit = if leaf.sizes.len() > 1 { CLIP } else { CLIP_VECTORS };
        match (leaf.kind, leaf.values) {
            (Kind::Parameter, ValuesMut::F32(values)) => values.iter_mut().for_each(|x| *x = x.clamp(-limit, limit)),
            (Kind::Parameter, ValuesMut::F64(_)) => unreachable!("the critic is of f32"),
            // running statistics are not clipped
            _ => {}
        }
    });
}
