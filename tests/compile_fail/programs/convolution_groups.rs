use taut::prelude::*;

pub struct Block {
    //~ 3 groups do not divide Const<64> channels
    pub depthwise: GroupedConv2d<64, 66, 3, 3>,
}

fn main() {}
