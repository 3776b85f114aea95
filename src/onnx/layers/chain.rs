//! What models are composed of: tuples, lists, blocks, wrappers and pointers.

use crate::nn::{Autoencoder, Eval, Frozen, KeepsShape, Module, Residual, RestoresShape, SameAs};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{BackTo, ToInference};
use std::borrow::Cow;
use std::cell::{LazyCell, Ref, RefMut};
use std::rc::Rc;
use std::sync::{Arc, LazyLock, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

// For each member its index, its type, and its input; then the last member.
macro_rules! tuple {
    ($($index:tt $member:ident from $input:ty),+; $last:ident) => {
        impl<X, $($member: ExportOnnx<$input>),+> ExportOnnx<X> for ($($member,)+) {
            fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<$last::Output> {
                $(let x = self.$index.export(graph, x);)+
                x
            }
        }
    };
}

// The first member; each line below adds one, whose input is the output of the one before it.
macro_rules! tuples {
    ([$($member:tt)*] $last:ident;) => {
        tuple! { $($member)*; $last }
    };
    ([$($member:tt)*] $last:ident; $index:tt $next:ident, $($more:tt)*) => {
        tuple! { $($member)*; $last }
        tuples! { [$($member)*, $index $next from $last::Output] $next; $($more)* }
    };
}
tuples! {
    [0 A from X] A;
    1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J, 10 K, 11 L, 12 M, 13 N, 14 O, 15 P,
}

fn blocks<X, Y: SameAs<X>, M: ExportOnnx<X, Output = Y>>(
    blocks: &[M],
    graph: &mut Graph,
    x: Value<X>,
) -> Value<Y::Same> {
    let mut x = x;
    for block in blocks {
        x = block.export(graph, x).retyped();
    }
    x.retyped()
}

impl<X, Y: SameAs<X>, M: ExportOnnx<X, Output = Y>> ExportOnnx<X> for [M] {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<Y::Same> {
        blocks(self, graph, x)
    }
}
impl<X, Y: SameAs<X>, M: ExportOnnx<X, Output = Y>> ExportOnnx<X> for Vec<M> {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<Y::Same> {
        blocks(self, graph, x)
    }
}
impl<X, Y: SameAs<X>, M: ExportOnnx<X, Output = Y>, const N: usize> ExportOnnx<X> for [M; N] {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<Y::Same> {
        blocks(self, graph, x)
    }
}
impl<X, Y: SameAs<X>, M: ExportOnnx<X, Output = Y>> ExportOnnx<X> for Option<M> {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<Y::Same> {
        blocks(self.as_slice(), graph, x)
    }
}

impl<F, S: Shape, O: KeepsShape<S>, E: Float> ExportOnnx<Tensor<S, E>> for Residual<F>
where
    O: Shape,
    F: ExportOnnx<Tensor<S, E>, Output = Tensor<O, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<O::Same, E>> {
        let y = self.0.export(graph, x.clone());
        graph.node("Add").input(&y).input(&x).output_along(&x, S::RANK)
    }
}

impl<E, D, S: Shape, C, O: RestoresShape<S>, F: Float> ExportOnnx<Tensor<S, F>> for Autoencoder<E, D>
where
    E: ExportOnnx<Tensor<S, F>, Output = C>,
    D: ExportOnnx<C, Output = Tensor<O, F>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, F>>) -> Value<Tensor<O, F>> {
        let code = self.encoder.export(graph, x);
        self.decoder.export(graph, code)
    }
}

impl<X, M: ExportOnnx<X>> ExportOnnx<X> for Frozen<M> {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<M::Output> {
        self.0.export(graph, x)
    }
}

impl<X, M> ExportOnnx<X> for Eval<M>
where
    X: ToInference<Inference = X>,
    M: ExportOnnx<X>,
    M::Output: BackTo<X::Trace>,
{
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<<Self as Module<X>>::Output> {
        self.0.export(graph, x).retyped()
    }
}

macro_rules! export_what_they_lead_to {
    ($($pointer:ty)*) => { $(
        impl<X, M: ExportOnnx<X> + ?Sized> ExportOnnx<X> for $pointer {
            fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<M::Output> {
                (**self).export(graph, x)
            }
        }
    )* };
}
export_what_they_lead_to! {
    &M &mut M Box<M> Rc<M> Arc<M>
    MutexGuard<'_, M> RwLockReadGuard<'_, M> RwLockWriteGuard<'_, M> Ref<'_, M> RefMut<'_, M>
}
impl<X, M: ExportOnnx<X>, F: FnOnce() -> M> ExportOnnx<X> for LazyLock<M, F> {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<M::Output> {
        (**self).export(graph, x)
    }
}
impl<X, M: ExportOnnx<X>, F: FnOnce() -> M> ExportOnnx<X> for LazyCell<M, F> {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<M::Output> {
        (**self).export(graph, x)
    }
}
impl<X, M: ExportOnnx<X> + ToOwned + ?Sized> ExportOnnx<X> for Cow<'_, M> {
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<M::Output> {
        (**self).export(graph, x)
    }
}
