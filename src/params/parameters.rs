//! Walking over the named parameters of a model.

use crate::memory::Storage;
use crate::numbers::{AnyFloat, Family, Float, Values, ValuesMut};
use crate::shape::show_sizes;
use std::marker::PhantomData;

/// What holds parameters: layers, and models made of them.
///
/// Derive it with `#[derive(Parameters)]`: each field adds its name to the path, tuples add the index, `Box` and other
/// wrappers nothing. So the names are those of a PyTorch `state_dict`: `0.weight`, `hidden.0.bias`. A map adds its
/// keys. `#[parameters(name = "..")]` renames a field in files, `#[parameters(skip)]` leaves out one that holds none.
///
/// Implement it by hand where names or order differ from the fields'. Both methods must visit the same parts in the
/// same order:
///
/// ```
/// use taut::params::{ParameterPath, Visitor, VisitorMut};
/// use taut::prelude::*;
///
/// /// An encoder and a decoder with one embedding, which is saved once, as `shared.weight`.
/// struct Translator {
///     words: Embedding<1000, 16>,
///     layers: Vec<Linear<16, 16>>,
/// }
///
/// impl Parameters for Translator {
///     fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
///         path.at("shared", |path| self.words.visit(path, visitor));
///         for (i, layer) in self.layers.iter().enumerate() {
///             path.at(&format!("layer{i}"), |path| layer.visit(path, visitor));
///         }
///     }
///     fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
///         path.at("shared", |path| self.words.visit_mut(path, visitor));
///         for (i, layer) in self.layers.iter_mut().enumerate() {
///             path.at(&format!("layer{i}"), |path| layer.visit_mut(path, visitor));
///         }
///     }
/// }
///
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = Translator { words: Embedding::init(&mut rng), layers: vec![Linear::init(&mut rng)] };
/// let mut names = Vec::new();
/// model.for_each_parameter(|name, _| names.push(name.to_string()));
/// assert_eq!(names, ["shared.weight", "layer0.weight", "layer0.bias"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its parameters are",
    note = "layers do, and tuples of up to 16 of them, lists, maps and options; a struct does with \
            `#[derive(Init, Module, Parameters)]`, where `#[parameters(skip)]` leaves out a field that holds none"
)]
pub trait Parameters {
    /// Shows every parameter and buffer to `visitor`, in a fixed order.
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor);
    /// The mutable version.
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut);

    /// Calls `f` with the name and contents of every parameter and buffer.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Linear<2, 3>, Relu, Linear<3, 1>)>::init(&mut StdRng::seed_from_u64(0));
    /// let mut names = Vec::new();
    /// model.for_each_parameter(|path, leaf| names.push(format!("{path} {:?}", leaf.sizes)));
    /// assert_eq!(names, ["0.weight [3, 2]", "0.bias [3]", "2.weight [1, 3]", "2.bias [1]"]);
    /// ```
    fn for_each_parameter<F: FnMut(&str, Leaf<'_>)>(&self, mut f: F)
    where
        Self: Sized,
    {
        each_parameter(self, &mut f);
    }

    /// Calls `f` with the name and contents of every parameter and buffer, for changing them.
    ///
    /// # Panics
    /// If a part of the model is behind an `Arc` or `Rc` that others hold, too.
    #[track_caller]
    fn for_each_parameter_mut<F: FnMut(&str, LeafMut<'_>)>(&mut self, mut f: F)
    where
        Self: Sized,
    {
        each_parameter_mut(self, &mut f);
    }

    /// The number of trained numbers.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Linear<784, 128>, Relu, Linear<128, 10>)>::init(&mut StdRng::seed_from_u64(0));
    /// assert_eq!(model.parameter_count(), 784 * 128 + 128 + 128 * 10 + 10);
    /// ```
    fn parameter_count(&self) -> usize
    where
        Self: Sized,
    {
        let mut count = 0;
        self.for_each_parameter(|_, leaf| {
            if leaf.kind == Kind::Parameter {
                count += leaf.values.len();
            }
        });
        count
    }
}

/// Calls `f` with every parameter and buffer of any model, also a `&dyn Parameters`: code that takes models so is
/// compiled once for all of them.
pub(crate) fn each_parameter<M: Parameters + ?Sized>(model: &M, f: &mut dyn FnMut(&str, Leaf<'_>)) {
    struct Each<'a>(&'a mut dyn FnMut(&str, Leaf<'_>));
    impl Visitor for Each<'_> {
        fn leaf(&mut self, path: &str, leaf: Leaf<'_>) {
            (self.0)(path, leaf);
        }
    }
    model.visit(&mut ParameterPath::default(), &mut Each(f));
}

/// The mutable version.
///
/// # Panics
/// At the caller's line, if the model is shared.
#[track_caller]
pub(crate) fn each_parameter_mut(model: &mut dyn Parameters, f: &mut dyn FnMut(&str, LeafMut<'_>)) {
    struct Each<'a>(&'a mut dyn FnMut(&str, LeafMut<'_>));
    impl VisitorMut for Each<'_> {
        fn leaf(&mut self, path: &str, leaf: LeafMut<'_>) {
            (self.0)(path, leaf);
        }
    }
    let mut path = ParameterPath::default();
    model.visit_mut(&mut path, &mut Each(f));
    path.finish();
}

/// What a [`Leaf`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Trained and saved.
    Parameter,
    /// Saved, not trained: the running statistics of batch norm.
    Buffer,
    /// A parameter that is saved but not trained.
    Frozen,
}

/// The buffer of a parameter, of which a visitor may keep a share.
pub(crate) type StorageRef<'a> = AnyFloat<StorageRefs<'a>>;
pub struct StorageRefs<'a>(PhantomData<&'a ()>);
impl<'a> Family for StorageRefs<'a> {
    type Of<E: Float> = &'a Storage<E>;
}

/// One parameter or buffer of a model.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// Parameter, buffer, or frozen.
    pub kind: Kind,
    /// The number by which gradients know it.
    pub(crate) id: u64,
    /// The size of each dimension.
    pub sizes: &'a [usize],
    /// The numbers, in row-major order.
    pub values: Values<'a>,
    /// The same, as a buffer.
    pub(crate) storage: StorageRef<'a>,
}

