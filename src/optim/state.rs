//! The state of optimizers for each parameter.

use super::snapshot::{Snapshot, SnapshotArray, SnapshotMismatch};
use crate::numbers::{AnyFloat, Family, Float, for_float};
use crate::params::{Kind, Leaf, LeafMut, ParameterPath, Parameters, Values, ValuesMut, Visitor};

/// The arrays of one parameter, of its element type.
pub type Memory = AnyFloat<Arrays>;
pub struct Arrays;
impl Family for Arrays {
    type Of<E: Float> = Vec<Vec<E>>;
}

/// An optimizer's state for one parameter.
#[derive(Clone, Debug)]
pub struct Slot {
    path: String,
    len: usize,
    pub steps: u64,
    pub memory: Memory,
}

impl Slot {
    /// Whether the parameter at this place of the visit is the same as before.
    fn fits(&self, path: &str, values: &Values<'_>) -> bool {
        self.path == path && self.len == values.len() && self.memory.same_type(values)
    }
}

/// An optimizer's state for all parameters, in the order of the visit.
#[derive(Clone, Debug, Default)]
pub struct State {
    slots: Vec<Slot>,
    /// Whether a step has visited a whole model, which then has no other parameters than these.
    complete: bool,
}

impl State {
    /// The slot of parameter number `index` of the visit: made in the first step, and the same one in all others. The
    /// error says which other parameter stands here.
    pub fn slot(&mut self, index: usize, path: &str, leaf: &LeafMut<'_>, arrays: usize) -> Result<&mut Slot, String> {
        let values = match &leaf.values {
            ValuesMut::F32(values) => Values::F32(values),
            ValuesMut::F64(values) => Values::F64(values),
        };
        if index == self.slots.len() && !self.complete {
            let memory = for_float!(values, values => zeros(values, arrays));
            self.slots.push(Slot { path: path.to_string(), len: values.len(), steps: 0, memory });
        }
        match self.slots.get_mut(index) {
            Some(slot) if slot.fits(path, &values) => Ok(slot),
            Some(Slot { path: before, len, .. }) => {
                let now = values.len();
                Err(format!("it remembers `{before}` of {len} numbers, and here comes `{path}` of {now}"))
            }
            None => Err(format!("it remembers {index} parameters, and here comes `{path}` as one more")),
        }
    }

    /// To be called after a visit of `visited` parameters. The error says which one is missing.
    pub fn complete(&mut self, visited: usize) -> Result<(), String> {
        self.complete = true;
        match self.slots.get(visited) {
            Some(missing) => Err(format!("it remembers `{}`, and this model has no such parameter", missing.path)),
            None => Ok(()),
        }
    }

    /// Adds the arrays, whose names are `names`, and the number of steps of each parameter.
    pub fn write_to(&self, names: &[&str], snapshot: &mut Snapshot) {
        for slot in &self.slots {
            snapshot.numbers.push((format!("steps.{}", slot.path), slot.steps as f64));
            let arrays: Vec<SnapshotArray> =
                for_float!(&slot.memory, arrays => arrays.iter().map(|array| array_of(array)).collect());
            let named = names.iter().zip(arrays).map(|(name, array)| (format!("{name}.{}", slot.path), array));
            snapshot.arrays.extend(named);
        }
    }

    /// The state in a snapshot for the parameters of `model`.
    pub fn read_from<M: Parameters + ?Sized>(
        snapshot: &Snapshot,
        names: &[&str],
        model: &M,
    ) -> Result<Self, SnapshotMismatch> {
        if !snapshot.numbers.iter().any(|(name, _)| name.starts_with("steps.")) {
            // taken before the first step
            return Ok(State::default());
        }
        let mut reader = Reader { snapshot, names, slots: Vec::new(), wrong: None };
        model.visit(&mut ParameterPath::default(), &mut reader);
        if let Some(wrong) = reader.wrong {
            return Err(wrong);
        }
        let (expected, found) = (reader.slots.len() * names.len(), snapshot.arrays.len());
        if expected != found {
            let message = format!(
                "the snapshot has {found} arrays, and this optimizer needs {expected} for this model: \
                 it is of another optimizer or another model"
            );
            return Err(SnapshotMismatch::new(message));
        }
        Ok(State { slots: reader.slots, complete: true })
    }
}

struct Reader<'a> {
    snapshot: &'a Snapshot,
    names: &'a [&'a str],
    slots: Vec<Slot>,
    wrong: Option<SnapshotMismatch>,
}

impl Visitor for Reader<'_> {
    fn leaf(&mut self, path: &str, leaf: Leaf<'_>) {
        if leaf.kind == Kind::Parameter && self.wrong.is_none() {
            match self.slot(path, &leaf) {
                Ok(slot) => self.slots.push(slot),
                Err(wrong) => self.wrong = Some(wrong),
            }
        }
    }
}

impl Reader<'_> {
    fn slot(&self, path: &str, leaf: &Leaf<'_>) -> Result<Slot, SnapshotMismatch> {
        let len = leaf.values.len();
        let memory = for_float!(leaf.values, values => self.arrays(path, values)?);
        Ok(Slot { path: path.to_string(), len, steps: self.snapshot.whole(&format!("steps.{path}"))?, memory })
    }

    /// The arrays of a parameter with these values.
    fn arrays<E: Float>(&self, path: &str, values: &[E]) -> Result<Memory, SnapshotMismatch> {
        let (len, element) = (values.len(), E::NAME);
        let array = |name: &&str| {
            let name = format!("{name}.{path}");
            let found = self.snapshot.arrays.iter().find(|(found, _)| *found == name);
            let Some((_, found)) = found else {
                return Err(SnapshotMismatch::new(format!("the snapshot has no array `{name}`")));
            };
            let fitting = E::unwrap(found.clone()).filter(|values| values.len() == len);
            fitting.ok_or_else(|| {
                let message = format!(
                    "the snapshot's `{name}` has {}, and the model's `{path}` has {len} numbers of type {element}",
                    found.describe()
                );
                SnapshotMismatch::new(message)
            })
        };
        Ok(E::wrap(self.names.iter().map(array).collect::<Result<_, _>>()?))
    }
}

/// As many arrays of zeros as `arrays` says, as long as `like`.
fn zeros<E: Float>(like: &[E], arrays: usize) -> Memory {
    E::wrap(vec![vec![E::zero(); like.len()]; arrays])
}

fn array_of<E: Float>(array: &[E]) -> SnapshotArray {
    E::wrap(array.to_vec())
}
