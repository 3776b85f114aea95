//! What the tests share: values computed by PyTorch (see `tests/pytorch/generate.py`), and random shapes.

// each test program uses a part of this
#![allow(dead_code, unused_imports, unused_macros)]

// written against the public interface, so that unit tests and the programs here run the same code
#[path = "../../src/ops/testing.rs"]
pub mod testing;

use approx::relative_eq;
use serde_json::Value;
use taut::params::{Values, ValuesMut};
use taut::prelude::*;

/// How far f32 results may be from PyTorch's in f64, relative to the larger of the result and 1: some roundings.
pub const F32: f64 = 2e-6;
/// The same for f64: the files hold 12 digits.
pub const F64: f64 = 1e-11;

/// Numbers in -1..1 that both sides can compute: see `hashed` in `tests/pytorch/generate.py`.
pub fn hashed(place: usize, i: usize) -> f64 {
    let mut z = (i as u64 + ((place as u64) << 32) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
}

/// One computation that PyTorch did.
pub struct Case {
    topic: String,
    value: Value,
}

/// All cases of `tests/pytorch/values/TOPIC.json`.
pub fn cases(topic: &str) -> Vec<Case> {
    let path = format!("{}/tests/pytorch/values/{topic}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let values: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    values.into_iter().map(|value| Case { topic: topic.to_string(), value }).collect()
}

/// The case of this name.
pub fn case(topic: &str, name: &str) -> Case {
    let found = cases(topic).into_iter().find(|case| case.name() == name);
    found.unwrap_or_else(|| panic!("no case {name} in {topic}"))
}

impl Case {
    pub fn name(&self) -> &str {
        self.value["name"].as_str().expect("every case has a name")
    }

    /// Input number `index`.
    pub fn input<S: Shape, E: Entry>(&self, index: usize) -> Tensor<S, E> {
        self.tensor(&format!("input {index}"), &self.value["inputs"][index])
    }

    /// The numbers of the output.
    pub fn output(&self) -> Vec<f64> {
        self.parts("the output", &self.value["output"]).1
    }

    /// The names and sizes of a model's parameters, in PyTorch's order.
    pub fn names(&self) -> Vec<(String, Vec<usize>)> {
        serde_json::from_value(self.value["names"].clone()).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// A parameter that is a number.
    pub fn parameter(&self, name: &str) -> f64 {
        number(&self.value["parameters"][name]).unwrap_or_else(|| panic!("{self}: no parameter {name}"))
    }

    /// A parameter that is a tensor.
    pub fn parameter_tensor<S: Shape, E: Entry>(&self, name: &str) -> Tensor<S, E> {
        self.tensor(name, &self.value["parameters"][name])
    }

    /// Whether there is a parameter of this name.
    pub fn has_parameter(&self, name: &str) -> bool {
        !self.value["parameters"][name].is_null()
    }

    /// The numbers of a parameter that is a tensor of these sizes.
    pub fn parameter_values(&self, name: &str, sizes: &[usize]) -> Vec<f64> {
        let (found, values) = self.parts(name, &self.value["parameters"][name]);
        assert_eq!(found, sizes, "{self}: the shape of {name}");
        values
    }

    /// The gradient that arrives at the output.
    pub fn upstream<S: Shape, E: Entry>(&self) -> Tensor<S, E> {
        self.tensor("upstream", &self.value["upstream"])
    }

    /// Compares the output.
    #[track_caller]
    pub fn expect_output<S: Shape, E: Entry, T: Trace>(&self, y: &Tensor<S, E, T>, tolerance: f64) {
        self.expect("the output", &self.value["output"], y, tolerance);
    }

    /// Compares the gradient of input number `index`.
    #[track_caller]
    pub fn expect_gradient<S: Shape, E: Float + Entry>(&self, index: usize, gradient: &Tensor<S, E>, tolerance: f64) {
        self.expect(&format!("the gradient of input {index}"), &self.value["gradients"][index], gradient, tolerance);
    }

    /// Compares a tensor with the parameter of this name, such as running statistics after a step.
    #[track_caller]
    pub fn expect_parameter<S: Shape, E: Entry>(&self, name: &str, found: &Tensor<S, E>, tolerance: f64) {
        self.expect(name, &self.value["parameters"][name], found, tolerance);
    }

    /// Sets all parameters of a model to those of the case.
    pub fn fill<M: Parameters>(&self, model: &mut M) {
        model.for_each_parameter_mut(|name, leaf| {
            let expected = self.parameter_values(&format!("weight {name}"), leaf.sizes);
            match leaf.values {
                ValuesMut::F32(values) => values.iter_mut().zip(expected).for_each(|(value, x)| *value = x as f32),
                ValuesMut::F64(values) => values.copy_from_slice(&expected),
            }
        });
    }

    /// Compares the gradients of all parameters: from zeros, a step with learning rate 1 leads to minus the gradient.
    pub fn expect_gradients<M: Parameters>(&self, model: &mut M, gradients: &Gradients, tolerance: f64) {
        model.for_each_parameter_mut(|_, leaf| match leaf.values {
            ValuesMut::F32(values) => values.fill(0.0),
            ValuesMut::F64(values) => values.fill(0.0),
        });
        let config = SgdConfig { learning_rate: 1.0, momentum: Momentum::None, ..Default::default() };
        Sgd::new(config).step(model, gradients);
        model.for_each_parameter(|name, leaf| {
            let found: Vec<f64> = match leaf.values {
                Values::F32(values) => values.iter().map(|&x| -f64::from(x)).collect(),
                Values::F64(values) => values.iter().map(|&x| -x).collect(),
            };
            let expected = self.parameter_values(&format!("gradient of {name}"), leaf.sizes);
            for (i, (found, expected)) in found.into_iter().zip(expected).enumerate() {
                let close = relative_eq!(found, expected, epsilon = tolerance, max_relative = tolerance);
                assert!(close, "{self}: gradient {i} of {name} is {found}, and PyTorch has {expected}");
            }
        });
    }

    /// Runs `f` on the first inputs, as many as `I` has, and compares the output and the gradients of these inputs.
    ///
    /// ```ignore
    /// case.check::<(Tensor<Rank2<3, 5>, f32>,), _, _>(F32, |(x,)| x.sigmoid());
    /// ```
    #[track_caller]
    pub fn check<I: CaseInputs, O: Shape, E: Float + Entry>(
        &self,
        tolerance: f64,
        f: impl FnOnce(I::Watched) -> Tensor<O, E, Traced<Training>>,
    ) {
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let watched = I::watch(self, &tape);
        let y = f(I::copy(&watched));
        self.expect_output(&y, tolerance);
        let gradients = y.vector_jacobian(self.upstream());
        I::expect_gradients(self, &watched, &gradients, tolerance);
    }

    fn tensor<S: Shape, E: Entry>(&self, what: &str, value: &Value) -> Tensor<S, E> {
        let (sizes, values) = self.parts(what, value);
        let shape = S::from_sizes(&sizes)
            .unwrap_or_else(|| panic!("{self}: {what} has the shape {sizes:?}, not {}", std::any::type_name::<S>()));
        let values = values.into_iter().map(E::entry).collect();
        Tensor::from_vec(values, shape).unwrap_or_else(|error| panic!("{self}: {what}: {error}"))
    }

    fn parts(&self, what: &str, value: &Value) -> (Vec<usize>, Vec<f64>) {
        let list = |name: &str| value[name].as_array().unwrap_or_else(|| panic!("{self}: no {what}"));
        let sizes = list("shape").iter().map(|size| size.as_u64().expect("a size") as usize).collect();
        let values = list("values").iter().map(|value| number(value).expect("a number")).collect();
        (sizes, values)
    }

    #[track_caller]
    fn expect<S: Shape, E: Entry, T: Trace>(&self, what: &str, value: &Value, found: &Tensor<S, E, T>, tolerance: f64) {
        let (sizes, expected) = self.parts(what, value);
        assert_eq!(found.shape().sizes().as_ref(), sizes, "{self}: the shape of {what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let found = found.as_number();
            let close = relative_eq!(found, expected, epsilon = tolerance, max_relative = tolerance);
            let same = found == expected || (found.is_nan() && expected.is_nan());
            assert!(close || same, "{self}: {what}, element {i}, is {found}, and PyTorch has {expected}");
        }
    }
}

impl std::ops::Index<&str> for Case {
    type Output = Value;
    fn index(&self, name: &str) -> &Value {
        &self.value[name]
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.topic, self.name())
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(), // nan, inf, -inf
        other => other.as_f64(),
    }
}

/// The element types, from and to the numbers in the files.
pub trait Entry: Element {
    fn entry(number: f64) -> Self;
    fn as_number(self) -> f64;
}
impl Entry for f32 {
    fn entry(number: f64) -> f32 {
        number as f32
    }
    fn as_number(self) -> f64 {
        f64::from(self)
    }
}
impl Entry for f64 {
    fn entry(number: f64) -> f64 {
        number
    }
    fn as_number(self) -> f64 {
        self
    }
}
impl Entry for usize {
    fn entry(number: f64) -> usize {
        number as usize
    }
    fn as_number(self) -> f64 {
        self as f64
    }
}
impl Entry for bool {
    fn entry(number: f64) -> bool {
        number != 0.0
    }
    fn as_number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

/// A tuple of tensors: the first inputs of a case.
pub trait CaseInputs {
    type Watched;
    fn watch(case: &Case, tape: &Tape<Training>) -> Self::Watched;
    fn copy(watched: &Self::Watched) -> Self::Watched;
    fn expect_gradients(case: &Case, watched: &Self::Watched, gradients: &Gradients, tolerance: f64);
}
macro_rules! case_inputs {
    ($(($($index:tt $shape:ident $element:ident),+))*) => { $(
        impl<$($shape: Shape, $element: Float + Entry),+> CaseInputs for ($(Tensor<$shape, $element>,)+) {
            type Watched = ($(Tensor<$shape, $element, Traced<Training>>,)+);
            fn watch(case: &Case, tape: &Tape<Training>) -> Self::Watched {
                ($(tape.watch(case.input::<$shape, $element>($index)),)+)
            }
            fn copy(watched: &Self::Watched) -> Self::Watched {
                ($(watched.$index.clone(),)+)
            }
            #[track_caller]
            fn expect_gradients(case: &Case, watched: &Self::Watched, gradients: &Gradients, tolerance: f64) {
                $(case.expect_gradient($index, &gradients.of_input(&watched.$index), tolerance);)+
            }
        }
    )* };
}
case_inputs! {
    (0 A E)
    (0 A E, 1 B F)
    (0 A E, 1 B F, 2 C G)
    (0 A E, 1 B F, 2 C G, 3 D H)
    (0 A E, 1 B F, 2 C G, 3 D H, 4 I J)
}
