//! A table of a model's layers.

use super::{Forward, Module};
use crate::params::{Kind, Leaf, ParameterPath, Parameters, Visitor};
use crate::shape::StaticShape;
use crate::tape::{LayerNote, layers_of};
use crate::tensor::Tensor;
use std::collections::HashMap;
use std::fmt;

/// Summaries of models. See [`summary`](Summarize::summary).
pub trait Summarize {
    /// A table of the layers of this model, for an input of shape `S`: their output shapes, parameters and
    /// multiply-adds. Print it with `{}`. A model that begins with an embedding takes indices, not numbers: see
    /// [`summary_for`](Self::summary_for).
    ///
    /// The model runs once, on zeros, in its own thread. Every layer that calls no others has a row, wherever it is: in
    /// a tuple, in a field, in a custom module. A custom module has a row too if it uses parameters or multiplies
    /// matrices itself.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Linear<784, 128>, Relu, Linear<128, 10>)>::init(&mut StdRng::seed_from_u64(0));
    /// let summary = model.summary::<Rank2<1, 784>>();
    /// assert_eq!(summary.trained, 784 * 128 + 128 + 128 * 10 + 10);
    /// assert_eq!(summary.multiply_adds, 784 * 128 + 128 * 10);
    /// println!("{summary}");
    /// # assert_eq!(format!("{summary}"), "\
    /// # name   layer             output    parameters  multiply-adds
    /// # ------------------------------------------------------------
    /// # 0      Linear<784, 128>  (1, 128)     100,480        100,352
    /// #        Relu              (1, 128)           0              0
    /// # 2      Linear<128, 10>   (1, 10)        1,290          1,280
    /// # ------------------------------------------------------------
    /// # total                                 101,770        101,632");
    /// ```
    ///
    /// prints
    ///
    /// ```text
    /// name   layer             output    parameters  multiply-adds
    /// ------------------------------------------------------------
    /// 0      Linear<784, 128>  (1, 128)     100,480        100,352
    ///        Relu              (1, 128)           0              0
    /// 2      Linear<128, 10>   (1, 10)        1,290          1,280
    /// ------------------------------------------------------------
    /// total                                 101,770        101,632
    /// ```
    #[track_caller]
    fn summary<S: StaticShape>(&self) -> Summary
    where
        Self: Module<Tensor<S>> + Parameters + Sync,
    {
        self.summary_for(Tensor::zeros())
    }

    /// The same for any input: another element type, class indices, or several tensors.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Embedding<1000, 16>, Linear<16, 5>)>::init(&mut StdRng::seed_from_u64(0));
    /// assert_eq!(model.summary_for(Tensor::<Rank2<8, 20>, usize>::zeros()).rows[1].output, "(8, 20, 5)");
    /// ```
    ///
    /// # Panics
    /// If a run-time size of `x` is not what a layer takes.
    #[track_caller]
    fn summary_for<X: Send>(&self, x: X) -> Summary
    where
        Self: Module<X> + Parameters + Sync,
    {
        let notes = layers_of(|| {
            let _shapes_are_in_its_type = self.forward(x);
        });
        let mut held = Held::default();
        self.visit(&mut ParameterPath::default(), &mut held);
        let rows: Vec<SummaryRow> = notes.iter().map(|note| row(note, &held.paths)).collect();
        let multiply_adds = rows.iter().map(|row| row.multiply_adds).sum();
        Summary { rows, trained: held.trained, frozen: held.frozen, multiply_adds }
    }
}
impl<M: ?Sized> Summarize for M {}

/// The layers of a model. See [`Summarize::summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a summary is to be printed or read"]
pub struct Summary {
    /// In the order in which they ran.
    pub rows: Vec<SummaryRow>,
    /// The number of trained numbers in the model, whether the run used them or not.
    pub trained: usize,
    /// The number of [frozen](super::Frozen) parameters.
    pub frozen: usize,
    /// The number of multiply-adds.
    pub multiply_adds: u64,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The common prefix of its parameters' names. Empty for a layer without parameters.
    pub name: String,
    /// Its type: `Linear<784, 128>`.
    pub layer: String,
    /// The shape of its output: `(1, 128)`. A run-time dimension is `usize`.
    pub output: String,
    /// The number of numbers in its parameters. A parameter shared by several layers is counted for the first.
    pub parameters: usize,
    /// The number of its multiply-adds.
    pub multiply_adds: u64,
}

