use taut::prelude::*;
use taut::shape::{Axes, BroadcastTo};

fn broadcast<S: BroadcastTo<Target, A>, Target, A: Axes>(_: S, _: Target, _: A) {}

fn main() {
    //~ shape (Const<3>,) cannot be broadcast to (Const<3>, Const<4>) along Axis<0>
    broadcast((Const::<3>,), (Const::<3>, Const::<4>), Axis::<0>);
}
