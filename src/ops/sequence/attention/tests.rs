use super::AttentionOptions;
use crate::ops::testing::*;
use crate::prelude::*;

type Four = (usize, usize, usize, usize);
type Three<T> = (T, T, T);

/// Queries, keys and values: batch, heads, queries, keys, width, width of the values.
fn operands([b, h, l, s, d, f]: [usize; 6], rng: &mut StdRng) -> Three<Tensor<Four, f64>> {
    let mut random = |shape| random(shape, -2.0, 2.0, rng);
    (random((b, h, l, d)), random((b, h, s, d)), random((b, h, s, f)))
}

fn of_lengths(lengths: &[usize]) -> Option<Tensor<(usize,), usize>> {
    Some(Tensor::from_slice(lengths, (lengths.len(),)).unwrap())
}

#[test]
fn gradients_agree_with_finite_differences() {
    let rng = &mut StdRng::seed_from_u64(0);
    let sizes = [
        [2, 2, 3, 3, 2, 2],
        [1, 2, 4, 2, 3, 1],
        [2, 1, 2, 5, 1, 3],
        [1, 1, 1, 1, 2, 2],
        [2, 3, 1, 3, 2, 2],
        [0, 2, 3, 3, 2, 2],
        [2, 1, 3, 0, 2, 2],
        [2, 1, 0, 3, 2, 2],
        // more queries than a block has
        [1, 1, 35, 2, 1, 1],
    ];
    for [b, h, l, s, d, f] in sizes {
        let operands = operands([b, h, l, s, d, f], rng);
        let lengths: Vec<usize> = (0..b).map(|i| (2 * i + 1) % (s + 1)).collect();
        for causal in [false, true] {
            for lengths in [None, of_lengths(&lengths), of_lengths(&vec![0; b])] {
                for dropout in [0.0, 0.3] {
                    let options = AttentionOptions { causal, lengths: lengths.clone(), dropout, ..Default::default() };
                    let run = |(q, k, v): Three<Watched<Four>>| q.attention(k, v, &options);
                    check_gradients(run, operands.clone()).unwrap_or_else(|error| panic!("{error}, at {options:?}"));
                }
            }
        }
    }
    // each operand twice, so that gradients are summed
    let x = random((2_usize, 2_usize, 3_usize, 2_usize), -2.0, 2.0, rng);
    let options = AttentionOptions { causal: true, ..Default::default() };
    check_function(|x| x.clone().attention(x.clone(), x.clone(), &Default::default()) * x, x.clone());
    let twice = |x: Watched<Four>| {
        let y = x.clone().attention(x.clone(), x.clone(), &options);
        y.clone().attention(x, y, &options)
    };
    check_gradients(twice, x).unwrap();
}

/// The formula as it stands, one operation after the other.
fn by_the_formula<T: Trace>(
    (q, k, v): Three<Tensor<Four, f64, T>>,
    options: &AttentionOptions<usize>,
) -> Tensor<Four, f64, T> {
    let width = q.shape().3 as f64;
    let scores = q.matmul(k.transpose()) / width.sqrt();
    let hidden = Tensor::from_fn_with(scores.shape(), |[b, _, i, j]: [usize; 4]| {
        let behind = options.lengths.as_ref().is_some_and(|lengths| j >= lengths[[b]]);
        if behind || (options.causal && j > i) { f64::NEG_INFINITY } else { 0.0 }
    });
    (scores + hidden).softmax::<3>().matmul(v)
}

#[test]
fn blocks_of_queries_give_what_the_formula_gives() {
    let rng = &mut StdRng::seed_from_u64(1);
    for (l, s) in [(70, 70), (33, 100), (64, 40), (1, 50)] {
        let operands = operands([2, 2, l, s, 5, 7], rng);
        let upstream = random((2, 2, l, 7), -1.0, 1.0, rng);
        for causal in [false, true] {
            for lengths in [None, of_lengths(&[s, s / 3])] {
                let options = AttentionOptions { causal, lengths, ..Default::default() };
                let run = |fused: bool| {
                    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
                    let (q, k, v) = operands.clone();
                    let watched = (tape.watch(q), tape.watch(k), tape.watch(v));
                    let y = match watched.clone() {
                        (q, k, v) if fused => q.attention(k, v, &options),
                        all => by_the_formula(all, &options),
                    };
                    let gradients = y.clone().vector_jacobian(upstream.clone());
                    let (q, k, v) = watched;
                    [y.detach(), gradients.of_input(&q), gradients.of_input(&k), gradients.of_input(&v)]
                };
                for (number, (found, expected)) in run(true).into_iter().zip(run(false)).enumerate() {
                    assert!(found.is_close(&expected, 1e-12, 1e-12), "{number} of {l} x {s}, {options:?}");
                }
            }
        }
    }
}