/// The parameters of a model.
#[derive(Default)]
struct Held {
    paths: HashMap<u64, String>,
    trained: usize,
    frozen: usize,
}

impl Visitor for Held {
    fn leaf(&mut self, path: &str, leaf: Leaf<'_>) {
        self.paths.insert(leaf.id, path.to_string());
        match leaf.kind {
            Kind::Parameter => self.trained += leaf.values.len(),
            Kind::Frozen => self.frozen += leaf.values.len(),
            Kind::Buffer => {}
        }
    }
}

fn row(note: &LayerNote, paths: &HashMap<u64, String>) -> SummaryRow {
    let mut names = note.parameters.iter().filter_map(|(id, _)| Some(paths.get(id)?.rsplit_once('.')?.0));
    let first = names.next().unwrap_or("");
    SummaryRow {
        name: names.fold(first, common_part).to_string(),
        layer: layer(note.layer),
        output: output(note.output),
        parameters: note.parameters.iter().map(|&(_, count)| count).sum(),
        multiply_adds: note.multiply_adds,
    }
}

/// The common prefix of two paths.
fn common_part<'a>(a: &'a str, b: &str) -> &'a str {
    let (mut end, mut same) = (0, 0);
    for (part, other) in a.split('.').zip(b.split('.')) {
        if part != other {
            break;
        }
        end = same + part.len();
        same = end + 1;
    }
    &a[..end]
}

