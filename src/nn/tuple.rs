//! Tuples of modules: run in order.

use super::{Forward, Init, Module, Parameters, Path, Visitor, VisitorMut};
use rand::Rng;

// Each line: the last member; then for each member its index, its type, and what it takes.
macro_rules! tuples {
    ($($last:ident: $($index:tt $member:ident from $input:ty),+;)*) => { $(
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
            fn visit(&self, path: &mut Path, visitor: &mut dyn Visitor) {
                $(path.at(stringify!($index), |path| self.$index.visit(path, visitor));)+
            }
            fn visit_mut(&mut self, path: &mut Path, visitor: &mut dyn VisitorMut) {
                $(path.at(stringify!($index), |path| self.$index.visit_mut(path, visitor));)+
            }
        }
    )* };
}
tuples! {
    A: 0 A from X;
    B: 0 A from X, 1 B from A::Output;
    C: 0 A from X, 1 B from A::Output, 2 C from B::Output;
    D: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output;
    E: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output;
    F: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output;
    G: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output, 6 G from F::Output;
    H: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output, 6 G from F::Output, 7 H from G::Output;
    I: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output, 6 G from F::Output, 7 H from G::Output, 8 I from H::Output;
    J: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output, 6 G from F::Output, 7 H from G::Output, 8 I from H::Output, 9 J from I::Output;
    K: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output, 6 G from F::Output, 7 H from G::Output, 8 I from H::Output, 9 J from I::Output, 10 K from J::Output;
    L: 0 A from X, 1 B from A::Output, 2 C from B::Output, 3 D from C::Output, 4 E from D::Output, 5 F from E::Output, 6 G from F::Output, 7 H from G::Output, 8 I from H::Output, 9 J from I::Output, 10 K from J::Output, 11 L from K::Output;
}
