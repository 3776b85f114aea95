//! ResNet-18. He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2016.

use crate::nn::{
    BatchNorm2d, Conv2dNoBias, Forward, GlobalAvgPool2d, Identity, Init, Linear, MaxPool2d, Module, NoBias, Relu,
    SameConv2d,
};
#[cfg(feature = "onnx")]
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::params::Parameters;
use crate::shape::{Const, Dim, Window};
use crate::tensor::Tensor;
use crate::trace::Trace;

/// A 3 x 3 convolution that keeps the size of the image, without a bias.
type Same<const I: usize, const O: usize> = SameConv2d<I, O, 3, f32, NoBias>;

/// Two convolutions with a shortcut: relu(bn(conv(relu(bn(conv(x))))) + x).
///
/// Shapes: (N, C, H, W) to the same.
#[derive(Clone, Debug, Init, Parameters)]
pub struct BasicBlock<const C: usize> {
    /// The first convolution.
    pub conv1: Same<C, C>,
    /// Its batch norm.
    pub bn1: BatchNorm2d<C>,
    /// The second convolution.
    pub conv2: Same<C, C>,
    /// Its batch norm.
    pub bn2: BatchNorm2d<C>,
}

impl<const C: usize, N: Dim, H: Dim, W: Dim, T: Trace> Module<Tensor<(N, Const<C>, H, W), f32, T>> for BasicBlock<C> {
    type Output = Tensor<(N, Const<C>, H, W), f32, T>;
    fn apply(&self, x: Tensor<(N, Const<C>, H, W), f32, T>) -> Self::Output {
        let y = self.bn1.forward(self.conv1.forward(x.clone())).relu();
        (self.bn2.forward(self.conv2.forward(y)) + x).relu()
    }
}

#[cfg(feature = "onnx")]
impl<const C: usize, N: Dim, H: Dim, W: Dim> ExportOnnx<Tensor<(N, Const<C>, H, W)>> for BasicBlock<C> {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<(N, Const<C>, H, W)>>) -> Value<Self::Output> {
        let y = self.conv1.export(graph, x.clone());
        let y = self.bn1.export(graph, y);
        let y = Relu.export(graph, y);
        let y = self.conv2.export(graph, y);
        let y = self.bn2.export(graph, y);
        let sum = graph.node("Add").input(&y).input(&x).output_like(&y);
        Relu.export(graph, sum)
    }
}

/// The block that halves the image and changes the channels: the shortcut is a 1 x 1 convolution.
///
/// Shapes: (N, I, H, W) to (N, O, (H - 1) / 2 + 1, the same for W).
#[derive(Clone, Debug, Init, Parameters)]
pub struct DownBlock<const I: usize, const O: usize> {
    /// The first convolution, which halves the image.
    pub conv1: Conv2dNoBias<I, O, 3, 2, 1>,
    /// Its batch norm.
    pub bn1: BatchNorm2d<O>,
    /// The second convolution.
    pub conv2: Same<O, O>,
    /// Its batch norm.
    pub bn2: BatchNorm2d<O>,
    /// The shortcut.
    pub downsample: (Conv2dNoBias<I, O, 1, 2>, BatchNorm2d<O>),
}

// A window of 3 with padding 1 and a window of 1 have the same number of positions; the compiler needs to be told.
impl<const I: usize, const O: usize, N: Dim, H, W, T: Trace> Module<Tensor<(N, Const<I>, H, W), f32, T>>
    for DownBlock<I, O>
where
    H: Window<3, 2, 1> + Window<1, 2, 0, Out = <H as Window<3, 2, 1>>::Out>,
    W: Window<3, 2, 1> + Window<1, 2, 0, Out = <W as Window<3, 2, 1>>::Out>,
{
    type Output = Tensor<(N, Const<O>, <H as Window<3, 2, 1>>::Out, <W as Window<3, 2, 1>>::Out), f32, T>;
    fn apply(&self, x: Tensor<(N, Const<I>, H, W), f32, T>) -> Self::Output {
        let around = self.downsample.forward(x.clone());
        let y = self.bn1.forward(self.conv1.forward(x)).relu();
        (self.bn2.forward(self.conv2.forward(y)) + around).relu()
    }
}

