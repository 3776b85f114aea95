//! A binary tree over the words, in which frequent words are near the root.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The inner nodes on the path from the root to each word, and the direction it takes at each.
///
/// Huffman, "A Method for the Construction of Minimum-Redundancy Codes", 1952; Morin and Bengio, "Hierarchical
/// Probabilistic Neural Network Language Model", 2005.
pub struct Huffman {
    /// The start of the path of word i in the other two; and one more, the end of the last.
    starts: Vec<usize>,
    nodes: Vec<u32>,
    /// 1 where the path goes left, 0 where it goes right.
    labels: Vec<f32>,
}

impl Huffman {
    /// The tree for words with these counts. The numbers of its inner nodes are below `counts.len() - 1`.
    pub fn new(counts: &[u64]) -> Self {
        let words = counts.len();
        // words are numbered first, then inner nodes in the order of their creation; of equal counts the first is
        // joined
        let mut open: BinaryHeap<Reverse<(u64, usize)>> = counts.iter().copied().zip(0..).map(Reverse).collect();
        let mut parents = vec![(0, 0.0); words];
        while open.len() > 1
            && let (Some(Reverse(left)), Some(Reverse(right))) = (open.pop(), open.pop())
        {
            let node = parents.len();
            (parents[left.1], parents[right.1]) = ((node, 1.0), (node, 0.0));
            parents.push((node, 0.0));
            open.push(Reverse((left.0.saturating_add(right.0), node)));
        }
        let root = parents.len() - 1;
        let mut tree = Huffman { starts: vec![0], nodes: Vec::new(), labels: Vec::new() };
        for word in 0..words {
            let start = tree.nodes.len();
            let mut at = word;
            while at != root {
                let (parent, label) = parents[at];
                tree.nodes.push((parent - words) as u32);
                tree.labels.push(label);
                at = parent;
            }
            tree.nodes[start..].reverse();
            tree.labels[start..].reverse();
            tree.starts.push(tree.nodes.len());
        }
        tree
    }

    /// The nodes on the path to a word, and 1 for each where it goes left.
    pub fn way(&self, word: u32) -> (&[u32], &[f32]) {
        let range = self.starts[word as usize]..self.starts[word as usize + 1];
        (&self.nodes[range.clone()], &self.labels[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_shortest_one_without_a_common_beginning() {
        // the textbook's example: Cormen et al., "Introduction to Algorithms", a to f
        let counts = [45, 13, 12, 16, 9, 5];
        let tree = Huffman::new(&counts);
        let ways: Vec<_> = (0..6).map(|word| tree.way(word)).collect();
        let lengths: Vec<usize> = ways.iter().map(|(nodes, _)| nodes.len()).collect();
        assert_eq!(lengths, [1, 3, 3, 3, 4, 4]);
        for (i, (nodes, labels)) in ways.iter().enumerate() {
            assert!(nodes[0] == 4 && nodes.iter().all(|&node| node < 5));
            for (other, _) in ways.iter().map(|(_, labels)| labels).enumerate().filter(|&(j, _)| j != i) {
                assert!(!ways[other].1.starts_with(labels));
            }
        }
    }

    #[test]
    fn as_short_as_the_entropy_allows_for_many_words() {
        let counts: Vec<u64> = (1..=3000).map(|rank| 1_000_000 / rank).collect();
        let tree = Huffman::new(&counts);
        let total = counts.iter().sum::<u64>() as f64;
        let mean = |f: &dyn Fn(usize) -> f64| (0..3000).map(|i| counts[i] as f64 / total * f(i)).sum::<f64>();
        let entropy = mean(&|i| -(counts[i] as f64 / total).log2());
        let length = mean(&|i| tree.way(i as u32).0.len() as f64);
        assert!(length >= entropy && length < entropy + 1.0, "{length} bits for an entropy of {entropy}");
        // Kraft: the words fill the tree
        let filled: f64 = (0..3000).map(|i| 0.5_f64.powi(tree.way(i).0.len() as i32)).sum();
        assert!((filled - 1.0).abs() < 1e-9);
    }

    #[test]
    fn words_that_never_occur_and_a_single_word() {
        assert_eq!(Huffman::new(&[0, 0, 7]).way(2).0.len(), 1);
        assert!(Huffman::new(&[7]).way(0).0.is_empty());
    }
}