#[test]
fn what_padding_holds_is_never_seen() {
    let rng = &mut StdRng::seed_from_u64(2);
    let (q, k, v) = operands([2, 2, 4, 6, 3, 3], rng);
    let lengths = of_lengths(&[6, 2]);
    let spoiled = |x: &Tensor<Four, f64>| {
        Tensor::from_fn_with(x.shape(), |place @ [b, _, j, _]| if b == 1 && j >= 2 { f64::NAN } else { x[place] })
    };
    for dropout in [0.0, 0.5] {
        let options = AttentionOptions { lengths: lengths.clone(), dropout, ..Default::default() };
        let run = |k: Tensor<Four, f64>, v: Tensor<Four, f64>| {
            let tape = Tape::training(&mut StdRng::seed_from_u64(0));
            let (q, k, v) = (tape.watch(q.clone()), tape.watch(k), tape.watch(v));
            let y = q.clone().attention(k.clone(), v.clone(), &options);
            let gradients = y.clone().square().sum().backward();
            (y.detach(), gradients.of_input(&q), gradients.of_input(&k), gradients.of_input(&v))
        };
        let clean = run(k.clone(), v.clone());
        assert_eq!(run(spoiled(&k), spoiled(&v)), clean);
        let (_, _, d_k, d_v) = clean;
        for d in [d_k, d_v] {
            assert_eq!(d.clone().slice(1).slice_at::<1>(4).abs().sum().item(), 0.0);
            assert!(d.slice(1).slice_at::<1>(1).abs().sum().item() > 0.0);
        }
    }
}

#[test]
fn the_future_is_never_seen() {
    let rng = &mut StdRng::seed_from_u64(3);
    // of 40 queries, the first 32 are one block
    let (q, k, v) = operands([1, 2, 40, 40, 3, 3], rng);
    let options = AttentionOptions { causal: true, ..Default::default() };
    let run = |now: usize, future: Option<f64>| {
        let changed = |x: &Tensor<Four, f64>| {
            Tensor::from_fn_with(x.shape(), |place @ [.., t, _]: [usize; 4]| {
                future.filter(|_| t > now).unwrap_or(x[place])
            })
        };
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let (q, k, v) = (tape.watch(changed(&q)), tape.watch(changed(&k)), tape.watch(changed(&v)));
        let y = q.clone().attention(k.clone(), v.clone(), &options);
        let past = (0..=now).map(|t| y.clone().slice_at::<2>(t)).collect::<Vec<_>>();
        let y = past.iter().map(Tensor::detach).collect::<Vec<_>>();
        let loss = past.into_iter().map(|y| y.square().sum()).reduce(|a, b| a + b).unwrap();
        let gradients = loss.backward();
        (y, [gradients.of_input(&q), gradients.of_input(&k), gradients.of_input(&v)])
    };
    for now in [0, 10, 31, 32, 38] {
        let (y, d) = run(now, None);
        assert_eq!(run(now, Some(7.0)), (y.clone(), d.clone()), "numbers after step {now} change something");
        // smaller blocks, and so other products, whose sums are rounded in another order
        for spoiled in [f64::NAN, f64::INFINITY] {
            let found = run(now, Some(spoiled)).0;
            let close = found.iter().zip(&y).all(|(found, y)| found.is_close(y, 1e-13, 1e-13));
            assert!(close, "{spoiled} after step {now} changes something");
        }
        assert!(d[2].clone().slice_at::<2>(0).iter().all(|d| d != 0.0));
        for d in d {
            assert_eq!(d.slice_at::<2>(now + 1), Tensor::zeros_with((1, 2, 3)));
        }
    }
}

