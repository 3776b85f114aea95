use taut::rl::{CartPole, FrameStack};

fn main() {
    //~ a size of Const<0> leaves nothing: it is at least 1
    FrameStack::<CartPole, 0>::new(CartPole::default());
}
