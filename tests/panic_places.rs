//! Every panic is reported at the calling program's line, not somewhere in the library.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use taut::ops::*;
use taut::prelude::*;

/// What is wrong with the place of the panic in `case`, if anything.
fn wrong_place(case: impl FnOnce()) -> Option<String> {
    static HOOK: Mutex<()> = Mutex::new(());
    let _one_at_a_time = HOOK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let this_thread = std::thread::current().id();
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if std::thread::current().id() == this_thread {
            *note.lock().unwrap() = panic.location().map(|place| (place.file().to_string(), panic.to_string()));
        }
    }));
    let quiet = catch_unwind(AssertUnwindSafe(case)).is_ok();
    set_hook(before);
    let seen = seen.lock().unwrap().take();
    match seen {
        _ if quiet => Some("does not panic".to_string()),
        Some((file, _)) if file.ends_with("panic_places.rs") => None,
        other => Some(format!("{other:?}")),
    }
}

macro_rules! panic_here {
    ($($code:expr;)*) => {
        let mut wrong = Vec::new();
        $(if let Some(problem) = wrong_place(|| {
            let _ = $code;
        }) {
            wrong.push((stringify!($code), problem));
        })*
        assert!(wrong.is_empty(), "{wrong:#?}");
    };
}

fn t(rows: usize, columns: usize) -> Tensor<(usize, usize)> {
    Tensor::ones_with((rows, columns))
}
fn indices(values: &[usize]) -> Tensor<(usize,), usize> {
    Tensor::from_slice(values, (values.len(),)).unwrap()
}
fn images(channels: usize, height: usize, width: usize) -> Tensor<(usize, usize, usize, usize)> {
    Tensor::ones_with((2, channels, height, width))
}

#[test]
fn shapes_that_do_not_fit() {
    let (a, b) = (t(2, 3), t(3, 2));
    panic_here! {
        &a + &b;
        &a - &b;
        &a * &b;
        &a / &b;
        a.clone() + b.clone();
        { let mut sum = a.clone(); sum += b.clone(); };
        a.clone().matmul(a.clone());
        a.clone().pow(b.clone());
        a.clone().atan2(b.clone());
        a.clone().hypot(b.clone());
        a.clone().maximum(b.clone());
        a.clone().minimum(b.clone());
        a.equal(b.clone());
        a.lt(b.clone());
        a.clone().slice_at::<0>(2);
        a.clone().slice_range::<1>(2..4);
        a.clone().index_select::<0, _>(&indices(&[2]));
        a.clone().pick::<1>(&indices(&[0]));
        a.clone().pick::<1>(&indices(&[0, 3]));
        a.clone().squeeze::<0>();
        a.clone().reshape_with((4_usize, 2_usize));
        a.clone().reshape::<Rank1<5>>();
        a.clone().binary_cross_entropy(&b);
        a.clone().cross_entropy(&indices(&[0]));
        a.clone().cross_entropy(&indices(&[0, 3]));
        a.clone().mean_squared_error(&b);
        a.clone().mean_absolute_error(&b);
        a.clone().huber(&b, 1.0);
        a.clone().kl_divergence(&b);
        a.clone().hinge(&b);
        a.clone().multi_class_hinge(&indices(&[0]));
        a.accuracy(&indices(&[0]));
        a.clone().clamp(2.0, 1.0);
        indices(&[3]).one_hot::<f32, _>(Const::<3>);
        a[[2, 0]];
        a.clone().mean_axis::<0>().dot(b.clone().mean_axis::<0>());
        a.clone().broadcast_to::<Axis<0>, _>((4_usize, 2_usize, 4_usize));
        (a.clone(), b.clone()).concat::<0>();
        [a.clone(), b.clone()].stack::<0>();
        vec![a.clone(), b.clone()].concat::<0>();
        Tensor::<(usize,)>::ones_with((0,)).argmax();
        Tape::inference().watch(a.clone()).vector_jacobian(b.clone());
    }
}

