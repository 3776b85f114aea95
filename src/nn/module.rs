//! The traits of layers.

use crate::tape::{ObservedLayer, RunningLayer};
use rand::Rng;

/// A layer, or a whole model: takes an `X` and returns an `Output`.
///
/// Models are composed: a tuple of up to 16 members runs them in order (longer chains are nested), a struct with
/// `#[derive(Module)]` its fields, a list its blocks, an `Option` its block if there is one, and a
/// [`Lambda`](super::Lambda) a closure. References, smart pointers and the guards of locks run what they point to.
/// Anything that is not a chain implements the trait by hand, with one body:
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
    label = "no layer here accepts this input",
    note = "where `M` is any model, its bound is missing: `M: Trainable<X, Y>`, or `M: Module<X, Output = Y>` only to \
            run it; a custom layer derives `Module` if it is a chain of its fields, and implements it by hand if \
            not; a tuple has at most 16 layers: nest longer ones, `((A, B), (C, D))`; run what a guard or pointer \
            leads to with `(*guard).forward(x)`"
)]
pub trait Module<X> {
    /// The output.
    type Output;
    /// Computes the output. Call [`forward`](Forward::forward): its errors say which layer does not fit, and layers it
    /// runs appear in the [summary](super::Summarize::summary).
    #[track_caller]
    fn apply(&self, x: X) -> Self::Output;
}

/// The method that runs a module. It is separate from [`Module`] so that a wrong input is reported with taut's own
/// message.
pub trait Forward {
    /// Computes the output of this module.
    ///
    /// # Panics
    /// If a run-time dimension of `x` is not what a layer takes.
    #[track_caller]
    fn forward<X>(&self, x: X) -> <Self as Module<X>>::Output
    where
        Self: Module<X>,
    {
        let output = std::any::type_name::<<Self as Module<X>>::Output>;
        let _ends_when_it_has_run =
            (RunningLayer::begin(std::any::type_name::<Self>, output), ObservedLayer::begin(self, output));
        self.apply(x)
    }
}
impl<M: ?Sized> Forward for M {}

/// Checks at compile time that a model takes an input.
///
/// ```
/// use taut::prelude::*;
/// type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);
/// const _: () = check::<Mlp, Tensor<Rank2<64, 784>>>();
/// ```
pub const fn check<M: Module<X> + ?Sized, X>() {}

/// Random initialisation: every layer uses PyTorch's default distributions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from random numbers alone",
    note = "`init` makes layers, tuples of up to 16 of them (longer ones are nested: `((A, B), (C, D))`), arrays (a \
            `Vec` does not say its length), and structs with `#[derive(Init, Module, Parameters)]`, where \
            `#[init(default)]` and `#[init(value = ..)]` make fields that are not layers"
)]
pub trait Init: Sized {
    /// A new instance with parameters drawn from `rng`.
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self;
}
