//! W11: forward and backward passes of a small causal transformer: batch 32, 64 steps, width 128, 4 heads, hidden 512,
//! two layers, ReLU, post-norm. `w11_transformer` has the default dropout of 10%, `w11_transformer_nodrop` none;
//! `w11_attention` is the attention of one such layer alone, without the projections, and `w11_attention_long` that of
//! 4 sequences of 512 steps.

use taut::nn::Percent;
use taut::ops::AttentionOptions;
use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

fn encoder<const DROPOUT: usize>(workload: &str)
where
    Const<100>: Percent<DROPOUT>,
{
    if !wanted(workload) {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    type Layer<const DROPOUT: usize> = TransformerEncoderLayer<128, 4, 512, DROPOUT, CausalMask>;
    let model = TransformerEncoder::<Layer<DROPOUT>, 2>::init(&mut rng);
    let x = Tensor::<Rank3<32, 64, 128>>::randn(&mut rng);
    let target = Tensor::<Rank3<32, 64, 128>>::randn(&mut rng);
    let figures = measure(2.0, || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(x.clone())).mean_squared_error(&target);
        let gradients = loss.backward();
        assert!(gradients.try_of(&model.layers[0].linear1.weight).is_some());
    });
    report(workload, &figures, Work { samples: Some(2048.0), ..Default::default() });
}

fn attention<const BATCH: usize, const STEPS: usize>(workload: &str) {
    if !wanted(workload) {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let [q, k, v, g] = [(); 4].map(|()| Tensor::<Rank4<BATCH, 4, STEPS, 32>>::randn(&mut rng));
    let options = AttentionOptions { causal: true, ..Default::default() };
    let figures = measure(1.0, || {
        let tape = Tape::training(&mut rng);
        let (q, k, v) = (tape.watch(q.clone()), tape.watch(k.clone()), tape.watch(v.clone()));
        let gradients = q.clone().attention(k, v, &options).vector_jacobian(g.clone());
        assert_eq!(gradients.of_input(&q).count(), g.count());
    });
    report(workload, &figures, Work { samples: Some((BATCH * STEPS) as f64), ..Default::default() });
}

fn main() {
    encoder::<10>("w11_transformer");
    encoder::<0>("w11_transformer_nodrop");
    attention::<32, 64>("w11_attention");
    attention::<4, 512>("w11_attention_long");
}