#[test]
fn layers_whose_input_does_not_fit() {
    let mut rng = StdRng::seed_from_u64(0);
    let tape = Tape::training(&mut rng);
    macro_rules! new {
        ($layer:ty) => {
            <$layer>::init(&mut rng)
        };
    }
    let linear = new!(Linear<3, 2>);
    let nested = (((new!(Linear<3, 3>), Relu), Residual(new!(Linear<3, 3>))), new!(Linear<3, 2>));
    let boxed = Arc::new(Box::new(vec![new!(Residual<BatchNorm1d<4>>)]));
    let (conv, conv1d, transposed) = (new!(Conv2d<3, 2, 3>), new!(Conv1d<3, 2, 3>), new!(ConvTranspose2d<3, 2, 3>));
    let (norm, norm1d, layer, group) =
        (new!(BatchNorm2d<3>), new!(BatchNorm1d<3>), new!(LayerNorm<3>), new!(GroupNorm<3, 3>));
    let (attention, cell) = (new!(MultiHeadAttention<4, 2>), new!(GruCell<3, 2>));
    let sequence = |channels: usize, length: usize| Tensor::<(usize, usize, usize)>::ones_with((2, channels, length));
    panic_here! {
        linear.forward(t(2, 4));
        frozen(&linear).forward(t(2, 4));
        eval(&linear).forward(tape.trace(t(2, 4)));
        eval(&frozen(&nested)).forward(tape.trace(t(2, 4)));
        nested.forward(t(2, 4));
        boxed.forward(sequence(3, 2));
        conv.forward(images(2, 8, 8));
        conv.forward(images(3, 2, 8));
        conv1d.forward(sequence(2, 8));
        transposed.forward(images(2, 8, 8));
        norm.forward(images(2, 8, 8));
        norm1d.forward(t(2, 4));
        norm1d.forward(tape.trace(t(1, 3)));
        layer.forward(t(2, 4));
        group.forward(images(2, 8, 8));
        attention.forward(sequence(5, 3));
        cell.forward((t(2, 3), t(3, 2)));
        cell.forward((t(2, 4), t(2, 2)));
        MaxPool2d::<4>.forward(images(1, 3, 3));
        AvgPool2d::<4>.forward(images(1, 3, 3));
        MaxPool1d::<4>.forward(sequence(3, 2));
        ReflectionPad2d::<4>.forward(images(1, 3, 3));
        PixelShuffle::<2>.forward(images(3, 3, 3));
        linear.summary_for(t(2, 4));
    }
}

/// Two values of a tape that `backward` used up, and one of another tape.
#[test]
fn tapes_that_are_used_up_or_mixed() {
    let mut rng = StdRng::seed_from_u64(0);
    let tape = Tape::training(&mut rng);
    let x = tape.watch(t(3, 3));
    let other = Tape::training(&mut rng);
    let far = other.watch(t(3, 3));
    let (linear, norm, dropout) = (Linear::<3, 3>::init(&mut rng), BatchNorm1d::<3>::init(&mut rng), Dropout::<50>);
    let recurrent = Gru::<3, 2>::init(&mut rng);
    let gradients = x.clone().sum().backward();
    let unwatched = other.trace(t(3, 3));
    panic_here! {
        x.clone().mean().backward();
        x.clone().exp();
        x.clone().relu();
        x.clone().powi(2);
        x.clone() + 1.0;
        2.0 - x.clone();
        x.clone() * 2.0;
        x.clone() / 2.0;
        2.0 / x.clone();
        x.clone() % 2.0;
        x.clone().maximum(0.0);
        { let mut y = x.clone(); y += 1.0; };
        { let mut y = x.clone(); y *= x.clone(); };
        x.clone().mean().plus_l2(&linear.weight, 0.1);
        -x.clone();
        &x * &x;
        x.clone().matmul(x.clone());
        x.clone().sum();
        x.clone().mean_axis::<0>();
        x.clone().max();
        x.clone().std_axis::<0>(Variance::Biased);
        x.clone().softmax::<1>();
        x.clone().logsumexp();
        x.clone().cumulative_sum::<0>();
        x.clone().slice_at::<0>(1);
        x.clone().index_select::<0, _>(&indices(&[1]));
        x.clone().cross_entropy(&indices(&[0, 1, 2]));
        x.clone().mean_squared_error(&t(3, 3));
        x.clone().watch();
        (x.clone(), x.clone()).concat::<0>();
        tape.watch(t(1, 1));
        linear.weight.on(&tape);
        linear.forward(x.clone());
        eval(&linear).forward(x.clone());
        norm.forward(x.clone());
        dropout.forward(x.clone());
        recurrent.forward(x.clone().unsqueeze::<0>());
        custom(x.clone(), |x| (x, |g| g));
        x.clone().vector_jacobian(t(3, 3));
        far.clone() + x.clone();
        far.clone().matmul(x.clone());
        far.clone().mean_squared_error(&x);
        far.clone().maximum(x.clone());
        (far.clone(), x.clone()).concat::<0>();
        custom((far.clone(), x.clone()), |(a, b)| (a + b, |g: Tensor<(usize, usize)>| (g.clone(), g)));
        gradients.of_input(&far);
        gradients.of_input(&unwatched);
    }
}

