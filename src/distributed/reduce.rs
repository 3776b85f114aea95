//! The sum of the gradients of all ranks.
//!
//! 1. Each rank tells all others which sums of parts it has, and what kind each is: whole gradients, some rows of a
//!    table, or nothing. Losses and running statistics, which are small, are in the same message.
//! 2. Parameters are laid end to end and divided into buckets, and every piece in a bucket into one share per rank. A
//!    rank receives its share of all whole gradients from all ranks, adds them in the order of the tree, and sends the
//!    sums to all. The shares may have been sent before the first message, during the backward pass: `overlap.rs`.
//! 3. Rows are sent from every rank to all others, which add them in the same order.

use super::batches::share;
use super::bytes::{Element, Reader, Writer, len, slice, slice_mut};
use super::communicator::{CommunicationError, Communicator};
use super::model::structure;
use super::tree::{Block, Tree, add_options};
use crate::params::{Kind, Parameters, each_parameter};
use crate::tape::{AnyStorage, Gradient, Rows, Update};
use crate::trace::Gradients;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The number of elements of whole gradients that are sent together: 4 MB of f32. Larger buckets would start later in
/// the backward pass, smaller ones would be more messages.
pub const BUCKET_SIZE: usize = if cfg!(test) { 97 } else { 1 << 20 };

/// The number of buckets sent at once when nothing is computed meanwhile: more would need more memory, fewer would wait
/// more often.
const TOGETHER: usize = 4;

/// The sum over some parts.
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
pub(super) struct Place {
    pub id: u64,
    len: usize,
    element: Element,
}

/// The parameters and buffers of a model, each once, in the order of the visit, which is the same on all ranks.
pub(super) struct Places {
    pub parameters: Vec<Place>,
    /// The number of each parameter, by its id.
    pub numbers: HashMap<u64, usize>,
    buffers: Vec<Place>,
}

impl Places {
    pub fn of(model: &dyn Parameters) -> Self {
        let (mut parameters, mut buffers, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        each_parameter(model, &mut |_, leaf| {
            if seen.insert(leaf.id) {
                let place = Place { id: leaf.id, len: leaf.values.len(), element: Element::of(&leaf.values) };
                if leaf.kind == Kind::Buffer { &mut buffers } else { &mut parameters }.push(place);
            }
        });
        let numbers = parameters.iter().enumerate().map(|(number, place)| (place.id, number)).collect();
        Places { parameters, numbers, buffers }
    }

    /// The number of gradients that belong to no parameter here.
    pub fn outside(&self, share: &Share) -> usize {
        share.gradients.parameters().filter(|(id, _)| !self.numbers.contains_key(id)).count()
    }
}

/// What a block holds for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Whole,
    Rows,
}

/// A block of some rank, as described by its first message.
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
    for block in &own.blocks {
        expect_none_outside(places.outside(&block.sum));
    }
    if world.size() == 1 {
        let wrong = || CommunicationError::Disagreement("the parts of a batch are not those from 0 on".to_string());
        if own.blocks.first().is_some_and(|block| block.start != 0) {
            return Err(wrong());
        }
        let share = own.finish(&mut Share::add).ok_or_else(wrong)?;
        let (parameters, updates) = share.gradients.into_parts();
        return Ok(Share { loss: share.loss, gradients: Gradients::of_parts(parameters, updates) });
    }
    let blocks = own.blocks.into_iter().map(OwnBlock::new).collect();
    reduce_blocks(blocks, world, &places, [structure(model), like], None)
}

/// Adds up what all ranks have. `came` holds the results of the [buckets], if they have been exchanged already.
pub(super) fn reduce_blocks(
    mut blocks: Vec<OwnBlock>,
    world: &dyn Communicator,
    places: &Places,
    alike: [u64; 2],
    came: Option<Vec<Vec<Vec<u8>>>>,
) -> Result<Share, CommunicationError> {
    let (announced, loss, updates) = announce(&blocks, world, places, alike)?;
    let mut sums: Vec<Option<Gradient>> = places.parameters.iter().map(|_| None).collect();
    let has = |parameter: usize, content| announced.iter().any(|block| block.contents[parameter] == content);
    let of_rows: Vec<usize> = (0..sums.len()).filter(|&parameter| has(parameter, Content::Rows)).collect();
    let whole = |parameter| has(parameter, Content::Whole) && !has(parameter, Content::Rows);
    let whole: Vec<bool> = (0..sums.len()).map(whole).collect();
    add_whole(&blocks, world, places, &announced, came, &whole, &mut sums)?;
    if !of_rows.is_empty() {
        add_rows(&mut blocks, world, places, &announced, &of_rows, &mut sums)?;
    }
    let found = places.parameters.iter().zip(sums).filter_map(|(place, sum)| Some((place.id, sum?)));
    Ok(Share { loss, gradients: Gradients::of_parts(found.collect(), updates) })
}

