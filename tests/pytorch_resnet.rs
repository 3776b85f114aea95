//! ResNet-18: torchvision's names and shapes, and the same outputs from the same weights.

mod common;

use common::case;
use taut::models::{CifarResNet18, ResNet18};
use taut::params::ValuesMut;
use taut::prelude::*;

/// Numbers that both sides compute: see `resnet` in `tests/pytorch/generate.py`.
fn wave(i: usize, phase: f64) -> f64 {
    (i as f64 * 0.7 + phase).sin()
}

/// Gives each parameter the numbers of its position among PyTorch's names, and checks names and sizes on the way.
fn fill(model: &mut impl Parameters, names: &[(String, Vec<usize>)]) {
    let mut seen = 0;
    model.for_each_parameter_mut(|path, leaf| {
        let place = names.iter().position(|(name, _)| name == path);
        let place = place.unwrap_or_else(|| panic!("torchvision has no parameter {path}"));
        assert_eq!(names[place].1, leaf.sizes, "{path}");
        let (rank, fan_in) = (leaf.sizes.len(), leaf.sizes[1..].iter().product::<usize>() as f64);
        let ValuesMut::F32(values) = leaf.values else { panic!("{path} is f32") };
        for (i, value) in values.iter_mut().enumerate() {
            let noise = wave(i, place as f64);
            *value = match rank {
                _ if path.ends_with("running_var") => 1.5 + 0.5 * noise,
                1 => 0.5 + 0.25 * noise,
                _ => noise * (2.0 / fan_in).sqrt(),
            } as f32;
        }
        seen += 1;
    });
    assert_eq!(seen, names.len(), "every parameter of torchvision's was found");
}

#[test]
fn small_images() {
    let case = case("resnet", "small images");
    let mut model = CifarResNet18::<10>::init(&mut StdRng::seed_from_u64(0));
    fill(&mut model, &case.names());
    let mut i = 0..;
    let x = Tensor::<Rank4<2, 3, 16, 16>>::from_fn(|_| wave(i.next().expect("endless"), 0.5) as f32);
    case.expect_output(&model.forward(x), 1e-4);
}

#[test]
fn large_images() {
    let case = case("resnet", "large images");
    let mut model = ResNet18::<10>::init(&mut StdRng::seed_from_u64(0));
    fill(&mut model, &case.names());
    let mut i = 0..;
    let x = Tensor::<Rank4<2, 3, 64, 64>>::from_fn(|_| wave(i.next().expect("endless"), 0.5) as f32);
    case.expect_output(&model.forward(x), 1e-4);
}
