//! What a convolutional network looks at: attribution maps for images, and whether they can be trusted.
//!
//!     cargo run --release --example explain_cnn
//!     cargo run --release --example explain_cnn -- --data FOLDER --dataset mnist --load mnist_cnn.safetensors
//!     cargo run --release --example explain_cnn -- --data FOLDER --dataset cifar-10 --load cifar10_cnn.safetensors
//!
//! With `--load` it explains a network that `mnist_cnn` or `cifar10_cnn` saved (`--save`), trained on `--dataset`;
//! otherwise it trains a small one in a minute or less, without a data folder on the 8x8 digits that come with the
//! library.
//!
//! Each method gives a number for each pixel: see [`taut::explain`] for formulas and sources. The pictures go to
//! `out/explain_cnn/`, one sheet for each image, and `index.html` shows them all. What looks right may be wrong, so the
//! program also checks the maps, and prints:
//!
//! * completeness_error: the relative error by which integrated gradients (50 steps) miss the change of the score;
//! * deletion_area: the mean probability of the class while pixels are deleted, the most important ones by integrated
//!   gradients first; compared with a random order and with the centre first. Deleted pixels are black, those of
//!   photographs blurred. Smaller is better. Petsiuk, Das and Saenko, "RISE", 2018;
//! * pointing_game: for two digits side by side, how often the map of one peaks in its half (50% by chance). Zhang et
//!   al., "Top-Down Neural Attention by Excitation Backprop", 2016;
//! * randomised_correlation: how similar the maps remain when the layers are randomised from the top; guided
//!   backpropagation is known to change little. Adebayo et al., "Sanity Checks for Saliency Maps", 2018.

#[macro_use]
#[path = "../common/mod.rs"]
mod common;
mod networks;
mod options;
mod sheet;

use common::{DatasetName, MnistKind, Progress, Recorder, Report, parse};
use networks::{CifarNetwork, LeNet, Network, Small};
use options::Options;
use rand::RngExt;
use serde_json::{Map, Value};
use sheet::{Panel, draw_index, draw_sheet, draw_tiles};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Labels, Normalization, cifar10, digits, mnist};
use taut::explain::checks::{center_map, deletion_area, peak, rank_correlation};
use taut::explain::*;
use taut::optim::{OneCycle, Scheduler};
use taut::prelude::*;

/// The batch size.
pub const BATCH: usize = 64;

/// The number of images for the checks.
const CHECKED: usize = 200;
/// The number of pairs of digits side by side.
const PAIRS: usize = 400;

/// Images of C channels and S x S pixels.
pub type Images<const C: usize, const S: usize> = Tensor<(usize, Const<C>, Const<S>, Const<S>)>;

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        let folder = options.data.folder.as_deref();
        let dataset = match (options.dataset, MnistKind::Mnist.folder(folder)) {
            (Some(dataset), _) => dataset,
            (None, Ok(_)) => DatasetName::Mnist,
            (None, Err(_)) => DatasetName::Digits,
        };
        let name = dataset.to_string();
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        let numbers: Vec<String> = (0..10).map(|class| class.to_string()).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        match dataset {
            DatasetName::Digits => {
                let (images, labels) = digits().whole();
                let images = images.reshape_with((labels.count(), Const::<1>, Const::<8>, Const::<8>));
                let (train, test) = (images, labels).split(0.25, &mut rng);
                let study = Study::new(&name, &numbers, &train, &test, 15, &options);
                let model = study.small(&mut rng)?;
                let game = study.pointing_game(&model, &mut rng);
                study.report(&model, |model| &model.2, &SMALL, first_filters(&model.0.0.0.weight), Some(game), &mut rng)
            }
            DatasetName::Mnist | DatasetName::FashionMnist => {
                let kind = match dataset {
                    DatasetName::Mnist => MnistKind::Mnist,
                    _ => MnistKind::FashionMnist,
                };
                let (train, test) = mnist::load::<Rank3<1, 28, 28>>(kind.folder(folder)?)?;
                let train = train.first(options.data.limit.unwrap_or(train.len()));
                let study = Study::new(&name, &numbers, &train, &test, 2, &options);
                // a file of `mnist_cnn`, or of this program
                if let Some(model) = options.load.as_ref().and_then(|path| LeNet::load(path).ok()) {
                    return study.report(
                        &model,
                        |model| &model.1.0,
                        &LENET,
                        first_filters(&model.0.0.weight),
                        None,
                        &mut rng,
                    );
                }
                let model = study.small(&mut rng)?;
                let game = study.pointing_game(&model, &mut rng);
                study.report(&model, |model| &model.2, &SMALL, first_filters(&model.0.0.0.weight), Some(game), &mut rng)
            }
            DatasetName::Cifar10 => {
                let (train, test) = cifar10::load(cifar10::find(folder)?)?;
                let train = train.first(options.data.limit.unwrap_or(train.len()));
                let study = Study::new(&name, &cifar10::CLASSES, &train, &test, 2, &options);
                if let Some(model) = options.load.as_ref().and_then(|path| CifarNetwork::load(path).ok()) {
                    return study.report(
                        &model,
                        |model| &model.2,
                        &CIFAR,
                        first_filters(&model.0.0.0.weight),
                        None,
                        &mut rng,
                    );
                }
                let model = study.small(&mut rng)?;
                study.report(
                    &model,
                    |model| &model.2,
                    &SMALL_OF_COLOURS,
                    first_filters(&model.0.0.0.weight),
                    None,
                    &mut rng,
                )
            }
        }
    })
}