/// The name of a type without its module path.
fn short(name: &str) -> String {
    let mut short = String::new();
    for part in name.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

/// The position of the bracket that closes the one at the start of `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The arguments between two brackets.
fn arguments(text: &str) -> Vec<&str> {
    let (mut arguments, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.push(text[start..].trim());
    arguments
}

/// A layer's type as a user wrote it: without f32, which is the default, and without types of parameters.
fn layer(name: &str) -> String {
    let name = short(name);
    let Some((base, rest)) = name.split_once('<') else { return name };
    let mut shown = arguments(rest.strip_suffix('>').unwrap_or(rest));
    shown.retain(|&argument| argument != "f32" && !argument.contains(['<', '(', '[']));
    if shown.is_empty() { base.to_string() } else { format!("{base}<{}>", shown.join(", ")) }
}

/// The shapes of the tensors in a type, or the type itself if there is none.
fn output(name: &str) -> String {
    let name = short(name);
    let shapes: Vec<String> = name
        .split("Tensor<")
        .skip(1)
        .filter_map(|tensor| Some(tensor[..=closing(tensor)?].replace("Const<", "").replace('>', "")))
        .collect();
    if shapes.is_empty() { name } else { shapes.join(", ") }
}

/// 12,345
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["name", "layer", "output", "parameters", "multiply-adds"].map(str::to_string);
        let total = |name: &str, parameters: usize, multiply_adds: String| {
            [name.to_string(), String::new(), String::new(), grouped(parameters as u64), multiply_adds]
        };
        let body = self.rows.iter().map(|row| {
            let (parameters, multiply_adds) = (grouped(row.parameters as u64), grouped(row.multiply_adds));
            [row.name.clone(), row.layer.clone(), row.output.clone(), parameters, multiply_adds]
        });
        let mut feet = vec![total("total", self.trained + self.frozen, grouped(self.multiply_adds))];
        if self.frozen > 0 {
            feet.push(total("frozen", self.frozen, String::new()));
        }
        let lines: Vec<[String; 5]> = std::iter::once(head).chain(body).chain(feet).collect();
        let widths: [usize; 5] =
            std::array::from_fn(|i| lines.iter().map(|line| line[i].chars().count()).max().unwrap_or(0));
        let [name, layer, output, parameters, multiply_adds] = widths;
        let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        for (i, line) in lines.iter().enumerate() {
            let [a, b, c, d, e] = line;
            let text = format!("{a:name$}  {b:layer$}  {c:output$}  {d:>parameters$}  {e:>multiply_adds$}");
            match i {
                0 => write!(f, "{text}\n{rule}")?,
                _ if i == self.rows.len() + 1 => write!(f, "\n{rule}\n{}", text.trim_end())?,
                _ => write!(f, "\n{}", text.trim_end())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn rows(summary: &Summary) -> Vec<(&str, &str, &str, usize, u64)> {
        let all = summary.rows.iter();
        all.map(|row| (&*row.name, &*row.layer, &*row.output, row.parameters, row.multiply_adds)).collect()
    }

    #[test]
    fn a_convolutional_network() {
        type LeNet = (
            (Conv2d<1, 6, 5, 1, 2>, Relu, MaxPool2d<2>),
            Flatten,
            Frozen<(Linear<1176, 10>, Relu)>,
            Residual<Linear<10, 10>>,
        );
        let model = LeNet::init(&mut StdRng::seed_from_u64(0));
        let summary = model.summary::<Rank4<2, 1, 28, 28>>();
        let expected = [
            ("0.0", "(2, 6, 28, 28)", 6 * 25 + 6, 2 * 6 * 25 * 28 * 28),
            ("", "(2, 6, 28, 28)", 0, 0),
            ("", "(2, 6, 14, 14)", 0, 0),
            ("", "(2, 1176)", 0, 0),
            ("2.0", "(2, 10)", 11_770, 2 * 11_760),
            ("", "(2, 10)", 0, 0),
            ("3", "(2, 10)", 110, 2 * 100),
        ];
        let found = rows(&summary);
        assert!(found.iter().map(|row| (row.0, row.2, row.3, row.4)).eq(expected), "{found:?}");
        assert_eq!((found[1].1, found[3].1, found[6].1), ("Relu", "Flatten", "Linear<10, 10>"));
        assert!(found[0].1.starts_with("Conv2d<1, 6, 5"), "{}", found[0].1);
        assert_eq!((summary.trained, summary.frozen), (156 + 110, 11_770));
        assert_eq!(summary.multiply_adds, expected.iter().map(|row| row.3).sum::<u64>());
        let text = summary.to_string();
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("frozen  ") && last.ends_with("  11,770"), "{summary}");
    }

    /// Uses a weight of its own, and one layer three times.
    #[derive(Init, Parameters)]
    struct Handmade<const N: usize> {
        own: (Linear<N, N>, Sigmoid),
        mix: Mix<N>,
    }
    #[derive(Parameters)]
    struct Mix<const N: usize>(Param<Rank2<N, N>>);
    impl<const N: usize> Init for Mix<N> {
        fn init<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
            Mix(Tensor::randn(rng).into())
        }
    }
    impl<const N: usize, B: Dim, T: Trace> Module<Tensor<(B, Const<N>), f32, T>> for Handmade<N> {
        type Output = Tensor<(B, Const<N>), f32, T>;
        fn apply(&self, x: Tensor<(B, Const<N>), f32, T>) -> Self::Output {
            let mix = self.mix.0.on(&x);
            let mut x = x;
            for _ in 0..3 {
                x = self.own.0.forward(x);
            }
            self.own.1.forward(x).matmul(mix)
        }
    }

    #[test]
    fn modules_written_by_hand() {
        let model = (Handmade::<4>::init(&mut StdRng::seed_from_u64(0)), Relu);
        let expected = [
            ("0.own.0", "Linear<4, 4>", "(5, 4)", 20, 3 * 5 * 16),
            ("", "Sigmoid", "(5, 4)", 0, 0),
            ("0.mix", "Handmade<4>", "(5, 4)", 16, 5 * 16),
            ("", "Relu", "(5, 4)", 0, 0),
        ];
        assert_eq!(rows(&model.summary::<Rank2<5, 4>>()), expected);
        // run-time sizes
        let summary = model.summary_for(Tensor::zeros_with((5_usize, Const::<4>)));
        assert_eq!(summary.rows[0].output, "(usize, 4)");
        assert_eq!(summary.multiply_adds, 4 * 5 * 16);
    }

    #[test]
    fn a_run_that_panics_leaves_no_trace() {
        let model = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
        let wrong = || model.summary_for(Tensor::zeros_with((2_usize, 4_usize)));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(wrong)).is_err());
        assert_eq!(rows(&model.summary::<Rank1<3>>()), [("", "Linear<3, 2>", "(2,)", 8, 6)]);
    }

    #[test]
    fn names_of_types_are_shortened() {
        assert_eq!(layer("taut::nn::linear::Linear<3, 2, f64, taut::nn::bias::NoBias>"), "Linear<3, 2, f64, NoBias>");
        assert_eq!(layer("a::B<c::D<1>, f32>"), "B");
        assert_eq!(output("(taut::Tensor<(Const<3>,), f32>, (taut::Tensor<(), f64>, u8))"), "(3,), ()");
        assert_eq!(output("alloc::string::String"), "String");
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(common_part("0.first.a", "0.first.b"), "0.first");
        assert_eq!(common_part("0.a", "0"), "0");
        assert_eq!(common_part("10", "1"), "");
    }
}
