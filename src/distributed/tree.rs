//! The order in which parts are added.

/// What is known about neighbouring parts: their sum.
#[derive(Clone, Debug)]
pub(super) struct Block<T> {
    /// The number of the first part.
    pub start: usize,
    /// The number of parts.
    pub len: usize,
    pub sum: T,
}

/// Adds up numbered parts in an order that depends only on their numbers, not on where they were computed: parts 2i and
/// 2i + 1 make a pair, pairs 2i and 2i + 1 make four, and so on; what has no partner waits until the end, when the last
/// is added to the one before it. So any process that has neighbouring parts can add those that belong together, and
/// whoever has the sums of all processes adds up the rest.
#[derive(Clone, Debug)]
pub(super) struct Tree<T> {
    /// From the first part on, each block at least twice as large as the next, or not its partner.
    pub blocks: Vec<Block<T>>,
}

impl<T> Tree<T> {
    pub fn new() -> Self {
        Tree { blocks: Vec::new() }
    }

    /// The number of the part after the last.
    pub fn end(&self) -> Option<usize> {
        self.blocks.last().map(|block| block.start + block.len)
    }

    /// Adds a block that follows the others; `add` is given the earlier sum first.
    pub fn push(&mut self, mut block: Block<T>, add: &mut impl FnMut(T, T) -> T) {
        let partners = self.blocks.split_off(self.blocks.len() - self.partners(block.len));
        for before in partners.into_iter().rev() {
            block = Block { start: before.start, len: 2 * block.len, sum: add(before.sum, block.sum) };
        }
        self.blocks.push(block);
    }

    /// The number of last blocks that a following block of `len` parts is merged with: first with the last of them, the
    /// sum with the one before, and so on.
    pub fn partners(&self, mut len: usize) -> usize {
        // partners have the same length, and the first starts at an even position
        let is_partner = |before: &&Block<T>| {
            let is = before.len == len && before.start.is_multiple_of(2 * len);
            len *= 2;
            is
        };
        self.blocks.iter().rev().take_while(is_partner).count()
    }

    /// The sum of all, if there are any. The parts must be all those from 0 on.
    pub fn finish(self, add: &mut impl FnMut(T, T) -> T) -> Option<T> {
        self.blocks.into_iter().rev().map(|block| block.sum).reduce(|after, before| add(before, after))
    }
}

/// The sum of the blocks so far.
pub(super) fn add_options<T>(add: impl FnOnce(&mut T, T), left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            add(&mut left, right);
            Some(left)
        }
        (left, right) => left.or(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bracketed(left: String, right: String) -> String {
        format!("({left}+{right})")
    }

    fn one_by_one(parts: std::ops::Range<usize>) -> Tree<String> {
        let mut tree = Tree::new();
        for part in parts {
            tree.push(Block { start: part, len: 1, sum: part.to_string() }, &mut bracketed);
        }
        tree
    }

    #[test]
    fn pairs_are_added_first() {
        let sum = |parts| one_by_one(0..parts).finish(&mut bracketed);
        assert_eq!(sum(0), None);
        assert_eq!(sum(1).unwrap(), "0");
        assert_eq!(sum(3).unwrap(), "((0+1)+2)");
        assert_eq!(sum(4).unwrap(), "((0+1)+(2+3))");
        assert_eq!(sum(7).unwrap(), "(((0+1)+(2+3))+((4+5)+6))");
    }

    #[test]
    fn the_order_is_the_same_however_parts_are_shared_out() {
        for parts in 1..40 {
            let expected = one_by_one(0..parts).finish(&mut bracketed);
            for ranks in 1..10 {
                let mut tree = Tree::new();
                for rank in 0..ranks {
                    let own = one_by_one(rank * parts / ranks..(rank + 1) * parts / ranks);
                    // nobody sends many sums
                    assert!(own.blocks.len() <= 2 * parts.ilog2() as usize + 1);
                    own.blocks.into_iter().for_each(|block| tree.push(block, &mut bracketed));
                }
                assert_eq!(tree.finish(&mut bracketed), expected, "{parts} parts on {ranks} ranks");
            }
        }
    }
}
