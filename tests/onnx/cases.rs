//! Models with inputs and outputs, as files for `check.py`.

use rand::RngExt;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use taut::onnx::{ExportOnnx, Graph, Signature, Value};
use taut::params::{Kind, ValuesMut};
use taut::prelude::*;

/// Standard normal numbers.
pub fn random<S: Shape>(shape: S, rng: &mut StdRng) -> Tensor<S> {
    Tensor::normal_with(shape, 0.0, 1.0, rng)
}

/// What is written of inputs and outputs.
pub trait Listed {
    /// Each tensor, in the order of the graph.
    fn list(&self, list: &mut Vec<Json>);
}

macro_rules! listed {
    ($($element:ident)*) => { $(
        impl<S: Shape> Listed for Tensor<S, $element> {
            fn list(&self, list: &mut Vec<Json>) {
                let sizes = self.shape().sizes();
                list.push(json!({
                    "type": stringify!($element),
                    "sizes": sizes.as_ref(),
                    "values": self.to_vec(),
                }));
            }
        }
    )* };
}
listed! { f32 f64 usize }

impl<A: Listed, B: Listed> Listed for (A, B) {
    fn list(&self, list: &mut Vec<Json>) {
        self.0.list(list);
        self.1.list(list);
    }
}
impl<A: Listed, B: Listed, C: Listed> Listed for (A, B, C) {
    fn list(&self, list: &mut Vec<Json>) {
        self.0.list(list);
        self.1.list(list);
        self.2.list(list);
    }
}
impl<X: Listed, const N: usize> Listed for [X; N] {
    fn list(&self, list: &mut Vec<Json>) {
        self.iter().for_each(|x| x.list(list));
    }
}
impl<B: Dim, H: Dim> Listed for LstmState<B, H> {
    fn list(&self, list: &mut Vec<Json>) {
        self.hidden.list(list);
        self.cell.list(list);
    }
}

/// The cases of one folder.
pub struct Cases {
    folder: PathBuf,
    list: Vec<Json>,
    rng: StdRng,
}

/// For sizes known only at run time, each run has others.
const RUNS: usize = 3;

impl Cases {
    pub fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Cases { folder, list: Vec::new(), rng: StdRng::seed_from_u64(7) }
    }

    /// A model with these inputs.
    pub fn model<M, X>(&mut self, name: &str, model: &M, input: impl Fn(&mut StdRng) -> X)
    where
        M: ExportOnnx<X, Output: Signature + Listed> + Parameters,
        X: Signature + Listed,
    {
        model.export_onnx::<X>(self.folder.join(format!("{name}.onnx"))).unwrap();
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let x = input(&mut self.rng);
            let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
            x.list(&mut inputs);
            model.forward(x).list(&mut outputs);
            runs.push(json!({ "inputs": inputs, "outputs": outputs }));
        }
        self.list.push(json!({ "name": name, "names": [], "runs": runs }));
    }

    /// A layer with random parameters, also those that `init` sets to 0 or 1.
    pub fn layer<M, X>(&mut self, name: &str, input: impl Fn(&mut StdRng) -> X)
    where
        M: ExportOnnx<X, Output: Signature + Listed> + Parameters + Init,
        X: Signature + Listed,
    {
        let mut model = M::init(&mut self.rng);
        let rng = &mut self.rng;
        model.for_each_parameter_mut(|path, leaf| {
            // positive, as variances are; and a spectral norm's vectors have length 1
            let positive = leaf.kind == Kind::Buffer;
            if path.ends_with('u') || path.ends_with('v') {
                return;
            }
            let mut moved = |x: f64| {
                let x = x + rng.random_range(-0.4..0.4);
                if positive { x.abs() + 0.1 } else { x }
            };
            match leaf.values {
                ValuesMut::F32(values) => values.iter_mut().for_each(|x| *x = moved(f64::from(*x)) as f32),
                ValuesMut::F64(values) => values.iter_mut().for_each(|x| *x = moved(*x)),
            }
        });
        self.model(name, &model, input);
    }

    /// Writes the list, and has all checked.
    pub fn check(self) {
        std::fs::write(self.folder.join("cases.json"), Json::from(self.list).to_string()).unwrap();
        super::check(&self.folder);
    }
}

/// The maxima of windows, where they were: a module written by hand.
#[derive(Init, Parameters)]
pub struct Unpooled<const K: usize, const S: usize, const P: usize>;

impl<N: Dim, C: Dim, H: Dim, W: Dim, const K: usize, const S: usize, const P: usize> Module<Tensor<(N, C, H, W)>>
    for Unpooled<K, S, P>
where
    H: taut::shape::Window<K, S, P>,
    W: taut::shape::Window<K, S, P>,
    Const<K>: taut::shape::PoolPadding<P>,
{
    type Output = Tensor<(N, C, H, W)>;
    fn apply(&self, x: Tensor<(N, C, H, W)>) -> Self::Output {
        let (maxima, places) = MaxPool2d::<K, S, P>.with_indices(x);
        MaxUnpool2d::<K, S, P>.forward((maxima, places))
    }
}

impl<N: Dim, C: Dim, H: Dim, W: Dim, const K: usize, const S: usize, const P: usize> ExportOnnx<Tensor<(N, C, H, W)>>
    for Unpooled<K, S, P>
where
    H: taut::shape::Window<K, S, P>,
    W: taut::shape::Window<K, S, P>,
    Const<K>: taut::shape::PoolPadding<P>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<(N, C, H, W)>>) -> Value<Tensor<(N, C, H, W)>> {
        let (maxima, places) = MaxPool2d::<K, S, P>.export_with_indices(graph, x);
        MaxUnpool2d::<K, S, P>.export(graph, Value::from((maxima, places)))
    }
}
