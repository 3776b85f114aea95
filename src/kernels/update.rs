//! The loop of all optimizers: one fused pass over a parameter, its gradient, and its state.

use super::{parallel, vectorized};
use crate::numbers::Float;

/// How one number of a parameter follows its gradient, with `N` state numbers.
pub trait Update<E, const N: usize>: Sync {
    /// The new parameter and the new memory.
    fn update(&self, parameter: E, gradient: E, memory: [E; N]) -> (E, [E; N]);
}

/// Elements that are read, computed and written together: a few vector registers of each array.
const BLOCK: usize = 32;

vectorized! {
    fn part [U: Update<E, N>, E: Float, const N: usize] [U, E, N]
        (rule: &U, parameter: &mut [E], gradient: &[E], memory: [&mut [E]; N]) {
        let blocks = parameter.len() / BLOCK;
        let mut memory = memory.map(|array| array.as_chunks_mut::<BLOCK>());
        let (parameter, parameter_rest) = parameter.as_chunks_mut::<BLOCK>();
        let (gradient, gradient_rest) = gradient.as_chunks::<BLOCK>();
        for block in 0..blocks {
            // on copies, so that the compiler can rule out aliasing and vectorises
            let (mut theta, g) = (parameter[block], gradient[block]);
            let mut remembered = [[E::zero(); BLOCK]; N];
            for (k, remembered) in remembered.iter_mut().enumerate() {
                *remembered = memory[k].0[block];
            }
            for i in 0..BLOCK {
                let mut numbers = [E::zero(); N];
                for (k, number) in numbers.iter_mut().enumerate() {
                    *number = remembered[k][i];
                }
                (theta[i], numbers) = rule.update(theta[i], g[i], numbers);
                for (k, remembered) in remembered.iter_mut().enumerate() {
                    remembered[i] = numbers[k];
                }
            }
            parameter[block] = theta;
            (0..N).for_each(|k| memory[k].0[block] = remembered[k]);
        }
        for (i, theta) in parameter_rest.iter_mut().enumerate() {
            let (new, numbers) = rule.update(*theta, gradient_rest[i], std::array::from_fn(|k| memory[k].1[i]));
            *theta = new;
            (0..N).for_each(|k| memory[k].1[i] = numbers[k]);
        }
    }
}

/// Updates every number of a parameter. All arrays have the same length.
///
/// Each number is computed independently, so the split of the work does not affect the result.
pub fn update<U: Update<E, N>, E: Float, const N: usize>(
    rule: &U,
    parameter: &mut [E],
    gradient: &[E],
    memory: [&mut [E]; N],
) {
    let len = parameter.len();
    assert!(gradient.len() == len && memory.iter().all(|array| array.len() == len));
    if !parallel::worthwhile(len, parallel::CHEAP) {
        return part(rule, parameter, gradient, memory);
    }
    let mut arrays: Vec<&mut [E]> = std::iter::once(parameter).chain(memory).collect();
    parallel::together(&mut arrays, &|start, arrays| {
        let mut arrays = arrays.iter_mut().map(|array| &mut **array);
        let mut next = || arrays.next().expect("as many arrays as were given");
        let parameter = next();
        part(rule, parameter, &gradient[start..start + parameter.len()], std::array::from_fn(|_| next()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Running;
    impl Update<f32, 2> for Running {
        fn update(&self, theta: f32, g: f32, [sum, squares]: [f32; 2]) -> (f32, [f32; 2]) {
            let memory = [sum + g, squares + g * g];
            (theta - 0.1 * memory[0] / memory[1].sqrt(), memory)
        }
    }

    #[test]
    fn each_number_is_updated_alone_whatever_the_length() {
        for len in [0, 1, 31, 32, 33, 100, 1 << 18] {
            let values = |scale: f32| (0..len).map(move |i| (i as f32 * scale).sin() + 1.5).collect::<Vec<_>>();
            let (mut theta, g, mut sum, mut squares) = (values(0.1), values(0.2), values(0.3), values(0.4));
            let expected: Vec<_> = (0..len).map(|i| Running.update(theta[i], g[i], [sum[i], squares[i]])).collect();
            update(&Running, &mut theta, &g, [&mut sum, &mut squares]);
            for i in 0..len {
                assert_eq!((theta[i], [sum[i], squares[i]]), expected[i], "element {i} of {len}");
            }
        }
    }
}