/// Randomises one part of a model; a list of these does so from the top.
type Randomise<M> = fn(&mut M, &mut StdRng);
const SMALL: [Randomise<Small<1>>; 4] = [
    |model, rng| model.3.1 = Linear::init(rng),
    |model, rng| model.2 = Init::init(rng),
    |model, rng| model.1 = Init::init(rng),
    |model, rng| model.0.0 = Init::init(rng),
];
const SMALL_OF_COLOURS: [Randomise<Small<3>>; 4] = [
    |model, rng| model.3.1 = Linear::init(rng),
    |model, rng| model.2 = Init::init(rng),
    |model, rng| model.1 = Init::init(rng),
    |model, rng| model.0.0 = Init::init(rng),
];
const LENET: [Randomise<LeNet>; 4] = [
    |model, rng| model.4 = Linear::init(rng),
    |model, rng| model.3.0 = Linear::init(rng),
    |model, rng| model.1.0 = Init::init(rng),
    |model, rng| model.0.0 = Init::init(rng),
];
const CIFAR: [Randomise<CifarNetwork>; 4] = [
    |model, rng| model.3.1 = Linear::init(rng),
    |model, rng| model.2 = Init::init(rng),
    |model, rng| model.1 = Init::init(rng),
    |model, rng| model.0 = Init::init(rng),
];

/// What stands for an empty image: black, or for photographs their blur.
fn nothing<const C: usize, const S: usize>(images: Images<C, S>) -> Images<C, S> {
    if C == 1 { Tensor::zeros_with(images.shape()) } else { blur(images, 30) }
}

/// The filters of the first layer as grayscale pictures.
fn first_filters<const O: usize, const I: usize, const K: usize>(
    weight: &Param<Rank4<O, I, K, K>>,
) -> Tensor<(usize, usize, usize)> {
    filters(weight).mean_axis::<1>().reshape_with((O, K, K))
}

/// What is explained, with the normalisation of its images.
struct Study<'a, Train, Test> {
    name: &'a str,
    classes: &'a [&'a str],
    train: &'a Train,
    test: &'a Test,
    epochs: usize,
    normalization: Normalization,
    options: &'a Options,
    start: Instant,
}

/// Images with their classes.
trait Pictures<const C: usize, const S: usize>:
    Dataset<
        Batch<Const<BATCH>> = (Tensor<Rank4<BATCH, C, S, S>>, Tensor<Rank1<BATCH>, usize>),
        Batch<usize> = (Images<C, S>, Labels),
    >
{
}
impl<D, const C: usize, const S: usize> Pictures<C, S> for D where
    D: Dataset<
            Batch<Const<BATCH>> = (Tensor<Rank4<BATCH, C, S, S>>, Tensor<Rank1<BATCH>, usize>),
            Batch<usize> = (Images<C, S>, Labels),
        >
{
}

