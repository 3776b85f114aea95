use taut::data::mnist;
use taut::prelude::*;

fn main() {
    //~ expected `Const<784>` elements, found `Const<785>`
    let _ = mnist::load::<Rank1<785>>("mnist");
}
