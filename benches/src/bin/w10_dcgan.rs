//! W10: one training step of a small DCGAN, of the critic and then of the generator. Batch 64 of 28x28, 64 normal
//! numbers of noise; binary cross-entropy; Adam with learning rate 0.0002 and decays 0.5 and 0.999 for both.

use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

type Generator = (
    (Linear<64, 6272>, Relu, Reshape<Rank3<128, 7, 7>>),
    (ConvTranspose2d<128, 64, 4, 2, 1>, BatchNorm2d<64>, Relu),
    (ConvTranspose2d<64, 1, 4, 2, 1>, Tanh),
);
type Critic = ((Conv2d<1, 64, 4, 2, 1>, LeakyRelu), (Conv2d<64, 128, 4, 2, 1>, LeakyRelu), (Flatten, Linear<6272, 1>));

fn main() {
    if !wanted("w10_dcgan") {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut generator = Generator::init(&mut rng);
    let mut critic = Critic::init(&mut rng);
    (critic.0.1.slope, critic.1.1.slope) = (0.2, 0.2);
    let images = Tensor::<Rank4<64, 1, 28, 28>>::randn(&mut rng).clamp(-1.0, 1.0);
    let noise = Tensor::<Rank2<64, 64>>::randn(&mut rng);
    let (ones, zeros) = (Tensor::<Rank2<64, 1>>::ones(), Tensor::<Rank2<64, 1>>::zeros());
    let adam = || Adam::new(AdamConfig { learning_rate: 2e-4, mean_decay: 0.5, ..Default::default() });
    let (mut of_generator, mut of_critic) = (adam(), adam());
    let (mut first, mut last) = (None, 0.0);
    let figures = measure(1.0, || {
        let tape = Tape::training(&mut rng);
        let made = generator.forward(tape.trace(noise.clone()));
        let tape_of_critic = Tape::training(&mut rng);
        let real = critic.forward(tape_of_critic.trace(images.clone()));
        let faked = critic.forward(tape_of_critic.trace(made.detach()));
        let loss = real.binary_cross_entropy(&ones) + faked.binary_cross_entropy(&zeros);
        last = loss.item();
        first.get_or_insert(last);
        of_critic.step(&mut critic, &loss.backward());
        let loss = frozen(&critic).forward(made).binary_cross_entropy(&ones);
        of_generator.step(&mut generator, &loss.backward());
    });
    assert!(Some(last) < first, "the critic learned nothing: its loss went from {first:?} to {last}");
    report("w10_dcgan", &figures, Work { samples: Some(64.0), ..Default::default() });
}