impl<'a, Train, Test> Study<'a, Train, Test> {
    fn new<const C: usize, const S: usize>(
        name: &'a str,
        classes: &'a [&'a str],
        train: &'a Train,
        test: &'a Test,
        epochs: usize,
        options: &'a Options,
    ) -> Self
    where
        Train: Pictures<C, S>,
        Test: Pictures<C, S>,
    {
        let normalization = Normalization::of_all(train.in_order(1000).map(|(images, _)| images));
        let epochs = options.epochs.unwrap_or(epochs);
        Study { name, classes, train, test, epochs, normalization, options, start: Instant::now() }
    }

    /// A small network, trained or loaded.
    fn small<const C: usize, const S: usize>(&self, rng: &mut StdRng) -> Result<Small<C>, Box<dyn Error>>
    where
        Train: Pictures<C, S>,
        Test: Pictures<C, S>,
        Small<C>: Module<
                Tensor<Rank4<BATCH, C, S, S>, f32, Traced<Training>>,
                Output = Tensor<Rank2<BATCH, 10>, f32, Traced<Training>>,
            >,
    {
        if let Some(path) = &self.options.load {
            let tried = "the networks that a file may be of: with --dataset mnist or fashion-mnist that of mnist_cnn, \
                         with --dataset cifar-10 that of cifar10_cnn, and with each dataset that which \
                         this program saves";
            return Small::load(path).map_err(|error| format!("{error}\n{tried}").into());
        }
        if self.train.len() < BATCH {
            return Err(format!("--limit {}: a batch alone has {BATCH} images", self.train.len()).into());
        }
        let mut model = Small::<C>::init(rng);
        let mut optimizer = Adam::new(AdamConfig { learning_rate: 5e-3, ..Default::default() });
        let steps = (self.epochs * (self.train.len() / BATCH)) as u64;
        let mut scheduler = Scheduler::new(OneCycle { steps, ..Default::default() }, &mut optimizer);
        let mut recorder = Recorder::start::<Options>(&self.options.common, "")?;
        for epoch in 1..=self.epochs {
            let batches = self.train.batches::<BATCH>(rng);
            let mut progress = Progress::new(format!("epoch {epoch}/{}", self.epochs), batches.len());
            for (images, labels) in batches {
                let tape = Tape::training(rng);
                let loss = model.forward(tape.trace(self.normalization.apply(images))).cross_entropy(&labels);
                progress.batch(loss.item(), BATCH);
                optimizer.step(&mut model, &loss.backward());
                scheduler.step(&mut optimizer);
            }
            recorder.log(epoch, [("train/loss", progress.finish(""))])?;
        }
        recorder.last(&model)?;
        if let Some(path) = &self.options.save {
            model.save(path)?;
            println!("the network is in {}", path.display());
        }
        Ok(model)
    }

    /// For two images of different classes side by side, how often the Grad-CAM map of each class peaks in its half.
    fn pointing_game<const S: usize>(&self, model: &Small<1>, rng: &mut StdRng) -> f64
    where
        Test: Pictures<1, S>,
    {
        let (images, labels) = self.test.whole();
        let images = self.normalization.apply(images);
        let mut pairs = Vec::new();
        while pairs.len() < PAIRS {
            let pair = [0, 1].map(|_| rng.random_range(0..labels.count()));
            if labels[[pair[0]]] != labels[[pair[1]]] {
                pairs.push(pair);
            }
        }
        // of a size known only at run time: the network takes any
        let both = Tensor::<(usize, Const<1>, usize, usize)>::from_fn_with(
            (PAIRS, Const, S, 2 * S),
            |[pair, _, row, column]| images[[pairs[pair][column / S], 0, row, column % S]],
        );
        let mut hits = 0;
        for half in [0, 1] {
            let of_half = Tensor::from(pairs.iter().map(|pair| labels[[pair[half]]]).collect::<Vec<_>>());
            let maps = grad_cam(model, |model| &model.2, &both, of_half);
            hits += peak(&maps).iter().filter(|[_, column]| column / S == half).count();
        }
        hits as f64 / (2 * PAIRS) as f64
    }

    fn report<const C: usize, const S: usize, M: Network<C, S>, L>(
        &self,
        model: &M,
        layer: fn(&M) -> &L,
        randomise: &[Randomise<M>],
        first: Tensor<(usize, usize, usize)>,
        pointing_game: Option<f64>,
        rng: &mut StdRng,
    ) -> Result<(), Box<dyn Error>>
    where
        Train: Pictures<C, S>,
        Test: Pictures<C, S>,
    {
        let mut right = 0.0;
        for (images, labels) in self.test.in_order(500) {
            let count = labels.count() as f64;
            right += model.forward(self.normalization.apply(images)).accuracy(&labels) * count;
        }
        let accuracy = right / self.test.len() as f64;
        println!("{}: {:.1}% of the test images are told right", self.name, 100.0 * accuracy);

        let (images, labels) = self.test.first(CHECKED).whole();
        let inputs = self.normalization.apply(images.clone());
        let baseline = self.normalization.apply(nothing(images));

        // completeness and deletion with integrated gradients
        let parts = IntegratedGradients::default().explain(model, &inputs, &baseline, labels.clone());
        let signed = parts.attributions.clone().sum_axis::<1>();
        let probability = |logits: networks::Logits<Traced<Inference>>| labels.scores(logits.softmax::<1>());
        let area = |maps: &Tensor<(usize, Const<S>, Const<S>)>| {
            deletion_area(model, &inputs, maps, &baseline, probability, (S * S).min(49))
        };
        let random = Tensor::from_fn_with(signed.shape(), |_| rng.random::<f32>());
        let areas = [area(&signed), area(&random), area(&center_map(signed.shape()))];

        // maps of the network, and of one with randomised layers
        let mut randomised = model.clone();
        let saliency_of = |model: &M| heatmap(&saliency(model, &inputs, labels.clone()));
        let cam = |model: &M| grad_cam(model, layer, &inputs, labels.clone());
        let guided = |model: &M| heatmap(&guided_backpropagation(model, &inputs, labels.clone()));
        let before = [saliency_of(model), cam(model), guided(model)];
        println!("\nrank correlation with the maps of the trained network, when layers are made random from the top:");
        println!("layers   saliency   Grad-CAM   guided backpropagation");
        let mut correlations = [1.0; 3];
        for (count, part) in (1..).zip(randomise) {
            part(&mut randomised, rng);
            let after = [saliency_of(&randomised), cam(&randomised), guided(&randomised)];
            correlations = [0, 1, 2].map(|method| rank_correlation(&before[method], &after[method]));
            println!("{count:>6} {:>10.2} {:>10.2} {:>10.2}", correlations[0], correlations[1], correlations[2]);
        }
        let others = Tensor::from(labels.iter().map(|label| (label + 1) % 10).collect::<Vec<_>>());
        let of_other = rank_correlation(&before[1], &grad_cam(model, layer, &inputs, others));
        println!("and of the Grad-CAM maps with those of another class: {of_other:.2}");

        self.draw(model, layer, &first, rng)?;
        let mut report = Report::default();
        report.add("test_accuracy", accuracy);
        report.add("completeness_error", parts.completeness_error());
        report.add("deletion_area", areas[0]);
        report.add("deletion_area_random", areas[1]);
        report.add("deletion_area_center", areas[2]);
        report.add("pointing_game", pointing_game.map_or(Value::Null, Value::from));
        let names = ["saliency", "grad_cam", "guided_backpropagation"];
        let by_method = names.into_iter().zip(correlations).map(|(name, x)| (name.to_string(), Value::from(x)));
        report.add("randomised_correlation", by_method.collect::<Map<_, _>>());
        report.add("seconds", self.start.elapsed().as_secs_f64());
        report.add("seed", self.options.common.seed);
        report.print(self.options.common.json);
        Ok(())
    }

    /// A sheet for the first test image of each class, what the first layer looks for, and what each class looks like
    /// to the network.
    fn draw<const C: usize, const S: usize, M: Network<C, S>, L>(
        &self,
        model: &M,
        layer: fn(&M) -> &L,
        filters: &Tensor<(usize, usize, usize)>,
        rng: &mut StdRng,
    ) -> Result<(), Box<dyn Error>>
    where
        Train: Pictures<C, S>,
        Test: Pictures<C, S>,
    {
        let folder = self.options.out.join("explain_cnn").join(self.name);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
        let (images, labels) = self.test.first(500).whole();
        let mut pictures = Vec::new();
        for class in 0..10 {
            let Some(sample) = labels.iter().position(|label| label == class) else { continue };
            let image = Dataset::gather(&images, 1_usize, &[sample]);
            let input = self.normalization.apply(image.clone());
            let probabilities = model.forward(input.clone()).softmax::<1>();
            let mut order: Vec<usize> = (0..10).collect();
            order.sort_by(|&a, &b| probabilities[[0, b]].total_cmp(&probabilities[[0, a]]));
            let rows: Vec<(String, Vec<Panel>)> = order[..2]
                .iter()
                .map(|&class| {
                    let text = format!("{}: {:.1}%", self.classes[class], 100.0 * probabilities[[0, class]]);
                    (text, self.panels(model, layer, &image, &input, class, rng))
                })
                .collect();
            let file = format!("{class}.png");
            draw_sheet(&folder.join(&file), &rows, S)?;
            let heading = format!("{}, taken for {}", self.classes[class], self.classes[order[0]]);
            pictures.push((file, heading));
        }

        draw_tiles(&folder.join("filters.png"), &tiles(filters, 8), 12)?;
        pictures.push(("filters.png".into(), "what the first layer looks for: bright where it wants bright".into()));

        // the output of a layer, and what each class looks like to the network
        let first = Dataset::gather(&images, 1_usize, &[0]);
        let maps: Tensor<(usize, usize, usize, usize)> = feature_maps(model, layer, &self.normalization.apply(first));
        let (_, channels, height, width) = maps.shape();
        let largest = maps.iter().fold(f32::MIN_POSITIVE, |largest, x| largest.max(x));
        let maps = (maps / largest).reshape_with((channels, height, width));
        draw_tiles(&folder.join("feature_maps.png"), &tiles(&maps, 8), (200 / (8 * width)).max(2) * 2)?;
        pictures
            .push(("feature_maps.png".into(), format!("what the layer gives for the first image, a {}", labels[[0]])));

        let gray = self.normalization.apply(Tensor::full_with((10, Const::<C>, Const::<S>, Const::<S>), 0.3));
        let limits = [0.0, 1.0].map(|x| self.normalization.apply(Tensor::from([x]))[[0]]);
        let method = ActivationMaximization { step_size: 0.15, range: Some(limits), ..Default::default() };
        let dreams = method.for_target(model, &gray, Tensor::from((0..10).collect::<Vec<_>>()), rng);
        let dreams = dreams.mean_axis::<1>();
        let shown = dreams.scale_shift(1.0 / (limits[1] - limits[0]), -limits[0] / (limits[1] - limits[0]));
        draw_tiles(&folder.join("classes.png"), &tiles(&shown, 5), (100 / S).max(1))?;
        pictures.push(("classes.png".into(), "an image that each class answers to most".into()));
        let page = folder.join("index.html");
        draw_index(&page, &format!("What a network of {} looks at", self.name), &pictures)?;
        println!("the pictures are in {}", page.display());
        Ok(())
    }

    /// The image, and each method's map overlaid on it.
    fn panels<const C: usize, const S: usize, M: Network<C, S>, L>(
        &self,
        model: &M,
        layer: fn(&M) -> &L,
        image: &Images<C, S>,
        input: &Images<C, S>,
        class: usize,
        rng: &mut StdRng,
    ) -> Vec<Panel> {
        let pixel = |place: usize| [0, 1, 2].map(|channel: usize| image[[0, channel.min(C - 1), place / S, place % S]]);
        let shown: Vec<[f32; 3]> = (0..S * S).map(pixel).collect();
        let over = |title: &str, map: Tensor<(usize, Const<S>, Const<S>)>| Panel {
            title: title.into(),
            image: shown.clone(),
            map: Some(map.to_vec()),
        };
        let target = Class(class);
        let fill = self.normalization.apply(Tensor::from([0.0]))[[0]];
        let smooth = SmoothGrad { deviation: 0.3, ..Default::default() };
        let patch = (S / 7).max(2);
        let occlusion = Occlusion { patch: [patch; 2], stride: [(patch / 2).max(1); 2], fill };
        let baseline = self.normalization.apply(nothing(image.clone()));
        let parts = IntegratedGradients::default().explain(model, input, &baseline, target);
        vec![
            Panel { title: "image".into(), image: shown.clone(), map: None },
            over("saliency", heatmap(&saliency(model, input, target))),
            over("input x grad.", heatmap(&input_times_gradient(model, input, target))),
            over("SmoothGrad", heatmap(&smooth.explain(model, input, target, rng))),
            over("integrated", heatmap(&parts.attributions)),
            over("guided", heatmap(&guided_backpropagation(model, input, target))),
            over("Grad-CAM", grad_cam(model, layer, input, target)),
            over("guided CAM", heatmap(&guided_grad_cam(model, layer, input, target))),
            over("occlusion", occlusion.explain(model, input, target)),
        ]
    }
}
