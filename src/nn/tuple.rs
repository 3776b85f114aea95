//! Tuples of modules: run in order.

use super::{Forward, Init, Module};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use rand::Rng;

// For each member its index, its type, and what it takes; then the last member.
macro_rules! tuple {
    ($($index:tt $member:ident from $input:ty),+; $last:ident) => {
        impl<X, $($member: Module<$input>),+> Module<X> for ($($member,)+) {
            type Output = $last::Output;
            fn apply(&self, x: X) -> Self::Output {
                $(let x = self.$index.forward(x);)+
                x
            }
        }
        impl<$($member: Init),+> Init for ($($member,)+) {
            fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
                ($($member::init(rng),)+)
            }
        }
        impl<$($member: Parameters),+> Parameters for ($($member,)+) {
            fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
                $(path.at(stringify!($index), |path| self.$index.visit(path, visitor));)+
            }
            fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
                $(path.at(stringify!($index), |path| self.$index.visit_mut(path, visitor));)+
            }
        }
    };
}

// The first member; each line below adds one, which takes what the one before it gives.
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

/// At most 16 layers make a tuple. Longer tuples have an `init` that asks for this, so that rustc says it.
#[diagnostic::on_unimplemented(
    message = "a tuple of more than 16 layers is not a layer",
    label = "more than 16 layers",
    note = "nest it: `((A, B, C), (D, E, F))` runs the same layers in the same order"
)]
pub trait AtMostSixteenLayers {}
impl<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q> Init for (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q)
where
    Self: AtMostSixteenLayers,
{
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        unreachable!("no tuple has this bound")
    }
}