#[test]
fn wrong_backward_passes() {
    let (tape, two, three) = (Tape::inference(), Tape::inference(), Tape::inference());
    let wrong = |x: Tensor<(usize, usize), f32, Traced<Inference>>| custom(x, |x| (x, |g| g.matmul(t(2, 3)))).sum();
    let y = wrong(tape.watch(t(3, 2)));
    let both =
        custom((two.watch(t(1, 1)), two.watch(t(1, 2))), |(a, b)| (a + b.sum().item(), |g: Tensor<_>| (g.clone(), g)));
    let inner = custom(three.watch(t(3, 2)), |x| (x, |g| g)).matmul(t(2, 2));
    panic_here! {
        y.clone().backward();
        both.clone().vector_jacobian(t(1, 1));
        inner.clone().vector_jacobian(t(1, 1));
    }
    let message = catch_unwind(AssertUnwindSafe(|| {
        let tape = Tape::inference();
        custom(tape.watch(t(3, 2)), |x| (x, |g| g.matmul(t(2, 3)))).sum().backward()
    }));
    let message = *message.unwrap_err().downcast::<String>().unwrap();
    let expected =
        "custom: operand 0 and its gradient: the shapes (3, 2) and (3, 3) do not fit, in the operation at tests/";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn steps_and_pairs() {
    let mut rng = StdRng::seed_from_u64(0);
    let model = Linear::<3, 2>::init(&mut rng);
    let mut clone = model.clone();
    let gradients = model.forward(Tape::training(&mut rng).trace(t(2, 3))).sum().backward();
    let none = model.forward(t(2, 3)).on(&Tape::training(&mut rng)).sum().backward();
    let mut all_frozen = Frozen(model.clone());
    let shared = Arc::new(model.clone());
    let (mut arc, mut rc) = ((Relu, shared.clone()), Rc::new(model.clone()));
    let _held = rc.clone();
    let wide = Linear::<4, 2>::init(&mut rng);
    let mut sgd = Sgd::new(SgdConfig::default());
    panic_here! {
        sgd.step(&mut clone, &gradients);
        sgd.step(&mut clone, &none);
        sgd.step(&mut all_frozen, &gradients);
        sgd.step(&mut arc, &gradients);
        sgd.step(&mut rc, &gradients);
        sgd.set_learning_rate(-1.0);
        arc.for_each_parameter_mut(|_, _| {});
        arc.copy_from(&(Relu, model.clone()));
        clone.copy_from(&wide);
        clone.move_towards(&wide, 0.5);
        clone.distance_to(&wide);
        clone.for_each_pair(&wide, |_, _, _| {});
        sgd.step(&mut clone, &Vec::<Gradients>::new().into_iter().sum());
        Sgd::new(SgdConfig { learning_rate: f64::NAN, ..Default::default() });
    }
}

/// Numbers out of range, wherever they are detected.
#[test]
fn settings() {
    use taut::data::Augmentation;
    use taut::explain::{Class, Occlusion, SmoothGrad, grad_cam, saliency};
    use taut::nn::init::Distribution;
    use taut::optim::{
        Cosine, CosineRestarts, Exponential, Milestones, OneCycle, Schedule, Scheduler, StepDecay, WarmUp,
    };
    use taut::rl::{Breakout, EpsilonGreedy, ReplayMemory};
    let mut rng = StdRng::seed_from_u64(0);
    let mut sgd = Sgd::new(SgdConfig::default());
    let mut scheduler = Scheduler::new(Exponential { factor: 0.5 }, &mut sgd);
    let network = <(Conv2d<1, 2, 1>, Flatten, Linear<8, 3>)>::init(&mut rng);
    let image = Tensor::<Rank4<1, 1, 2, 2>>::ones();
    let last = f64::NAN;
    panic_here! {
        Cosine { steps: 3, last }.factor(1);
        CosineRestarts { steps: 3, growth: 1, last }.factor(1);
        StepDecay { every: 0, factor: 0.5 }.factor(1);
        Milestones { steps: [1], factor: last }.factor(1);
        Exponential { factor: last }.factor(1);
        OneCycle { steps: 9, rise: 2.0, ..Default::default() }.factor(1);
        WarmUp { steps: 9, first: last }.factor(1);
        WarmUp { steps: 9, first: 0.1 }.then(2, Exponential { factor: last }).factor(5);
        WarmUp { steps: 9, first: 0.1 }.times(Exponential { factor: last }).factor(5);
        Scheduler::new(Exponential { factor: last }, &mut sgd);
        scheduler.set_base(last);
        Augmentation::new(&mut rng).crop(usize::MAX);
        Augmentation::new(&mut rng).cutout(usize::MAX);
        t(2, 3).batches_of(0, &mut rng);
        saliency(&network, &image, Class(3));
        grad_cam(&network, |network| &network.0, &image, Class(3));
        SmoothGrad { samples: 0, ..Default::default() }.explain(&network, &image, Class(0), &mut rng);
        Occlusion { patch: [3, 3], stride: [1, 1], fill: 0.0 }.explain(&network, &image, Class(0));
        EpsilonGreedy { first: 2.0, last: 0.1, steps: 1 }.at(0);
        ReplayMemory::<Breakout>::new(0);
        Breakout::default().with_sticky_actions(2.0);
        Distribution::normal(-1.0);
        Embedding::<4, 2>::init(&mut rng).with_padding(4);
    }
}

/// Parameters that are shared elsewhere cannot be loaded: nothing is changed, not even what is not shared.
#[test]
fn loading_into_a_shared_model() {
    use taut::io::{Checkpoint, ParameterFile};
    let mut rng = StdRng::seed_from_u64(0);
    let saved = (Linear::<3, 2>::init(&mut rng), Arc::new(Linear::<2, 2>::init(&mut rng)));
    let bytes = saved.to_safetensors().unwrap();
    let checkpoint =
        Checkpoint::from_safetensors(&Checkpoint::new().with_model("model", &saved).to_safetensors().unwrap()).unwrap();
    let path = std::env::temp_dir().join(format!("taut-shared-{}.safetensors", std::process::id()));
    std::fs::write(&path, &bytes).unwrap();
    let mut model = (Linear::<3, 2>::init(&mut rng), Arc::new(Linear::<2, 2>::init(&mut rng)));
    let before = model.0.weight.value().clone();
    let _held = model.1.clone();
    let mut file = ParameterFile::open(&path).unwrap();
    panic_here! {
        model.load_safetensors(&bytes);
        model.load_parameters(&path);
        model.load_parameters_under(&path, "");
        checkpoint.restore_model("model", &mut model);
        file.load(&mut model);
        file.load_parts(&mut [("", &mut model)]);
        file.load_what_fits(&mut model);
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(model.0.weight.value(), &before);
}