/// One parameter or buffer of a model, for changing.
#[derive(Debug)]
pub struct LeafMut<'a> {
    /// Parameter, buffer, or frozen.
    pub kind: Kind,
    /// The number by which gradients know it.
    pub(crate) id: u64,
    /// The size of each dimension.
    pub sizes: &'a [usize],
    /// The numbers, in row-major order.
    pub values: ValuesMut<'a>,
}

/// Sees the parameters of a model. See [`Parameters::visit`].
pub trait Visitor {
    /// Called for each.
    fn leaf(&mut self, path: &str, leaf: Leaf<'_>);
}

/// Changes the parameters of a model. See [`Parameters::visit_mut`].
pub trait VisitorMut {
    /// Called for each.
    fn leaf(&mut self, path: &str, leaf: LeafMut<'_>);
}

/// Where in a model a visitor is.
#[derive(Debug, Default)]
pub struct ParameterPath {
    text: String,
    frozen: bool,
    /// Something in the model could not be changed, at this path.
    shared: Option<String>,
}

// A visit whose outcome nobody checked must not silently leave a model half changed.
impl Drop for ParameterPath {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.finish();
        }
    }
}

impl ParameterPath {
    /// Visits what is under `name` here.
    pub fn at<R>(&mut self, name: &str, visit: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.enter(name);
        let result = visit(self);
        self.leave(length);
        result
    }

    fn enter(&mut self, name: &str) -> usize {
        let length = self.text.len();
        if length > 0 {
            self.text.push('.');
        }
        self.text.push_str(name);
        length
    }

    fn leave(&mut self, length: usize) {
        self.text.truncate(length);
    }

    /// Visits something whose parameters are frozen.
    pub fn frozen<R>(&mut self, visit: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.frozen, true);
        let result = visit(self);
        self.frozen = outer;
        result
    }

    /// The names so far, joined by dots.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Notes that what is here cannot be changed.
    pub(crate) fn is_shared(&mut self) {
        if self.shared.is_none() {
            self.shared = Some(self.text.clone());
        }
    }

    /// Panics at the caller's line if something could not be changed.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        if let Some(path) = self.shared.take() {
            let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            panic!(
                "the model is shared{place}: parameters behind an `Arc` or `Rc` that others hold cannot be changed. \
                 Drop the others first, or train a clone of the model that is in it"
            );
        }
    }

    /// What a parameter is here.
    pub(crate) fn parameter_kind(&self) -> Kind {
        if self.frozen { Kind::Frozen } else { Kind::Parameter }
    }
}

impl std::fmt::Display for Leaf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.kind, show_sizes(self.sizes))
    }
}
