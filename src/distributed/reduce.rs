//! The sum of the gradients of all ranks.
//!
//! 1. Each rank tells all others which sums of parts it has, and of each what there is: whole gradients, some rows of a
//!    table, or nothing. Losses and running statistics, which are small, are in the same message.
//! 2. Whole gradients are laid end to end and cut in buckets, and each bucket in a piece for each rank. A rank gets its
//!    piece of all sums from all ranks, adds them in the order of the tree, and sends the result to all.
//! 3. Rows go from every rank to all others, which add them in the same order.

use super::bytes::{Element, Reader, Writer, len, slice, slice_mut};
use super::communicator::{CommunicationError, Communicator};
use super::model::structure;
use super::tree::{Block, Tree, add_options};
use crate::params::{Kind, Parameters, each_parameter};
use crate::tape::{AnyStorage, Gradient, Rows, Update};
use crate::trace::Gradients;
use std::collections::HashMap;
use std::ops::Range;

/// How many numbers of whole gradients travel at once: 16 MB of f32. More would need more memory, and less would wait
/// more often.
pub const BUCKET: usize = if cfg!(test) { 97 } else { 1 << 22 };

/// What is added of a part.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub loss: f64,
    pub gradients: Gradients,
}

impl Share {
    pub fn add(self, after: Share) -> Share {
        Share { loss: self.loss + after.loss, gradients: self.gradients + after.gradients }
    }
}

/// A parameter or a buffer of the model.
struct Place {
    id: u64,
    len: usize,
    element: Element,
}

/// The parameters and buffers of a model, each once, in an order that is the same on all ranks: that of the visit.
struct Places {
    parameters: Vec<Place>,
    buffers: Vec<Place>,
}

impl Places {
    fn of(model: &dyn Parameters) -> Self {
        let mut places = Places { parameters: Vec::new(), buffers: Vec::new() };
        let mut seen = HashMap::new();
        each_parameter(model, &mut |_, leaf| {
            if seen.insert(leaf.id, ()).is_none() {
                let place = Place { id: leaf.id, len: leaf.values.len(), element: Element::of(&leaf.values) };
                if leaf.kind == Kind::Buffer { &mut places.buffers } else { &mut places.parameters }.push(place);
            }
        });
        places
    }
}

/// What a block has of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Whole,
    Rows,
}

/// A block of some rank, as its first message tells.
struct Announced {
    rank: usize,
    start: usize,
    len: usize,
    /// By parameter.
    contents: Vec<Content>,
}

/// Adds up what all ranks have.
#[track_caller]
pub(super) fn reduce<M: Parameters>(
    own: Tree<Share>,
    world: &dyn Communicator,
    model: &M,
    like: u64,
) -> Result<Share, CommunicationError> {
    let places = Places::of(model);
    expect_within(&own, &places);
    if world.size() == 1 {
        let wrong = || CommunicationError::Disagreement("the parts of a batch are not those from 0 on".to_string());
        if own.blocks.first().is_some_and(|block| block.start != 0) {
            return Err(wrong());
        }
        let share = own.finish(&mut Share::add).ok_or_else(wrong)?;
        let (parameters, updates) = share.gradients.into_parts();
        return Ok(Share { loss: share.loss, gradients: Gradients::of_parts(parameters, updates) });
    }
    let mut blocks: Vec<OwnBlock> = own.blocks.into_iter().map(OwnBlock::new).collect();
    let (announced, loss, updates) = announce(&blocks, world, &places, [structure(model), like])?;

    let mut sums: Vec<Option<Gradient>> = places.parameters.iter().map(|_| None).collect();
    let has = |parameter: usize, content| announced.iter().any(|block| block.contents[parameter] == content);
    let of_rows: Vec<usize> = (0..sums.len()).filter(|&parameter| has(parameter, Content::Rows)).collect();
    let whole = |parameter: &usize| has(*parameter, Content::Whole) && !has(*parameter, Content::Rows);
    let whole: Vec<usize> = (0..sums.len()).filter(whole).collect();
    add_whole(&blocks, world, &places, &announced, &whole, &mut sums)?;
    if !of_rows.is_empty() {
        add_rows(&mut blocks, world, &places, &of_rows, &mut sums)?;
    }
    let found = places.parameters.iter().zip(sums).filter_map(|(place, sum)| Some((place.id, sum?)));
    Ok(Share { loss, gradients: Gradients::of_parts(found.collect(), updates) })
}