#[test]
fn queries_that_see_nothing_get_zeros() {
    let rng = &mut StdRng::seed_from_u64(4);
    let (q, k, v) = operands([2, 1, 3, 4, 2, 2], rng);
    let options = AttentionOptions { lengths: of_lengths(&[0, 4]), ..Default::default() };
    let tape = Tape::training(rng);
    let (q, k, v) = (tape.watch(q), tape.watch(k), tape.watch(v));
    let y = q.clone().attention(k.clone(), v.clone(), &options);
    assert_eq!(y.detach().slice(0), Tensor::zeros_with((1, 3, 2)));
    let gradients = y.sum().backward();
    assert_eq!(gradients.of_input(&q).slice(0), Tensor::zeros_with((1, 3, 2)));
    for d in [gradients.of_input(&k), gradients.of_input(&v)] {
        assert_eq!(d.slice(0), Tensor::zeros_with((1, 4, 2)));
    }
}

#[test]
fn dropout_drops_weights_and_keeps_the_mean() {
    // unit vectors as values, which show which weights were dropped
    let v = Tensor::<Rank4<2, 2, 100, 100>>::from_fn(|[_, _, i, j]| f32::from(u8::from(i == j)));
    let (q, k) = (Tensor::<Rank4<2, 2, 100, 4>>::zeros(), Tensor::<Rank4<2, 2, 100, 4>>::zeros());
    let run = |seed, dropout| {
        let tape = Tape::training(&mut StdRng::seed_from_u64(seed));
        let options = AttentionOptions { dropout, ..Default::default() };
        tape.trace(q.clone()).attention(tape.trace(k.clone()), tape.trace(v.clone()), &options).detach()
    };
    let weights = run(0, 0.25);
    let dropped = weights.iter().filter(|&weight| weight == 0.0).count();
    // the standard deviation of 40,000 draws is 87
    assert!(dropped.abs_diff(10_000) < 400, "{dropped}");
    assert!(weights.iter().all(|weight| weight == 0.0 || (weight * 75.0 - 1.0).abs() < 1e-5));
    assert_eq!(weights, run(0, 0.25));
    assert_ne!(weights, run(1, 0.25));
    let heads = weights.slice(0);
    assert_ne!(heads.clone().slice(0), heads.slice(1), "every head drops others");
    assert_eq!(run(0, 1.0), Tensor::zeros());
    // nothing is dropped except on a training tape
    let options = AttentionOptions { dropout: 0.25, ..Default::default() };
    let y = q.clone().attention(k.clone(), v.clone(), &options);
    assert_eq!(y, run(0, 0.0));
}

#[test]
#[should_panic(expected = "attention: the shapes (2, 2, 3, 4) and (2, 2, 3, 5) do not fit")]
fn run_time_widths_must_be_the_same() {
    let x = |width: usize| Tensor::<Four>::ones_with((2, 2, 3, width));
    let _ = x(4).attention(x(5), x(5), &Default::default());
}

#[test]
#[should_panic(expected = "attention: the shapes (2, 2, 3, 4) and (2, 2, 5, 4) do not fit")]
fn there_is_a_value_for_each_key() {
    let x = |steps: usize| Tensor::<Four>::ones_with((2, 2, steps, 4));
    let _ = x(3).attention(x(3), x(5), &Default::default());
}

#[test]
#[should_panic(expected = "attention: the length 4 of sequence 1 is more than the 3 steps of the input")]
fn a_length_beyond_the_keys() {
    let x = Tensor::<Rank4<2, 1, 3, 2>>::ones();
    let options = AttentionOptions { lengths: Some(Tensor::from([3, 4])), ..Default::default() };
    let _ = x.clone().attention(x.clone(), x, &options);
}

#[test]
#[should_panic(expected = "attention: dropout is a probability, and not 1.5")]
fn dropout_is_a_probability() {
    let x = Tensor::<Rank4<2, 1, 3, 2>>::ones();
    let _ = x.clone().attention(x.clone(), x, &AttentionOptions { dropout: 1.5, ..Default::default() });
}