#[cfg(feature = "onnx")]
impl<const I: usize, const O: usize, N: Dim, H, W> ExportOnnx<Tensor<(N, Const<I>, H, W)>> for DownBlock<I, O>
where
    H: Window<3, 2, 1> + Window<1, 2, 0, Out = <H as Window<3, 2, 1>>::Out>,
    W: Window<3, 2, 1> + Window<1, 2, 0, Out = <W as Window<3, 2, 1>>::Out>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<(N, Const<I>, H, W)>>,
    ) -> Value<<Self as Module<Tensor<(N, Const<I>, H, W)>>>::Output> {
        let around = self.downsample.export(graph, x.clone());
        let y = self.conv1.export(graph, x);
        let y = self.bn1.export(graph, y);
        let y = Relu.export(graph, y);
        let y = self.conv2.export(graph, y);
        let y = self.bn2.export(graph, y);
        let sum = graph.node("Add").input(&y).input(&around).output_like(&y);
        Relu.export(graph, sum)
    }
}

/// Eighteen layers: (N, 3, H, W) to logits (N, CLASSES). The parameters have torchvision's names.
///
/// `Stem` and `Pool` are the first convolution and the pooling after it: those for images of 224 x 224 by default;
/// [`CifarResNet18`] has those for small images.
///
/// ```
/// use taut::models::ResNet18;
/// use taut::prelude::*;
/// const _: () = check::<ResNet18<1000>, Tensor<Rank4<1, 3, 224, 224>>>();
/// ```
#[derive(Clone, Debug, Init, Module, Parameters)]
pub struct ResNet18<
    const CLASSES: usize,
    Stem = Conv2dNoBias<3, 64, 7, 2, 3>,
    Pool = MaxPool2d<3, 2, 1>,
    Head = Linear<512, CLASSES>,
> {
    /// The first convolution.
    pub conv1: Stem,
    /// Its batch norm.
    pub bn1: BatchNorm2d<64>,
    relu: Relu,
    maxpool: Pool,
    /// 64 channels.
    pub layer1: (BasicBlock<64>, BasicBlock<64>),
    /// 128 channels, half the size.
    pub layer2: (DownBlock<64, 128>, BasicBlock<128>),
    /// 256 channels, a quarter.
    pub layer3: (DownBlock<128, 256>, BasicBlock<256>),
    /// 512 channels, an eighth.
    pub layer4: (DownBlock<256, 512>, BasicBlock<512>),
    avgpool: GlobalAvgPool2d,
    /// The classifier.
    pub fc: Head,
}

/// [`ResNet18`] without its classifier: 512 features of an image.
///
/// ```no_run
/// use taut::io::ParameterFile;
/// use taut::models::ResNet18Features;
/// use taut::prelude::*;
/// const _: () = check::<ResNet18Features, Tensor<Rank4<1, 3, 224, 224>>>();
/// # fn main() -> Result<(), taut::files::FileError> {
/// let mut features = ResNet18Features::init(&mut StdRng::seed_from_u64(0));
/// ParameterFile::open("resnet18.safetensors")?.without_part("fc").load(&mut features)?;
/// # Ok(())
/// # }
/// ```
pub type ResNet18Features = ResNet18<0, Conv2dNoBias<3, 64, 7, 2, 3>, MaxPool2d<3, 2, 1>, Identity>;

/// [`ResNet18`] for images of 32 x 32: it begins with a 3 x 3 convolution, and does not pool.
///
/// ```
/// use taut::models::CifarResNet18;
/// use taut::prelude::*;
/// const _: () = check::<CifarResNet18<10>, Tensor<Rank4<64, 3, 32, 32>>>();
/// ```
pub type CifarResNet18<const CLASSES: usize> = ResNet18<CLASSES, Same<3, 64>, Identity>;