/// # Panics
/// If there are gradients of parameters outside the model.
#[track_caller]
pub(super) fn expect_none_outside(outside: usize) {
    assert!(
        outside == 0,
        "all_reduce: {outside} gradients are of parameters outside this model: if the loss depends on several models, \
         pass them as a tuple, `&(&a, &b)`"
    );
}

/// A block of this rank.
pub(super) struct OwnBlock {
    pub start: usize,
    pub len: usize,
    pub loss: f64,
    pub gradients: HashMap<u64, Gradient>,
    pub updates: Vec<Update>,
}

impl OwnBlock {
    pub fn new(Block { start, len, sum: Share { loss, gradients } }: Block<Share>) -> Self {
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

/// Checks that all ranks have the same model, `alike[0]`, and the same random numbers and batch, `alike[1]`.
pub(super) fn expect_alike(world: &dyn Communicator, alike: [u64; 2]) -> Result<(), CommunicationError> {
    expect_same(&world.all_gather(&alike.map(u64::to_le_bytes).concat())?)
}

/// # Errors
/// If messages do not begin with the same two numbers.
fn expect_same(messages: &[Vec<u8>]) -> Result<(), CommunicationError> {
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
    Ok(())
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
    expect_same(&messages)?;
    let mut announced = Vec::new();
    let mut sums: Tree<(f64, Vec<Update>)> = Tree::new();
    let mut add = |left: (f64, Vec<Update>), right: (f64, Vec<Update>)| {
        let mut updates = left.1;
        Update::append(&mut updates, right.1);
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

/// More samples than a batch can have.
const PARTS: usize = u32::MAX as usize;

const OTHER_RANDOMNESS: &str =
    "other random numbers, or another batch (all ranks need the same seed, and must draw the same from it),";

/// A part of the gradient of a parameter.
#[derive(Clone)]
pub(super) struct Piece {
    pub parameter: usize,
    range: Range<usize>,
}

/// The parts of the parameters that are sent together, at most [`BUCKET_SIZE`] numbers, from the last parameter to the
/// first, which is about the order in which a backward pass reaches them.
pub(super) fn buckets(places: &Places) -> Vec<Vec<Piece>> {
    let mut buckets: Vec<Vec<Piece>> = Vec::new();
    let mut free = 0;
    for (parameter, place) in places.parameters.iter().enumerate().rev() {
        let mut start = 0;
        while start < place.len {
            if free == 0 {
                buckets.push(Vec::new());
                free = BUCKET_SIZE;
            }
            let range = start..place.len.min(start + free);
            (start, free) = (range.end, free - range.len());
            buckets.last_mut().expect("there is one").push(Piece { parameter, range });
        }
    }
    buckets
}

/// What a rank adds up of a bucket: its share of every piece.
fn of_rank(bucket: &[Piece], rank: usize, ranks: usize) -> impl Iterator<Item = Piece> {
    bucket.iter().map(move |Piece { parameter, range }| {
        let own = share(range.len(), rank, ranks);
        Piece { parameter: *parameter, range: range.start + own.start..range.start + own.end }
    })
}

/// The pieces of some buckets, with neighbouring ones merged.
fn joined(buckets: &[Vec<Piece>]) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in buckets.iter().flatten() {
        match joined.last_mut() {
            Some(last) if last.parameter == piece.parameter && last.range.end == piece.range.start => {
                last.range.end = piece.range.end;
            }
            _ => joined.push(piece.clone()),
        }
    }
    joined
}

/// Their size in bytes.
fn bytes(pieces: impl Iterator<Item = Piece>, places: &Places) -> usize {
    pieces.map(|piece| piece.range.len() * places.parameters[piece.parameter].element.size()).sum()
}

/// The messages to each rank: its share of a bucket, for every block that has whole gradients there.
pub(super) fn shares_of(bucket: &[Piece], blocks: &[OwnBlock], places: &Places, ranks: usize) -> Vec<Vec<u8>> {
    let to_rank = |rank: usize| {
        let mut writer = Writer::default();
        let has = |block: &OwnBlock, piece: &Piece| {
            matches!(block.gradients.get(&places.parameters[piece.parameter].id), Some(Gradient::Whole(_)))
        };
        // growing large buffers is slow
        let len = |block| bytes(of_rank(bucket, rank, ranks).filter(|piece| has(block, piece)), places);
        writer.bytes.reserve_exact(blocks.iter().map(len).sum());
        for block in blocks {
            for Piece { parameter, range } in of_rank(bucket, rank, ranks) {
                if let Some(Gradient::Whole(values)) = block.gradients.get(&places.parameters[parameter].id) {
                    writer.values(slice(values, range));
                }
            }
        }
        writer.bytes
    };
    (0..ranks).map(to_rank).collect()
}

/// Adds gradients that all ranks have whole or not at all. The results of the buckets may have arrived already.
fn add_whole(
    blocks: &[OwnBlock],
    world: &dyn Communicator,
    places: &Places,
    announced: &[Announced],
    came: Option<Vec<Vec<Vec<u8>>>>,
    whole: &[bool],
    sums: &mut [Option<Gradient>],
) -> Result<(), CommunicationError> {
    let ranks = world.size();
    let needed = |piece: &Piece| whole[piece.parameter];
    let mut came = came.map(Vec::into_iter);
    // before smaller buffers are taken: the pool of buffers has those of the step before
    let mut results: HashMap<usize, AnyStorage> = HashMap::new();
    for (parameter, place) in places.parameters.iter().enumerate().filter(|(parameter, _)| whole[*parameter]) {
        results.insert(parameter, place.element.scratch(place.len));
    }
    for group in buckets(places).chunks(TOGETHER) {
        let pieces = if came.is_some() { group.concat() } else { joined(group) };
        let pieces: Vec<Piece> = pieces.into_iter().filter(needed).collect();
        let own = if let Some(came) = &mut came {
            let mut own = Vec::with_capacity(bytes(of_rank(&pieces, world.rank(), ranks), places));
            for (bucket, incoming) in group.iter().zip(came) {
                own.extend(sum_of_shares(&incoming, world, places, announced, bucket, whole)?);
            }
            own
        } else if !pieces.is_empty() {
            let outgoing = shares_of(&pieces, blocks, places, ranks);
            let incoming = world.exchange(&outgoing.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            drop(outgoing);
            sum_of_shares(&incoming, world, places, announced, &pieces, whole)?
        } else {
            continue;
        };
        for (rank, message) in world.all_gather(&own)?.iter().enumerate() {
            let mut reader = Reader::new(rank, message);
            for Piece { parameter, range } in of_rank(&pieces, rank, ranks) {
                let result = results.get_mut(&parameter).expect("every whole gradient has a place for its sum");
                reader.values(slice_mut(result, range))?;
            }
            reader.end()?;
        }
    }
    for (parameter, sum) in results {
        sums[parameter] = Some(Gradient::Whole(sum));
    }
    Ok(())
}

/// The sums of this rank's shares of the pieces of a bucket, one after the other; `incoming` holds them for all blocks
/// of each rank. Parameters that are not added as a whole are left out.
fn sum_of_shares(
    incoming: &[Vec<u8>],
    world: &dyn Communicator,
    places: &Places,
    announced: &[Announced],
    bucket: &[Piece],
    whole: &[bool],
) -> Result<Vec<u8>, CommunicationError> {
    let mut add = |left, right| add_options(AnyStorage::add, left, right);
    let mut readers = readers(incoming);
    let pieces: Vec<Piece> = of_rank(bucket, world.rank(), world.size()).collect();
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
    let needed = pieces.iter().filter(|piece| whole[piece.parameter]).cloned();
    writer.bytes.reserve_exact(bytes(needed, places));
    for (_, tree) in pieces.iter().zip(trees).filter(|(piece, _)| whole[piece.parameter]) {
        let sum = tree.finish(&mut add).flatten().expect("some block has it");
        writer.values(slice(&sum, 0..len(&sum)));
    }
    Ok(writer.bytes)
}

/// For what each rank sent.
fn readers(messages: &[Vec<u8>]) -> Vec<Reader<'_>> {
    messages.iter().enumerate().map(|(rank, message)| Reader::new(rank, message)).collect()
}

/// Adds gradients of which some rank has only rows.
fn add_rows(
    blocks: &mut [OwnBlock],
    world: &dyn Communicator,
    places: &Places,
    announced: &[Announced],
    of_rows: &[usize],
    sums: &mut [Option<Gradient>],
) -> Result<(), CommunicationError> {
    let mut writer = Writer::default();
    for block in blocks {
        for &parameter in of_rows {
            let place = &places.parameters[parameter];
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
    let mut add = |left, right| add_options(Gradient::add, left, right);
    let mut trees: Vec<Tree<Option<Gradient>>> = of_rows.iter().map(|_| Tree::new()).collect();
    let messages = world.all_gather(&writer.bytes)?;
    let mut readers = readers(&messages);
    for block in announced {
        let reader = &mut readers[block.rank];
        for (&parameter, tree) in of_rows.iter().zip(&mut trees) {
            let place = &places.parameters[parameter];
            let gradient = match block.contents[parameter] {
                Content::Nothing => None,
                Content::Whole => Some(Gradient::Whole(reader.storage(place.element, place.len)?)),
                Content::Rows => Some(Gradient::Rows(read_rows(reader, place)?)),
            };
            tree.push(Block { start: block.start, len: block.len, sum: gradient }, &mut add);
        }
    }
    readers.into_iter().try_for_each(Reader::end)?;
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
