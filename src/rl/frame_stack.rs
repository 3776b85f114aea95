//! Frame stacking.

use super::environment::{Environment, Outcome};
use crate::optim::SnapshotMismatch;
use crate::shape::{AtLeastOne, Const, InsertAxis, Shape, StaticShape};
use rand::Rng;

/// An environment whose observation stacks the last `K`, oldest first, along a new first axis, so that motion is
/// visible. At the beginning of an episode all of them are its first observation.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{CartPole, Discrete, Environments, FrameStack};
/// let mut environments = Environments::<FrameStack<CartPole, 3>, 8>::new(0);
/// environments.step(&[Discrete::new(0); 8]);
/// let seen: Tensor<Rank3<8, 3, 4>> = environments.observations();
/// assert_eq!(seen[[0, 0, 1]], seen[[0, 1, 1]]); // the first observation, twice
/// assert!(seen[[0, 2, 1]] < seen[[0, 1, 1]]); // pushed to the left since
/// ```
#[derive(Clone, Debug)]
pub struct FrameStack<E, const K: usize> {
    environment: E,
    frames: Vec<f32>,
}

impl<E: Environment, const K: usize> FrameStack<E, K> {
    /// The frames of an environment.
    pub fn new(environment: E) -> Self
    where
        Const<K>: AtLeastOne,
    {
        let mut stack = FrameStack { environment, frames: vec![0.0; K * frame::<E>()] };
        stack.fill();
        stack
    }

    /// Sets all frames to the current observation.
    fn fill(&mut self) {
        let size = frame::<E>();
        self.environment.observe(&mut self.frames[..size]);
        for place in 1..K {
            self.frames.copy_within(..size, place * size);
        }
    }
}

fn frame<E: Environment>() -> usize {
    E::Observation::default().count()
}

impl<E: Environment, const K: usize> Default for FrameStack<E, K>
where
    Const<K>: AtLeastOne,
{
    fn default() -> Self {
        Self::new(E::default())
    }
}

impl<E: Environment, const K: usize> Environment for FrameStack<E, K>
where
    Const<K>: AtLeastOne,
    <E::Observation as InsertAxis<0>>::Inserted<Const<K>>: StaticShape + InsertAxis<0>,
{
    type Observation = <E::Observation as InsertAxis<0>>::Inserted<Const<K>>;
    type Action = E::Action;
    const TIME_LIMIT: Option<usize> = E::TIME_LIMIT;

    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.environment.reset(rng);
        self.fill();
    }

    fn step<R: Rng + ?Sized>(&mut self, action: E::Action, rng: &mut R) -> Outcome {
        let outcome = self.environment.step(action, rng);
        let size = frame::<E>();
        self.frames.copy_within(size.., 0);
        self.environment.observe(&mut self.frames[(K - 1) * size..]);
        outcome
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.copy_from_slice(&self.frames);
    }

    fn save(&self) -> Vec<f64> {
        self.frames.iter().copied().map(f64::from).chain(self.environment.save()).collect()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), SnapshotMismatch> {
        let Some((frames, inner)) = state.split_at_checked(self.frames.len()) else {
            let reason = format!("a stack of {K} frames has more numbers than the {} that were saved", state.len());
            return Err(SnapshotMismatch::new(reason));
        };
        self.environment.restore(inner)?;
        self.frames.iter_mut().zip(frames).for_each(|(place, &saved)| *place = saved as f32);
        Ok(())
    }

    fn draw(&self) -> String {
        self.environment.draw()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::rl::{Action, Discrete, Environments, MountainCar};

    #[test]
    fn frames_are_the_last_observations_in_order() {
        let mut plain = Environments::<MountainCar, 2>::new(7).with_time_limit(Some(11));
        let mut stacked = Environments::<FrameStack<MountainCar, 4>, 2>::new(7).with_time_limit(Some(11));
        let mut history = vec![plain.observations(); 4];
        let mut rng = StdRng::seed_from_u64(0);
        for _ in 0..50 {
            for environment in 0..2 {
                for (frame, seen) in history[history.len() - 4..].iter().enumerate() {
                    for number in 0..2 {
                        let found = stacked.observations()[[environment, frame, number]];
                        assert_eq!(found, seen[[environment, number]]);
                    }
                }
            }
            let actions = [Discrete::random(&mut rng); 2];
            let outcome = plain.step(&actions);
            stacked.step(&actions);
            if outcome.done(0) {
                history = vec![plain.observations(); 4];
            } else {
                history.push(plain.observations());
            }
        }
    }

    #[test]
    fn a_restored_stack_has_its_frames() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut stack = FrameStack::<MountainCar, 3>::default();
        stack.reset(&mut rng);
        for _ in 0..2 {
            stack.step(Discrete::new(2), &mut rng);
        }
        let mut other = FrameStack::<MountainCar, 3>::default();
        other.restore(&stack.save()).unwrap();
        let seen = |stack: &FrameStack<MountainCar, 3>| {
            let mut seen = [0.0; 6];
            stack.observe(&mut seen);
            seen
        };
        assert_eq!(seen(&stack), seen(&other));
        assert!(other.restore(&[0.0; 3]).is_err());
    }
}
