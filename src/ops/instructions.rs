//! What holds for all operations: they give the same bits with every instruction set that has a fused multiply-add, and
//! nearly the same numbers without one.

use crate::kernels::instructions::Instructions;
use crate::kernels::instructions::tests::{available, with};
use crate::prelude::*;

/// The bits of the results of many functions, forward and backward, for lines that do not fill whole registers.
fn bits() -> Vec<u64> {
    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
    let x = tape.watch(Tensor::<Rank2<7, 83>>::normal(0.0, 3.0, &mut StdRng::seed_from_u64(1)));
    let wide = tape.watch(Tensor::<Rank2<7, 83>, f64>::normal(0.0, 3.0, &mut StdRng::seed_from_u64(1)));
    let single = [
        x.clone().exp().sum(),
        (x.clone().abs() + 0.1).ln().sum(),
        x.clone().tanh().mean_axis::<1>().square().sum(),
        x.clone().gelu().sum(),
        x.clone().softmax::<0>().log_softmax::<1>().sum(),
        x.clone().reshape_with((1, Const::<7>, 83, Const::<1>)).sum_axis::<2>().square().mean(),
        x.clone().sigmoid().sum(),
    ];
    let double = [wide.clone().exp_m1().sum(), wide.clone().silu().sum(), wide.clone().softmax::<1>().square().sum()];
    let mut bits: Vec<u64> = single.iter().map(|y| u64::from(y.item().to_bits())).collect();
    bits.extend(double.iter().map(|y| y.item().to_bits()));
    let all = single.into_iter().reduce(|a, b| a + b).unwrap().cast::<f64>();
    let gradients = double.into_iter().fold(all, |a, b| a + b).backward();
    bits.extend(gradients.of_input(&x).iter().map(|g| u64::from(g.to_bits())));
    bits.extend(gradients.of_input(&wide).iter().map(|g| g.to_bits()));
    bits
}

#[test]
fn instructions_that_fuse_give_the_same_bits_and_others_nearly_so() {
    let portable = with(Instructions::Portable, bits);
    let fused: Vec<_> = available().filter(|&wider| wider > Instructions::Portable).collect();
    for pair in fused.windows(2) {
        assert!(with(pair[0], bits) == with(pair[1], bits), "{pair:?}");
    }
    for wider in fused {
        for (bits, portable) in with(wider, bits).into_iter().zip(&portable) {
            // for f32 as well as f64: neighbouring numbers have neighbouring bit patterns
            let away = bits.abs_diff(*portable);
            assert!(away <= 256, "{wider:?}: {away} units in the last place");
        }
    }
}
