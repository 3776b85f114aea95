//! What a layer is.

use crate::trace::RunningLayer;
use rand::Rng;
use std::rc::Rc;
use std::sync::Arc;

/// A layer, or a whole model: takes an `X` and gives an `Output`.
///
/// Models are made of others: a tuple runs its members in order, a struct with `#[derive(Module)]` its fields. What
/// is no chain implements the trait by hand, with one body:
///
/// ```
/// use taut::prelude::*;
///
/// #[derive(Init, Parameters)]
/// struct Gated {
///     gate: Linear<64, 64>,
///     value: (Linear<64, 64>, Relu),
/// }
///
/// impl<B: Dim, T: Trace> Module<Tensor<(B, Const<64>), f32, T>> for Gated {
///     type Output = Tensor<(B, Const<64>), f32, T>;
///     fn apply(&self, x: Tensor<(B, Const<64>), f32, T>) -> Self::Output {
///         let gate = self.gate.forward(x.clone()).sigmoid();
///         self.value.forward(x) * gate
///     }
/// }
///
/// let model = (Gated::init(&mut StdRng::seed_from_u64(0)), Relu);
/// let y: Tensor<Rank2<3, 64>> = model.forward(Tensor::<Rank2<3, 64>>::ones());
/// ```
#[doc(alias = "Sequential")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take `{X}` as its input",
    label = "no layer here accepts this input"
)]
pub trait Module<X> {
    /// What comes out.
    type Output;
    /// Computes the output. Call [`forward`](Forward::forward): its errors say which layer does not fit, and layers run
    /// by it are in the [summary](super::Summarize::summary).
    #[track_caller]
    fn apply(&self, x: X) -> Self::Output;
}

/// The method that runs a module. It stands apart from [`Module`] so that a wrong input is reported in taut's words.
pub trait Forward {
    /// Computes the output of this module.
    ///
    /// # Panics
    /// If a run-time dimension of `x` is another than a layer takes.
    #[track_caller]
    fn forward<X>(&self, x: X) -> <Self as Module<X>>::Output
    where
        Self: Module<X>,
    {
        let _ends_when_it_has_run =
            RunningLayer::begin(std::any::type_name::<Self>, std::any::type_name::<<Self as Module<X>>::Output>);
        self.apply(x)
    }
}
impl<M: ?Sized> Forward for M {}

/// Checks, when the program is compiled, that a model takes an input.
///
/// ```
/// use taut::prelude::*;
/// type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);
/// const _: () = check::<Mlp, Tensor<Rank2<64, 784>>>();
/// ```
pub const fn check<M: Module<X> + ?Sized, X>() {}

/// What can be made from random numbers: every layer, with PyTorch's default distributions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from random numbers alone",
    note = "`init` makes layers, tuples of them, and structs with `#[derive(Init)]`"
)]
pub trait Init: Sized {
    /// A new one, its parameters drawn from `rng`.
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self;
}

impl<X, M: Module<X> + ?Sized> Module<X> for &M {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}
impl<X, M: Module<X> + ?Sized> Module<X> for &mut M {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}
impl<X, M: Module<X> + ?Sized> Module<X> for Box<M> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}
impl<X, M: Module<X> + ?Sized> Module<X> for Arc<M> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}
impl<X, M: Module<X> + ?Sized> Module<X> for Rc<M> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        (**self).forward(x)
    }
}

/// Runs blocks that keep the type of what goes through them, one after the other.
impl<X, M: Module<X, Output = X>> Module<X> for [M] {
    type Output = X;
    fn apply(&self, x: X) -> X {
        let mut x = x;
        for block in self {
            x = block.forward(x);
        }
        x
    }
}
impl<X, M: Module<X, Output = X>> Module<X> for Vec<M> {
    type Output = X;
    fn apply(&self, x: X) -> X {
        self.as_slice().apply(x)
    }
}
impl<X, M: Module<X, Output = X>, const N: usize> Module<X> for [M; N] {
    type Output = X;
    fn apply(&self, x: X) -> X {
        self.as_slice().apply(x)
    }
}

impl<M: Init> Init for Box<M> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Box::new(M::init(rng))
    }
}
impl<M: Init> Init for Arc<M> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Arc::new(M::init(rng))
    }
}
impl<M: Init, const N: usize> Init for [M; N] {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        std::array::from_fn(|_| M::init(rng))
    }
}
