//! Models with inputs and outputs, as files for `check.py`.

use rand::RngExt;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use taut::onnx::{ExportOnnx, Graph, Signature, Value};
use taut::params::{Kind, Values, ValuesMut};
use taut::prelude::*;

/// Standard normal numbers.
pub fn random<S: Shape>(shape: S, rng: &mut StdRng) -> Tensor<S> {
    Tensor::normal_with(shape, 0.0, 1.0, rng)
}

/// What is written about inputs and outputs.
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
    /// How often each model runs: with other sizes, where they are known only at run time. A model that never runs is
    /// only checked.
    pub runs: usize,
}

impl Cases {
    pub fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Cases { folder, list: Vec::new(), rng: StdRng::seed_from_u64(7), runs: 3 }
    }

    /// A model with these inputs.
    pub fn model<M, X>(&mut self, name: &str, model: &M, input: impl Fn(&mut StdRng) -> X)
    where
        M: ExportOnnx<X, Output: Signature + Listed> + Parameters,
        X: Signature + Listed,
    {
        model.export_onnx::<X>(self.folder.join(format!("{name}.onnx"))).unwrap();
        let mut runs = Vec::new();
        for _ in 0..self.runs {
            let x = input(&mut self.rng);
            let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
            x.list(&mut inputs);
            model.forward(x).list(&mut outputs);
            runs.push(json!({ "inputs": inputs, "outputs": outputs }));
        }
        // recurrent layers have their gates in another order, under other names, and spectral norms the quotient
        let changed = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "u", "v", "layer.weight"];
        let (mut names, mut places) = (Vec::new(), Vec::new());
        model.for_each_parameter(|name, leaf| {
            let last = name.rsplit('.').next().unwrap_or(name);
            let place = match leaf.values {
                Values::F32(values) => values.as_ptr() as usize,
                Values::F64(values) => values.as_ptr() as usize,
            };
            // a shared one has its first name
            if !changed.iter().any(|changed| last.starts_with(changed) || name.ends_with(changed))
                && !places.contains(&place)
            {
                places.push(place);
                names.push(name.to_string());
            }
        });
        self.list.push(json!({ "name": name, "names": names, "runs": runs }));
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
            // positive, like variances; and the vectors of a spectral norm have length 1
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

    /// Writes the list and has everything checked.
    pub fn check(self) {
        std::fs::write(self.folder.join("cases.json"), Json::from(self.list).to_string()).unwrap();
        super::check(&self.folder);
    }
}

/// Maxima of windows, put back where they were: a module written by hand.
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
        let (maxima, places) = MaxPool2d::<K, S, P>.forward_with_indices(x);
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

/// A language model that generates: one letter and the state in, the scores of the next letter and the state out.
#[derive(Init, Parameters)]
pub struct OneLetter {
    letters: Embedding<65, 8>,
    memory: Lstm<8, 12>,
    output: Linear<12, 65>,
}

type State<B> = [LstmState<B, Const<12>>; 1];

impl<B: Dim> Module<(Tensor<(B, Const<1>), usize>, State<B>)> for OneLetter {
    type Output = (Tensor<(B, Const<65>)>, State<B>);
    fn apply(&self, (letter, state): (Tensor<(B, Const<1>), usize>, State<B>)) -> Self::Output {
        let (y, state) = self.memory.forward((self.letters.forward(letter), state));
        (self.output.forward(LastStep.forward(y)), state)
    }
}

impl<B: Dim> ExportOnnx<(Tensor<(B, Const<1>), usize>, State<B>)> for OneLetter {
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<(B, Const<1>), usize>, State<B>)>,
    ) -> Value<(Tensor<(B, Const<65>)>, State<B>)> {
        let (letter, state) = x.split();
        let letter = self.letters.export(graph, letter);
        let (y, state) = self.memory.export(graph, Value::from((letter, state))).split();
        let y = LastStep.export(graph, y);
        let scores = self.output.export(graph, y);
        Value::from((scores, state))
    }
}

/// Small images enlarged, each pixel in the corner of its block.
#[derive(Init, Parameters)]
pub struct Corners;

type Corner<N, C> = taut::nn::PoolIndices<N, C, Const<5>, Const<6>, 3, 2, 1>;

impl<N: Dim, C: Dim> Module<Tensor<(N, C, Const<3>, Const<3>)>> for Corners {
    type Output = Tensor<(N, C, Const<5>, Const<6>)>;
    fn apply(&self, x: Tensor<(N, C, Const<3>, Const<3>)>) -> Self::Output {
        let (batch, channels, ..) = x.shape();
        MaxUnpool2d::<3, 2, 1>.forward((x, Corner::corners((batch, channels, Const, Const))))
    }
}

impl<N: Dim, C: Dim> ExportOnnx<Tensor<(N, C, Const<3>, Const<3>)>> for Corners {
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<(N, C, Const<3>, Const<3>)>>,
    ) -> Value<Tensor<(N, C, Const<5>, Const<6>)>> {
        let corners = Corner::export_corners(graph, &x);
        MaxUnpool2d::<3, 2, 1>.export(graph, Value::from((x, corners)))
    }
}
