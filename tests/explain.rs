//! Explanations are those of captum and pytorch-grad-cam (see `tests/explain/generate.py`), and depend on what a model
//! has learned.

use rand::RngExt;
use taut::data::digits;
use taut::explain::checks::{center_map, deletion_area, peak, rank_correlation};
use taut::explain::*;
use taut::models::CifarResNet18;
use taut::prelude::*;

type Network = (
    (Conv2d<3, 6, 3, 1, 1>, BatchNorm2d<6>, Relu, MaxPool2d<2>),
    (Conv2d<6, 8, 3>, Relu),
    Flatten,
    (Linear<96, 16>, Relu, Dropout<50>),
    Linear<16, 5>,
);
type Images = Rank4<4, 3, 12, 10>;

/// What the file holds.
#[derive(Parameters)]
struct Values {
    network: Network,
    images: Buffer<Images>,
    baseline: Buffer<Images>,
    noise: Buffer<Rank5<3, 4, 3, 12, 10>>,
    labels: Buffer<Rank1<4>>,
    saliency: Buffer<Images>,
    input_times_gradient: Buffer<Images>,
    smooth_grad: Buffer<Images>,
    integrated_gradients: Buffer<Images>,
    guided_backpropagation: Buffer<Images>,
    guided_grad_cam: Buffer<Images>,
    grad_cam_of_layer: Buffer<Rank4<4, 1, 4, 3>>,
    grad_cam_of_block: Buffer<Rank4<4, 1, 6, 5>>,
    grad_cam_scaled: Buffer<Rank3<4, 12, 10>>,
    occlusion: Buffer<Rank3<4, 12, 10>>,
}

fn values() -> (Values, Tensor<Rank1<4>, usize>) {
    fn empty<S: Shape + Default>() -> Buffer<S> {
        Buffer::new(Tensor::zeros_with(S::default()))
    }
    let mut values = Values {
        network: Network::init(&mut StdRng::seed_from_u64(0)),
        images: empty(),
        baseline: empty(),
        noise: empty(),
        labels: empty(),
        saliency: empty(),
        input_times_gradient: empty(),
        smooth_grad: empty(),
        integrated_gradients: empty(),
        guided_backpropagation: empty(),
        guided_grad_cam: empty(),
        grad_cam_of_layer: empty(),
        grad_cam_of_block: empty(),
        grad_cam_scaled: empty(),
        occlusion: empty(),
    };
    let path = format!("{}/tests/explain/values.safetensors", env!("CARGO_MANIFEST_DIR"));
    values.load_parameters(path).unwrap();
    let labels = values.labels.value().clone().cast::<usize>();
    (values, labels)
}

/// Equal to 1e-4 of the largest number.
#[track_caller]
fn expect<S: Shape>(found: &[f32], expected: &Buffer<S>) {
    let expected = expected.value().as_slice();
    let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0 && found.len() == expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-4 * largest, "at {place}: {found}, and not {expected}");
    }
}

#[test]
fn gradients_are_those_of_captum() {
    let (values, labels) = values();
    let (network, images) = (&values.network, values.images.value());
    expect(saliency(network, images, labels.clone()).as_slice(), &values.saliency);
    expect(input_times_gradient(network, images, labels.clone()).as_slice(), &values.input_times_gradient);
    expect(guided_backpropagation(network, images, labels.clone()).as_slice(), &values.guided_backpropagation);
    let noisy = |i: usize| images.clone() + values.noise.value().clone().slice(i);
    let mean = (0..3).map(|i| saliency(network, &noisy(i), labels.clone())).reduce(|a, b| a + b).unwrap() / 3.0;
    expect(mean.as_slice(), &values.smooth_grad);
}