/// # Panics
/// If gradients are of no parameter here.
#[track_caller]
fn expect_within(own: &Tree<Share>, places: &Places) {
    let mut of_model: Vec<u64> = places.parameters.iter().map(|place| place.id).collect();
    of_model.sort_unstable();
    for block in &own.blocks {
        let outside = block.sum.gradients.parameters().filter(|(id, _)| of_model.binary_search(id).is_err()).count();
        assert!(
            outside == 0,
            "all_reduce: {outside} gradients are of parameters outside this model: if the loss depends on several \
             models, pass them as a tuple, `&(&a, &b)`"
        );
    }
}

/// A block of this rank.
struct OwnBlock {
    start: usize,
    len: usize,
    loss: f64,
    gradients: HashMap<u64, Gradient>,
    updates: Vec<Update>,
}

impl OwnBlock {
    fn new(Block { start, len, sum: Share { loss, gradients } }: Block<Share>) -> Self {
        let (parameters, updates) = gradients.into_parts();
        OwnBlock { start, len, loss, gradients: parameters.into_iter().collect(), updates }
    }

    fn content(&self, place: &Place) -> Content {
        match self.gradients.get(&place.id) {
            None => Content::Nothing,
            Some(Gradient::Whole(_)) => Content::Whole,
            Some(Gradient::Rows(_)) => Content::Rows,
        }
    }
}

/// The first message: what all ranks have, in the order of parts, with the sum of the losses and the updates in turn.
fn announce(
    blocks: &[OwnBlock],
    world: &dyn Communicator,
    places: &Places,
    alike: [u64; 2],
) -> Result<(Vec<Announced>, f64, Vec<Update>), CommunicationError> {
    let mut writer = Writer::default();
    alike.into_iter().for_each(|number| writer.u64(number));
    writer.size(blocks.len());
    for block in blocks {
        writer.size(block.start);
        writer.size(block.len);
        writer.f64(block.loss);
        writer.bytes.extend(places.parameters.iter().map(|place| block.content(place) as u8));
        let updates = |place: &Place| block.updates.iter().find(|update| update.buffer == place.id);
        for place in &places.buffers {
            let update = updates(place);
            writer.bytes.push(u8::from(update.is_some()));
            if let Some(update) = update {
                writer.f64(update.keep);
                writer.values(slice(&update.add, 0..place.len));
            }
        }
    }
    let messages = world.all_gather(&writer.bytes)?;
    let alike = |rank: usize| Reader::new(rank, &messages[rank]).pair();
    let first = alike(0)?;
    for rank in 1..messages.len() {
        let what = match alike(rank)? {
            [model, _] if model != first[0] => "another model",
            [_, like] if like != first[1] => OTHER_RANDOMNESS,
            _ => continue,
        };
        return Err(CommunicationError::Disagreement(format!("rank {rank} has {what} than rank 0")));
    }
    let mut announced = Vec::new();
    let mut sums: Tree<(f64, Vec<Update>)> = Tree::new();
    let mut add = |left: (f64, Vec<Update>), right: (f64, Vec<Update>)| {
        let mut updates = left.1;
        right.1.into_iter().for_each(|update| Update::append(&mut updates, update));
        (left.0 + right.0, updates)
    };
    for (rank, message) in messages.iter().enumerate() {
        let mut reader = Reader::new(rank, message);
        reader.pair()?;
        for _ in 0..reader.below(PARTS, "number of sums")? {
            let start = reader.below(PARTS, "part")?;
            let len = reader.below(PARTS, "number of parts")?;
            if start != sums.end().unwrap_or(0) || len == 0 {
                return Err(reader.wrong(&format!("part {start}, and part {} comes next", sums.end().unwrap_or(0))));
            }
            let loss = reader.f64()?;
            let contents = places.parameters.iter().map(|_| match reader.byte()? {
                0 => Ok(Content::Nothing),
                1 => Ok(Content::Whole),
                2 => Ok(Content::Rows),
                _ => Err(reader.wrong("a gradient of an unknown kind")),
            });
            let contents = contents.collect::<Result<_, _>>()?;
            let mut updates = Vec::new();
            for place in &places.buffers {
                if reader.byte()? == 1 {
                    let keep = reader.f64()?;
                    updates.push(Update { buffer: place.id, keep, add: reader.storage(place.element, place.len)? });
                }
            }
            announced.push(Announced { rank, start, len, contents });
            sums.push(Block { start, len, sum: (loss, updates) }, &mut add);
        }
        reader.end()?;
    }
    let nothing = || CommunicationError::Disagreement("no rank has a part of the batch".to_string());
    let (loss, updates) = sums.finish(&mut add).ok_or_else(nothing)?;
    Ok((announced, loss, updates))
}

