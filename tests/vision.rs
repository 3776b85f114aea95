//! Networks for images, as types: what must compile, and which sizes the compiler computes.

use taut::prelude::*;

type Vgg<const I: usize, const O: usize> = (Conv2d<I, O, 3, 1, 1>, Relu);
/// VGG-16: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015.
type Vgg16 = (
    (
        (Vgg<3, 64>, Vgg<64, 64>, MaxPool2d<2>),
        (Vgg<64, 128>, Vgg<128, 128>, MaxPool2d<2>),
        (Vgg<128, 256>, Vgg<256, 256>, Vgg<256, 256>, MaxPool2d<2>),
        (Vgg<256, 512>, Vgg<512, 512>, Vgg<512, 512>, MaxPool2d<2>),
        (Vgg<512, 512>, Vgg<512, 512>, Vgg<512, 512>, MaxPool2d<2>),
    ),
    AdaptiveAvgPool2d<7>,
    Flatten, // (512, 7, 7)
    (Linear<25_088, 4096>, Relu, Dropout<50>),
    (Linear<4096, 4096>, Relu, Dropout<50>),
    Linear<4096, 1000>,
);
const _: () = check::<Vgg16, Tensor<Rank4<32, 3, 224, 224>>>();
const _: () = check::<Vgg16, Tensor<Rank4<32, 3, 224, 224>, f32, Traced<Training>>>();
const _: () = check::<Vgg16, Tensor<(usize, Const<3>, usize, usize)>>();

/// AlexNet as in torchvision: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.
type AlexNet = (
    (Conv2d<3, 64, 11, 4, 2>, Relu, MaxPool2d<3, 2>),
    (Conv2d<64, 192, 5, 1, 2>, Relu, MaxPool2d<3, 2>),
    (Conv2d<192, 384, 3, 1, 1>, Relu),
    (Conv2d<384, 256, 3, 1, 1>, Relu),
    (Conv2d<256, 256, 3, 1, 1>, Relu, MaxPool2d<3, 2>),
    AdaptiveAvgPool2d<6>,
    Flatten, // (256, 6, 6)
    (Dropout<50>, Linear<9216, 4096>, Relu),
    (Dropout<50>, Linear<4096, 4096>, Relu),
    Linear<4096, 1000>,
);
const _: () = check::<AlexNet, Tensor<Rank4<32, 3, 224, 224>>>();

/// The same without the adaptive pooling: the compiler itself finds (256, 6, 6).
#[test]
fn alex_net_comes_to_six_pixels() {
    type Features = ((MaxPool2d<11, 4, 2>, MaxPool2d<3, 2>), (MaxPool2d<5, 1, 2>, MaxPool2d<3, 2>), MaxPool2d<3, 2>);
    let features = <Features>::init(&mut StdRng::seed_from_u64(0));
    let y = features.forward(Tensor::<Rank4<1, 1, 224, 224>>::ones());
    let _: Tensor<Rank4<1, 1, 6, 6>> = y;
}

/// The bound that a block generic over the sizes of its images needs: that it keeps them.
#[test]
fn generic_blocks_need_no_arithmetic() {
    #[derive(Init, Parameters)]
    struct Twice<L>(L);
    impl<X, L: Module<X, Output = X>> Module<X> for Twice<L> {
        type Output = X;
        fn apply(&self, x: X) -> X {
            self.0.forward(self.0.forward(x))
        }
    }
    let block = Twice::<SameConv2d<2, 2, 3>>::init(&mut StdRng::seed_from_u64(0));
    let fixed: Tensor<Rank4<1, 2, 3, 2500>> = block.forward(Tensor::<Rank4<1, 2, 3, 2500>>::ones());
    let open = block.forward(Tensor::<_, f32>::ones_with((1_usize, Const::<2>, 3_usize, 2500_usize)));
    assert_eq!(fixed.as_slice(), open.as_slice());
}

/// A same-padded convolution takes every odd kernel, and no other.
#[test]
fn kernels_of_any_odd_size_keep_the_size() {
    let layer = SameConv2d::<1, 1, 33>::init(&mut StdRng::seed_from_u64(0));
    let y: Tensor<Rank4<1, 1, 5, 4>> = layer.forward(Tensor::<Rank4<1, 1, 5, 4>>::ones());
    assert_eq!(y.count(), 20);
}
