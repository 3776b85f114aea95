//! Gradients that are sent while the backward pass still runs.
//!
//! The last part of a rank completes the rank's gradient of each parameter. Its backward pass goes from the last layer
//! to the first, and so do the buckets: one is sent as soon as every gradient in it is complete.

use super::reduce::{OwnBlock, Piece, Places, Share, buckets, expect_none_outside, shares_of};
use super::tree::{Tree, add_options};
use crate::tape::{Gradient, Update};
use std::collections::HashMap;

/// The sums of this rank, while the gradients of its last part are computed.
pub(super) struct Overlap<'a> {
    places: &'a Places,
    ranks: usize,
    /// The blocks that no longer change, and at the end the one with the last part.
    blocks: Vec<OwnBlock>,
    /// Those to which the last part is added, the last of them first.
    partners: Vec<OwnBlock>,
    /// By parameter: whether its sum is complete.
    complete: Vec<bool>,
    buckets: Vec<Vec<Piece>>,
    /// The number of buckets already sent.
    sent: usize,
    /// The number of gradients of parameters outside the model.
    outside: usize,
}

impl<'a> Overlap<'a> {
    /// `before` holds all parts of this rank except the last, which is number `last`, if there is any.
    pub fn new(before: Tree<Share>, last: Option<usize>, places: &'a Places, ranks: usize) -> Self {
        let outside = before.blocks.iter().map(|block| places.outside(&block.sum)).sum();
        let partner_count = if last.is_some() { before.partners(1) } else { 0 };
        let mut blocks: Vec<OwnBlock> = before.blocks.into_iter().map(OwnBlock::new).collect();
        let partners = blocks.split_off(blocks.len() - partner_count);
        if let Some(last) = last {
            let start = partners.first().map_or(last, |first| first.start);
            let len = last + 1 - start;
            blocks.push(OwnBlock { start, len, loss: 0.0, gradients: HashMap::new(), updates: Vec::new() });
        }
        let complete = vec![last.is_none(); places.parameters.len()];
        Overlap { places, ranks, blocks, partners, complete, buckets: buckets(places), sent: 0, outside }
    }

    /// The number of buckets, the same on all ranks.
    pub fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// Completes the parameters for which the last part has no gradient.
    pub fn begin(&mut self, is_on_tape: impl Fn(u64) -> bool) {
        for number in 0..self.complete.len() {
            if !is_on_tape(self.places.parameters[number].id) {
                self.complete(number, None);
            }
        }
    }

    /// Takes a parameter's gradient, completed by the backward pass of the last part, and hands over the buckets that
    /// are complete with it.
    pub fn take(&mut self, id: u64, gradient: Option<Gradient>, hand_over: &mut dyn FnMut(Vec<Vec<u8>>)) {
        match self.places.numbers.get(&id) {
            Some(&number) => {
                self.complete(number, gradient);
                self.hand_over(hand_over);
            }
            None => self.outside += usize::from(gradient.is_some()),
        }
    }

    /// Takes the remaining gradients of the last part after its backward pass, and hands over all remaining buckets.
    ///
    /// # Panics
    /// If there are gradients of parameters outside the model.
    #[track_caller]
    pub fn finish(&mut self, last: Option<Share>, hand_over: &mut dyn FnMut(Vec<Vec<u8>>)) {
        expect_none_outside(self.outside);
        for number in 0..self.complete.len() {
            if !self.complete[number] {
                self.complete(number, None);
            }
        }
        if let Some(Share { mut loss, gradients }) = last {
            let (_, mut updates) = gradients.into_parts();
            for partner in self.partners.drain(..).rev() {
                loss += partner.loss;
                let after = std::mem::replace(&mut updates, partner.updates);
                Update::append(&mut updates, after);
            }
            let block = self.blocks.last_mut().expect("that of the last part");
            (block.loss, block.updates) = (loss, updates);
        }
        self.hand_over(hand_over);
    }

    /// The sums of this rank.
    pub fn into_blocks(self) -> Vec<OwnBlock> {
        self.blocks
    }

    /// Adds the gradient of the last part to those of its partners.
    fn complete(&mut self, number: usize, mut gradient: Option<Gradient>) {
        let id = self.places.parameters[number].id;
        for partner in self.partners.iter_mut().rev() {
            gradient = add_options(Gradient::add, partner.gradients.remove(&id), gradient);
        }
        if let Some(gradient) = gradient {
            self.blocks.last_mut().expect("that of the last part").gradients.insert(id, gradient);
        }
        self.complete[number] = true;
    }

    fn hand_over(&mut self, hand_over: &mut dyn FnMut(Vec<Vec<u8>>)) {
        while let Some(bucket) = self.buckets.get(self.sent)
            && bucket.iter().all(|piece| self.complete[piece.parameter])
        {
            hand_over(shares_of(bucket, &self.blocks, self.places, self.ranks));
            self.sent += 1;
        }
    }
}