/// More than a batch can have samples.
const PARTS: usize = u32::MAX as usize;

const OTHER_RANDOMNESS: &str =
    "other random numbers, or another batch (all ranks need the same seed, and must draw the same from it),";

/// A part of the gradient of a parameter.
struct Piece {
    parameter: usize,
    range: Range<usize>,
}

/// The pieces of `range` of the gradients of these parameters, laid end to end.
fn pieces(places: &Places, whole: &[usize], range: Range<usize>) -> Vec<Piece> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for &parameter in whole {
        let len = places.parameters[parameter].len;
        let within = range.start.max(start)..range.end.min(start + len);
        if !within.is_empty() {
            pieces.push(Piece { parameter, range: within.start - start..within.end - start });
        }
        start += len;
    }
    pieces
}

/// Adds gradients that all ranks have in whole, or not at all.
fn add_whole(
    blocks: &[OwnBlock],
    world: &dyn Communicator,
    places: &Places,
    announced: &[Announced],
    whole: &[usize],
    sums: &mut [Option<Gradient>],
) -> Result<(), CommunicationError> {
    let ranks = world.size();
    let total: usize = whole.iter().map(|&parameter| places.parameters[parameter].len).sum();
    let mut results: HashMap<usize, AnyStorage> = HashMap::new();
    for &parameter in whole {
        let place = &places.parameters[parameter];
        results.insert(parameter, place.element.scratch(place.len));
    }
    for start in (0..total).step_by(BUCKET) {
        let len = BUCKET.min(total - start);
        let of_rank = |rank: usize| start + len * rank / ranks..start + len * (rank + 1) / ranks;
        let pieces: Vec<Vec<Piece>> = (0..ranks).map(|rank| pieces(places, whole, of_rank(rank))).collect();
        // to each rank its piece of every block
        let to_each = pieces.iter().map(|pieces| {
            let mut writer = Writer::default();
            for block in blocks {
                for Piece { parameter, range } in pieces {
                    if let Some(gradient) = block.gradients.get(&places.parameters[*parameter].id) {
                        writer.values(slice(gradient.values(), range.clone()));
                    }
                }
            }
            writer.bytes
        });
        let outgoing: Vec<Vec<u8>> = to_each.collect();
        let incoming = world.exchange(&outgoing.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        drop(outgoing);
        let own = sum_of_pieces(&incoming, places, announced, &pieces[world.rank()])?;
        drop(incoming);
        for (rank, message) in world.all_gather(&own)?.iter().enumerate() {
            let mut reader = Reader::new(rank, message);
            for Piece { parameter, range } in &pieces[rank] {
                let result = results.get_mut(parameter).expect("every whole gradient has a place for its sum");
                reader.values(slice_mut(result, range.clone()))?;
            }
            reader.end()?;
        }
    }
    for (parameter, sum) in results {
        sums[parameter] = Some(Gradient::Whole(sum));
    }
    Ok(())
}

/// The sums of the pieces of this rank, one after the other, of which `incoming` has those of all blocks of each rank.
fn sum_of_pieces(
    incoming: &[Vec<u8>],
    places: &Places,
    announced: &[Announced],
    pieces: &[Piece],
) -> Result<Vec<u8>, CommunicationError> {
    let mut add = |left, right| {
        add_options(
            |mut sum: AnyStorage, more| {
                sum.add(more);
                sum
            },
            left,
            right,
        )
    };
    let mut readers: Vec<Reader> =
        incoming.iter().enumerate().map(|(rank, message)| Reader::new(rank, message)).collect();
    let mut trees: Vec<Tree<Option<AnyStorage>>> = pieces.iter().map(|_| Tree::new()).collect();
    for block in announced {
        for (piece, tree) in pieces.iter().zip(&mut trees) {
            let values = match block.contents[piece.parameter] {
                Content::Whole => {
                    let element = places.parameters[piece.parameter].element;
                    Some(readers[block.rank].storage(element, piece.range.len())?)
                }
                _ => None,
            };
            tree.push(Block { start: block.start, len: block.len, sum: values }, &mut add);
        }
    }
    readers.into_iter().try_for_each(Reader::end)?;
    let mut writer = Writer::default();
    for tree in trees {
        let sum = tree.finish(&mut add).flatten().expect("some block has it");
        writer.values(slice(&sum, 0..len(&sum)));
    }
    Ok(writer.bytes)
}

/// Adds gradients of which some rank has only rows.
fn add_rows(
    blocks: &mut [OwnBlock],
    world: &dyn Communicator,
    places: &Places,
    of_rows: &[usize],
    sums: &mut [Option<Gradient>],
) -> Result<(), CommunicationError> {
    let mut writer = Writer::default();
    writer.size(blocks.len());
    for block in blocks {
        writer.size(block.start);
        writer.size(block.len);
        for &parameter in of_rows {
            let place = &places.parameters[parameter];
            writer.bytes.push(block.content(place) as u8);
            match block.gradients.remove(&place.id) {
                None => {}
                Some(Gradient::Whole(values)) => writer.values(slice(&values, 0..place.len)),
                Some(Gradient::Rows(rows)) => {
                    writer.size(rows.width());
                    writer.size(rows.indices.len());
                    rows.indices.iter().for_each(|&index| writer.size(index));
                    writer.values(slice(&rows.values, 0..len(&rows.values)));
                }
            }
        }
    }
    let mut add = |left, right| {
        add_options(
            |mut sum: Gradient, more| {
                sum.add(more);
                sum
            },
            left,
            right,
        )
    };
    let mut trees: Vec<Tree<Option<Gradient>>> = of_rows.iter().map(|_| Tree::new()).collect();
    for (rank, message) in world.all_gather(&writer.bytes)?.iter().enumerate() {
        let mut reader = Reader::new(rank, message);
        for _ in 0..reader.below(PARTS, "number of sums")? {
            let start = reader.below(PARTS, "part")?;
            let len = reader.below(PARTS, "number of parts")?;
            for (&parameter, tree) in of_rows.iter().zip(&mut trees) {
                let place = &places.parameters[parameter];
                let gradient = match reader.byte()? {
                    0 => None,
                    1 => Some(Gradient::Whole(reader.storage(place.element, place.len)?)),
                    _ => Some(Gradient::Rows(read_rows(&mut reader, place)?)),
                };
                tree.push(Block { start, len, sum: gradient }, &mut add);
            }
        }
        reader.end()?;
    }
    for (&parameter, tree) in of_rows.iter().zip(trees) {
        sums[parameter] = tree.finish(&mut add).flatten();
    }
    Ok(())
}

fn read_rows(reader: &mut Reader<'_>, place: &Place) -> Result<Rows, CommunicationError> {
    let width = reader.below(place.len + 1, "width of rows")?;
    let rows = place.len.checked_div(width).unwrap_or(0);
    let count = reader.below(rows + 1, "number of rows")?;
    let indices = (0..count).map(|_| reader.below(rows, "row")).collect::<Result<Vec<_>, _>>()?;
    if !indices.is_sorted_by(|a, b| a < b) {
        return Err(reader.wrong("rows out of order"));
    }
    Ok(Rows::new(rows, width, indices, reader.storage(place.element, count * width)?))
}
