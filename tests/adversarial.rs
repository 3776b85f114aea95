//! Two networks that learn from each other, as in the program `gan`, small enough for a test.

use taut::metrics::frechet_distance;
use taut::nn::init::{Distribution, fill_weights};
use taut::prelude::*;

const BATCH: usize = 64;

type Points<T = NoTrace> = Tensor<Rank2<BATCH, 2>, f32, T>;
type Generator = ((Linear<2, 16>, BatchNorm1d<16>, Relu), Linear<16, 2>);
type Critic = ((SpectralNorm<Linear<2, 32>>, LeakyRelu), (SpectralNorm<Linear<32, 32>>, LeakyRelu), Linear<32, 1>);

/// Around (2, -1), along a line.
fn real(rng: &mut taut::Generator) -> Points {
    let middle = Points::from_fn(|[_, axis]| [2.0, -1.0][axis]);
    Points::randn(rng).matmul(Tensor::from([[1.0, 0.5], [0.0, 0.25]])) + middle
}

#[derive(Clone)]
struct Run {
    generator: Generator,
    critic: Critic,
    average: Ema<Generator>,
    of_generator: Adam,
    of_critic: Adam,
    rng: taut::Generator,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = taut::Generator::new(seed);
        let (generator, critic) = (Generator::init(&mut rng), Critic::init(&mut rng));
        let config = AdamConfig { learning_rate: 4e-3, mean_decay: 0.5, ..Default::default() };
        let average = Ema::new(&generator, 0.95);
        let [of_generator, of_critic] = [Adam::new(config), Adam::new(config)];
        Run { generator, critic, average, of_generator, of_critic, rng }
    }

    fn step(&mut self, reversed: bool) {
        let tape = Tape::training(&mut self.rng);
        let made = self.generator.forward(tape.trace(Points::randn(&mut self.rng)));
        let before = self.generator.clone();
        let of_critic = Tape::training(&mut self.rng);
        let scores = self.critic.forward(of_critic.trace(real(&mut self.rng)));
        let faked = self.critic.forward(of_critic.trace(made.detach()));
        let loss = scores.hinge(&Tensor::ones()) + faked.hinge(&-Tensor::ones());
        self.of_critic.step(&mut self.critic, &loss.backward());
        assert_eq!(self.generator.distance_to(&before), 0.0);

        let before = self.critic.clone();
        let scores = frozen(&self.critic).forward(made);
        // a wrong sign stands for anything that can be wrong with a gradient
        let loss = if reversed { scores.mean() } else { -scores.mean() };
        self.of_generator.step(&mut self.generator, &loss.backward());
        assert_eq!(self.critic.distance_to(&before), 0.0);
        self.average.update(&self.generator);
    }

    /// How far the average's output is from the data.
    fn distance(&self) -> f64 {
        let mut rng = taut::Generator::new(100);
        let mut made = Vec::new();
        let mut data = Vec::new();
        for _ in 0..16 {
            made.extend(self.average.model().forward(Points::randn(&mut rng)).to_vec());
            data.extend(real(&mut rng).to_vec());
        }
        let points = |numbers| Tensor::from_vec(numbers, (16 * BATCH, Const::<2>)).unwrap();
        frechet_distance(&points(made), &points(data))
    }
}

/// Whatever is wrong with a gradient on its way through the critic, the distance then does not fall. With eight seeds
/// it fell to 0.002 to 0.1 of its initial value; as the two circle each other, the mean over the second half of the
/// steps is compared, which was at most 0.062.
#[test]
fn the_generator_learns_the_distribution() {
    for seed in 0..2 {
        for reversed in [false, true] {
            let mut run = Run::new(seed);
            let before = run.distance();
            let mut after = 0.0;
            for part in 0..8 {
                (0..50).for_each(|_| run.step(reversed));
                after += if part < 4 { 0.0 } else { run.distance() / 4.0 };
            }
            let learned = after < 0.1 * before;
            assert_eq!(learned, !reversed, "seed {seed}: {before} became {after}");
        }
    }
}

