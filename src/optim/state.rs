//! What optimizers remember of each parameter, and the walk that updates them.

use crate::memory::Storage;
use crate::nn::{Kind, LeafMut, Parameters, Path, ValuesMut, VisitorMut};
use crate::tensor::Float;
use crate::trace::{AnyStorage, Gradients};

/// How one parameter follows its gradient, remembering `N` numbers for each of its own.
pub trait Rule<const N: usize> {
    /// Changes `parameter`; `state` starts as zeros.
    fn apply<E: Float>(&self, parameter: &mut [E], gradient: &[E], state: [&mut [E]; N]);
}

/// What an optimizer remembers of one parameter.
#[derive(Clone)]
struct Slot<const N: usize> {
    path: String,
    arrays: [AnyStorage; N],
}

/// What an optimizer remembers of all parameters, in the order of the visit.
#[derive(Clone, Default)]
pub struct State<const N: usize> {
    slots: Vec<Slot<N>>,
}

impl<const N: usize> State<N> {
    /// One step of `rule` for every parameter that has a gradient, and the noted values for the buffers.
    #[track_caller]
    pub fn step<M: Parameters + ?Sized>(&mut self, model: &mut M, gradients: &Gradients, rule: &impl Rule<N>) {
        let mut stepper = Stepper { slots: &mut self.slots, next: 0, gradients, rule };
        model.visit_mut(&mut Path::default(), &mut stepper);
    }
}

struct Stepper<'a, R, const N: usize> {
    slots: &'a mut Vec<Slot<N>>,
    next: usize,
    gradients: &'a Gradients,
    rule: &'a R,
}

impl<R: Rule<N>, const N: usize> VisitorMut for Stepper<'_, R, N> {
    fn leaf(&mut self, path: &str, leaf: LeafMut<'_>) {
        match leaf.kind {
            Kind::Parameter => match leaf.values {
                ValuesMut::F32(values) => self.parameter(path, leaf.id, values),
                ValuesMut::F64(values) => self.parameter(path, leaf.id, values),
            },
            Kind::Frozen => {}
            Kind::Buffer => match (self.gradients.update(leaf.id), leaf.values) {
                (Some(AnyStorage::F32(new)), ValuesMut::F32(values)) => values.copy_from_slice(new.as_slice()),
                (Some(AnyStorage::F64(new)), ValuesMut::F64(values)) => values.copy_from_slice(new.as_slice()),
                _ => {}
            },
        }
    }
}

impl<R: Rule<N>, const N: usize> Stepper<'_, R, N> {
    fn parameter<E: Float>(&mut self, path: &str, id: u64, values: &mut [E]) {
        if self.next == self.slots.len() {
            let arrays = std::array::from_fn(|_| E::wrap(Storage::zeros(values.len())));
            self.slots.push(Slot { path: path.to_string(), arrays });
        }
        let slot = &mut self.slots[self.next];
        self.next += 1;
        if slot.path != path {
            panic!(
                "this optimizer was used with another model before: it remembers parameter `{}`, and here comes `{path}`",
                slot.path
            );
        }
        if let Some(gradient) = self.gradients.find(id) {
            let gradient = E::unwrap(gradient.clone());
            let state = slot.arrays.each_mut().map(|array| E::unwrap_mut(array).make_mut());
            self.rule.apply(values, gradient.as_slice(), state);
        }
    }
}