#[test]
fn smooth_grad_is_the_mean_over_its_noise() {
    let (values, labels) = values();
    let (network, images) = (&values.network, values.images.value());
    let method = SmoothGrad { samples: 3, deviation: 0.1, ..Default::default() };
    let found = method.explain(network, images, labels.clone(), &mut StdRng::seed_from_u64(5));
    let mut rng = StdRng::seed_from_u64(5);
    let noise = (0..3).map(|_| Tensor::<Images>::normal_with(images.shape(), 0.0, 0.1, &mut rng));
    let maps = noise.map(|noise| saliency(network, &(images.clone() + noise), labels.clone()));
    let mean = maps.reduce(|a, b| a + b).unwrap() / 3.0;
    assert!(found.iter().zip(mean.iter()).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn integrated_gradients_are_those_of_captum() {
    let (values, labels) = values();
    let method = IntegratedGradients::default();
    let found = method.explain(&values.network, values.images.value(), values.baseline.value(), labels);
    expect(found.attributions.as_slice(), &values.integrated_gradients);
    assert!(found.completeness_error() < 0.01, "{}", found.completeness_error());
}

#[test]
fn grad_cam_is_that_of_captum_and_of_pytorch_grad_cam() {
    let (values, labels) = values();
    let (network, images) = (&values.network, values.images.value());
    let of_layer = grad_cam_of_layer(network, |network| &network.1, images, labels.clone());
    expect(of_layer.as_slice(), &values.grad_cam_of_layer);
    let of_block = grad_cam_of_layer(network, |network| &network.0, images, labels.clone());
    expect(of_block.as_slice(), &values.grad_cam_of_block);
    expect(guided_grad_cam(network, |network| &network.1, images, labels.clone()).as_slice(), &values.guided_grad_cam);

    // pytorch-grad-cam scales the map of the layer, enlarges it, and scales again
    let mut enlarged = grad_cam(network, |network| &network.1, images, labels);
    for map in enlarged.as_mut_slice().chunks_exact_mut(120) {
        let least = map.iter().fold(f32::INFINITY, |least, &x| least.min(x));
        let width = map.iter().fold(0.0_f32, |largest, &x| largest.max(x)) - least;
        map.iter_mut().for_each(|x| *x = (*x - least) / (1e-7 + width));
    }
    expect(enlarged.as_slice(), &values.grad_cam_scaled);
}

#[test]
fn occlusion_is_that_of_captum() {
    let (values, labels) = values();
    let method = Occlusion { patch: [4, 3], stride: [3, 2], fill: 0.25 };
    expect(method.explain(&values.network, values.images.value(), labels).as_slice(), &values.occlusion);
}

/// A struct with hand-written modules: blocks in it have names, and so do those in their lists.
#[test]
fn a_whole_resnet_is_explained() {
    let network = CifarResNet18::<10>::init(&mut StdRng::seed_from_u64(0));
    let images = Tensor::<Rank4<2, 3, 8, 8>>::uniform(0.0, 1.0, &mut StdRng::seed_from_u64(1));
    let map: Tensor<Rank3<2, 8, 8>> = grad_cam(&network, |network| &network.layer2.1, &images, Class(3));
    let inner: Tensor<Rank3<2, 8, 8>> = grad_cam(&network, |network| &network.layer2.0.conv1, &images, Class(3));
    assert!(map.iter().all(f32::is_finite) && map != inner);
    // each sample is explained by itself
    let alone = Tensor::<Rank4<1, 3, 8, 8>>::from_slice(&images.as_slice()[192..], Default::default()).unwrap();
    let map_alone = grad_cam(&network, |network| &network.layer2.1, &alone, Class(3));
    assert!(map_alone.iter().zip(map.slice(1).iter()).all(|(a, b)| (a - b).abs() < 1e-4));
    let maps: Tensor<Rank4<2, 64, 8, 8>> = feature_maps(&network, |network| &network.layer1, &images);
    assert!(maps.iter().all(f32::is_finite));
    assert!(filters(&network.conv1.weight).iter().all(|x| (0.0..=1.0).contains(&x)));
}

#[test]
#[should_panic(expected = "Class(5): the model tells 5 classes apart")]
fn a_class_that_is_not_there() {
    let (values, _) = values();
    let _ = saliency(&values.network, values.images.value(), Class(5));
}

type Small = ((Conv2d<1, 8, 3, 1, 1>, Relu), (Conv2d<8, 16, 3, 1, 1>, Relu, MaxPool2d<2>), Flatten, Linear<256, 10>);
type Digits = Tensor<(usize, Const<1>, Const<8>, Const<8>)>;

/// A network that reads the embedded digits, and some of the test set, with labels.
fn trained() -> (Small, Digits, Tensor<(usize,), usize>) {
    let mut rng = StdRng::seed_from_u64(0);
    let (images, labels) = digits().whole();
    let images = images.reshape_with((1797, Const, Const, Const));
    let (train, test) = (images, labels).split(0.25, &mut rng);
    let mut model = Small::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 3e-3, ..Default::default() });
    for _ in 0..4 {
        for (images, labels) in train.batches::<32>(&mut rng) {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
            optimizer.step(&mut model, &loss.backward());
        }
    }
    let (images, labels) = test.first(100).whole();
    let accuracy = model.forward(images.clone()).accuracy(&labels);
    assert!(accuracy > 0.9, "{accuracy}");
    (model, images, labels)
}

#[test]
fn maps_depend_on_the_model_and_the_class_and_find_what_matters() {
    let (model, images, labels) = trained();
    let mut rng = StdRng::seed_from_u64(1);
    let saliency_of =
        |model: &Small, labels: &Tensor<(usize,), usize>| heatmap(&saliency(model, &images, labels.clone()));
    let cam =
        |model: &Small, labels: &Tensor<(usize,), usize>| grad_cam(model, |model| &model.1, &images, labels.clone());
    // all layers random, from the top
    let mut random = model.clone();
    random.3 = Linear::init(&mut rng);
    random.1.0 = Conv2d::init(&mut rng);
    random.0.0 = Conv2d::init(&mut rng);
    let of_cam = rank_correlation(&cam(&model, &labels), &cam(&random, &labels));
    assert!(of_cam < 0.3, "Grad-CAM: {of_cam}");
    let of_saliency = rank_correlation(&saliency_of(&model, &labels), &saliency_of(&random, &labels));
    assert!(of_saliency < 0.3, "saliency: {of_saliency}");
    assert!(rank_correlation(&saliency_of(&model, &labels), &saliency_of(&model, &labels)) > 0.99);
    // another class
    let others = Tensor::from(labels.iter().map(|label| (label + 1) % 10).collect::<Vec<_>>());
    assert!(rank_correlation(&cam(&model, &labels), &cam(&model, &others)) < 0.8);

    // deletion
    let probability = |y: Tensor<(usize, Const<10>), f32, Traced<Inference>>| labels.scores(y.softmax::<1>());
    let baseline = Tensor::zeros_with(images.shape());
    let parts = IntegratedGradients::default().explain(&model, &images, &baseline, labels.clone());
    assert!(parts.completeness_error() < 0.01);
    let best = parts.attributions.reshape_with((100, Const::<8>, Const::<8>));
    let noise = Tensor::from_fn_with(best.shape(), |_| rng.random::<f32>());
    let area = |maps| deletion_area(&model, &images, &maps, &baseline, probability, 32);
    let (area, of_noise, of_center) = (area(best.clone()), area(noise), area(center_map(best.shape())));
    assert!(area < 0.7 * of_center && area < 0.7 * of_noise, "{area} {of_noise} {of_center}");
    assert_eq!(peak(&best).len(), 100);
}