#[test]
fn a_checkpoint_goes_on_to_the_same_bits() {
    let path = std::env::temp_dir().join(format!("taut-adversarial-{}", std::process::id()));
    let mut run = Run::new(0);
    (0..5).for_each(|_| run.step(false));
    Checkpoint::new()
        .with_model("generator", &run.generator)
        .with_model("critic", &run.critic)
        .with_model("average", &run.average)
        .with_snapshot("of_generator", &run.of_generator.snapshot())
        .with_snapshot("of_critic", &run.of_critic.snapshot())
        .with_generator("rng", &run.rng)
        .save(&path)
        .unwrap();
    (0..5).for_each(|_| run.step(false));

    let checkpoint = Checkpoint::load(&path).unwrap();
    let mut again = Run::new(1);
    checkpoint.restore_model("generator", &mut again.generator).unwrap();
    checkpoint.restore_model("critic", &mut again.critic).unwrap();
    checkpoint.restore_model("average", &mut again.average).unwrap();
    again.of_generator.restore(&checkpoint.snapshot("of_generator").unwrap(), &again.generator).unwrap();
    again.of_critic.restore(&checkpoint.snapshot("of_critic").unwrap(), &again.critic).unwrap();
    again.rng = checkpoint.generator("rng").unwrap();
    (0..5).for_each(|_| again.step(false));
    assert_eq!(again.generator.distance_to(&run.generator), 0.0);
    assert_eq!(again.critic.distance_to(&run.critic), 0.0);
    assert_eq!(again.average.model().distance_to(run.average.model()), 0.0);
    std::fs::remove_file(&path).unwrap();
}

/// If `frozen` is forgotten, the generator still gets its gradient, but the gradients hold the critic's as well. The
/// critic's own optimizer, given them, moves the critic; the generator's does not.
#[test]
fn what_happens_without_frozen() {
    for freeze in [true, false] {
        let mut run = Run::new(2);
        let before = (run.generator.clone(), run.critic.clone());
        let tape = Tape::training(&mut taut::Generator::new(3));
        let made = run.generator.forward(tape.trace(Points::ones()));
        let scores = if freeze { frozen(&run.critic).forward(made) } else { run.critic.forward(made) };
        let gradients = (-scores.mean()).backward();
        assert!(gradients.unreached(&run.generator).is_empty());
        assert_eq!(gradients.try_of(&run.critic.2.weight).is_some(), !freeze);
        run.of_generator.step(&mut run.generator, &gradients);
        assert!(run.generator.distance_to(&before.0) > 0.0);
        assert_eq!(run.critic.distance_to(&before.1), 0.0);
        if !freeze {
            run.of_critic.step(&mut run.critic, &gradients);
            assert!(run.critic.distance_to(&before.1) > 0.0);
        }
    }
}

/// The networks of the program, on smaller images, in f64: a generator's gradients through a frozen critic are those of
/// finite differences.
#[test]
fn gradients_flow_through_a_frozen_critic() {
    type Generator = (
        (Linear<3, 32, f64>, Tanh, Reshape<Rank3<2, 4, 4>>),
        (ConvTranspose2d<2, 3, 4, 2, 1, 0, f64>, BatchNorm2d<3, f64>, Tanh),
        (ConvTranspose2d<3, 1, 4, 2, 1, 0, f64>, Tanh),
    );
    type Critic = (
        (SpectralNorm<Conv2d<1, 3, 4, 2, 1, 1, f64>>, Softplus),
        (Conv2d<3, 2, 4, 2, 1, 1, f64>, Softplus, Flatten),
        Linear<32, 1, f64>,
    );
    let mut rng = StdRng::seed_from_u64(0);
    let mut generator = Generator::init(&mut rng);
    fill_weights(&mut generator, Distribution::normal(0.3), &mut rng);
    let critic = Critic::init(&mut rng);
    let before = critic.clone();
    let noise = Tensor::<Rank2<5, 3>, f64>::randn(&mut rng);
    check_parameter_gradients(&generator, |generator, tape| {
        frozen(&eval(&critic)).forward(generator.forward(tape.trace(noise.clone())))
    })
    .unwrap();
    assert_eq!(critic.distance_to(&before), 0.0);
}
