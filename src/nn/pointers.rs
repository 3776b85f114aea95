//! Pointers to modules are modules: references, boxes, shared pointers, guards of locks and cells.

use super::{Forward, Init, Module};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use rand::Rng;
use std::borrow::Cow;
use std::cell::{LazyCell, Ref, RefMut};
use std::rc::Rc;
use std::sync::{Arc, LazyLock, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

macro_rules! run_what_they_lead_to {
    ($($pointer:ty)*) => { $(
        impl<X, M: Module<X> + ?Sized> Module<X> for $pointer {
            type Output = M::Output;
            fn apply(&self, x: X) -> M::Output {
                (**self).forward(x)
            }
        }
    )* };
}
run_what_they_lead_to! {
    &M &mut M Box<M> Rc<M> Arc<M>
    MutexGuard<'_, M> RwLockReadGuard<'_, M> RwLockWriteGuard<'_, M> Ref<'_, M> RefMut<'_, M>
}

impl<X, M: Module<X> + ToOwned + ?Sized> Module<X> for Cow<'_, M> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}
/// A model in a `static`, created on first use.
impl<X, M: Module<X>, F: FnOnce() -> M> Module<X> for LazyLock<M, F> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}
impl<X, M: Module<X>, F: FnOnce() -> M> Module<X> for LazyCell<M, F> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}

macro_rules! init_what_they_lead_to {
    ($($pointer:ident)*) => { $(
        impl<M: Init> Init for $pointer<M> {
            fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
                $pointer::new(M::init(rng))
            }
        }
    )* };
}
init_what_they_lead_to! { Box Rc Arc }

macro_rules! visit_what_they_lead_to {
    ($($pointer:ty)*) => { $(
        impl<M: Parameters + ?Sized> Parameters for $pointer {
            fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
                (**self).visit(path, visitor);
            }
            fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
                (**self).visit_mut(path, visitor);
            }
        }
    )* };
}
visit_what_they_lead_to! { &mut M Box<M> MutexGuard<'_, M> RwLockWriteGuard<'_, M> RefMut<'_, M> }

macro_rules! visit_what_they_share {
    ($($pointer:ident)*) => { $(
        impl<M: Parameters> Parameters for $pointer<M> {
            fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
                (**self).visit(path, visitor);
            }
            fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
                match $pointer::get_mut(self) {
                    Some(model) => model.visit_mut(path, visitor),
                    None => path.is_shared(),
                }
            }
        }
    )* };
}
visit_what_they_share! { Rc Arc }
