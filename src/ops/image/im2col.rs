//! The pixels under a moving window as a matrix (im2col), and back (col2im).
//!
//! A convolution is a matrix product once the pixels under each window form a row:
//!
//! ```text
//!   image 3 x 3        kernel 2, stride 1        im2col: a row for each position
//!
//!   a b c              [a b] [b c]               a b d e
//!   d e f              [d e] [e f]               b c e f
//!   g h i              [d e] [e f]               d e g h
//!                      [g h] [h i]               e f h i
//! ```
//!
//! Shapes: images (N, C, H, W), matrix (N out_h out_w, C k k), with out = (H - k + 2 padding) / stride + 1. The columns
//! are ordered by channel, then down, then across the window; the rows by image, then down, then across.
//!
//! col2im goes back: every pixel becomes the sum of its copies, so e in the image above becomes the sum of four
//! numbers. Each of the two is the gradient of the other.

use crate::kernels::transpose::transpose;
use crate::kernels::window::{Windows, columns_to_image, image_to_columns};
use crate::memory::Storage;
use crate::shape::{Const, Dim, ImageAxes, Product, Shape, Window, show};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// A window whose sizes are chosen at run time. Pairs are (down, across).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window2d {
    /// Its height and width.
    pub kernel: [usize; 2],
    /// The step by which it moves.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub padding: [usize; 2],
    /// The distance between two neighbouring cells of the window.
    pub dilation: [usize; 2],
}

impl Window2d {
    /// A square window with stride 1 and no padding.
    pub const fn square(kernel: usize) -> Self {
        Window2d { kernel: [kernel; 2], stride: [1; 2], padding: [0; 2], dilation: [1; 2] }
    }

    /// The window over images of this size; `None` if it does not fit.
    pub(crate) fn over(self, channels: usize, size: [usize; 2]) -> Option<Windows> {
        let Window2d { kernel, stride, padding, dilation } = self;
        let mut out = [0; 2];
        for axis in 0..2 {
            let span = dilation[axis].checked_mul(kernel[axis].checked_sub(1)?)?.checked_add(1)?;
            let room = padding[axis].checked_mul(2)?.checked_add(size[axis])?.checked_sub(span)?;
            out[axis] = room.checked_div(stride[axis])? + 1;
        }
        Some(Windows { channels, size, kernel, stride, padding, dilation, out })
    }
}

/// The shape of the matrix of a batch: (batch x positions, taps).
#[track_caller]
fn columns_of(batch: usize, windows: &Windows) -> (usize, usize) {
    let ([down, across], [height, width]) = (windows.out, windows.kernel);
    ((batch, down, across).count(), (windows.channels, height, width).count())
}

/// (batch, pixels) to (batch x positions, taps).
fn unfold<E: Float>(windows: &Windows, x: &[E], out: &mut [E]) {
    if x.is_empty() || out.is_empty() {
        return;
    }
    let (taps, positions) = (windows.taps(), windows.positions());
    let mut columns = Storage::scratch(taps * positions);
    for (image, rows) in x.chunks_exact(windows.pixels().max(1)).zip(out.chunks_exact_mut((taps * positions).max(1))) {
        image_to_columns(windows, image, columns.make_mut());
        transpose(columns.as_slice(), taps, positions, rows);
    }
}

/// The reverse: adds to (batch, pixels), which holds zeros.
fn fold<E: Float>(windows: &Windows, x: &[E], out: &mut [E]) {
    if x.is_empty() || out.is_empty() {
        return;
    }
    let (taps, positions) = (windows.taps(), windows.positions());
    let mut columns = Storage::scratch(taps * positions);
    for (rows, image) in x.chunks_exact((taps * positions).max(1)).zip(out.chunks_exact_mut(windows.pixels().max(1))) {
        transpose(rows, positions, taps, columns.make_mut());
        columns_to_image(windows, columns.as_slice(), image);
    }
}

/// Applies `apply` and records it, with `reverse` for its gradient; both write to buffers of zeros.
#[track_caller]
fn linear_map<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    windows: Windows,
    apply: fn(&Windows, &[E], &mut [E]),
    reverse: fn(&Windows, &[E], &mut [E]),
) -> Tensor<O, E, T> {
    let (_, x, trace) = x.into_parts();
    let mut y = Storage::zeros(shape.count());
    apply(&windows, x.as_slice(), y.make_mut());
    let len = x.len();
    let node = record([trace.node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            let mut gradient = Storage::zeros(len);
            reverse(&windows, g.as_slice(), gradient.make_mut());
            parents.add(0, gradient);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// The number of rows of the matrix: positions of the window over a batch.
type Positions<X, const K: usize, const S: usize, const P: usize> =
    (<X as ImageAxes>::N, <<X as ImageAxes>::H as Window<K, S, P>>::Out, <<X as ImageAxes>::W as Window<K, S, P>>::Out);
/// The number of elements under one position of the window.
type Column<X, const K: usize> = (<X as ImageAxes>::C, Const<K>, Const<K>);

impl<X: Shape, E: Float, T: Trace> Tensor<X, E, T> {
    /// The pixels under each position of a `K` x `K` window that moves by `S` over the image with `P` zeros around it:
    /// a row for each position. A convolution is this matrix times the filters.
    ///
    /// ```text
    /// image 3 x 3        kernel 2, stride 1        a row for each position
    ///
    /// a b c              [a b] [b c]               a b d e
    /// d e f              [d e] [e f]               b c e f
    /// g h i              [d e] [e f]               d e g h
    ///                    [g h] [h i]               e f h i
    /// ```
    ///
    /// From (N, C, H, W) to (N out_h out_w, C K K), with out = (H - K + 2 P) / S + 1 rounded down, and zeros for what
    /// lies in the padding. The columns are ordered by channel, then down, then across the window; the rows by image,
    /// then down, then across. (PyTorch's `unfold` gives each image's rows as columns.)
    ///
    /// ```
    /// use taut::prelude::*;
    /// let image = Tensor::from([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]]);
    /// let rows: Tensor<Rank2<4, 4>> = image.im2col::<2, 1, 0>();
    /// assert_eq!(rows.to_array()[1], [2.0, 3.0, 5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the window does not fit a run-time size.
    #[track_caller]
    pub fn im2col<const K: usize, const S: usize, const P: usize>(self) -> Tensor<X::Columns, E, T>
    where
        X: ToColumns<K, S, P>,
    {
        let (shape, sizes) = (self.shape().columns(), self.shape().sizes());
        let &[_, channels, height, width] = sizes.as_ref() else { unreachable!("only images have columns") };
        let window = Window2d { stride: [S; 2], padding: [P; 2], ..Window2d::square(K) };
        let windows = window.over(channels, [height, width]).expect("the type says that it fits");
        linear_map(self, shape, windows, unfold, fold)
    }

    /// [`im2col`](Tensor::im2col) for a window of any shape.
    ///
    /// ```
    /// use taut::ops::Window2d;
    /// use taut::prelude::*;
    /// let image = Tensor::from([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]);
    /// let rows = image.im2col_with(Window2d { kernel: [1, 2], ..Window2d::square(1) });
    /// assert_eq!(rows.shape(), (4, 2));
    /// assert_eq!(rows.to_vec(), [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the window does not fit.
    #[track_caller]
    pub fn im2col_with(self, window: Window2d) -> Tensor<(usize, usize), E, T>
    where
        X: ImageAxes,
    {
        let (batch, channels, height, width) = self.shape().axes();
        let Some(windows) = window.over(channels.size(), [height.size(), width.size()]) else {
            panic!("im2col: {window:?} does not fit images of shape {}", show(self.shape()));
        };
        linear_map(self, columns_of(batch.size(), &windows), windows, unfold, fold)
    }
}

impl<M: Shape, E: Float, T: Trace> Tensor<M, E, T> {
    /// The images of shape `shape`, (N, C, H, W), in which every pixel is the sum of the numbers that
    /// [`im2col`](Tensor::im2col) with the same window would copy it to: e, which appears in all four rows of the
    /// drawing there, becomes the sum of four numbers. Each of the two is the gradient of the other.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let ones = Tensor::<Rank2<4, 4>>::ones();
    /// let counts = ones.col2im::<2, 1, 0, _>(Rank4::<1, 1, 3, 3>::default());
    /// assert_eq!(counts.to_array(), [[[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]]);
    /// ```
    ///
    /// # Panics
    /// If the window does not fit the images, or the matrix does not have the shape that im2col gives.
    #[track_caller]
    pub fn col2im<const K: usize, const S: usize, const P: usize, O>(self, shape: O) -> Tensor<O, E, T>
    where
        O: Shape,
        M: ColumnsOf<O, K, S, P>,
    {
        self.col2im_with(shape, Window2d { stride: [S; 2], padding: [P; 2], ..Window2d::square(K) })
    }

    /// [`col2im`](Tensor::col2im) for a window of any shape.
    ///
    /// # Panics
    /// If `shape` does not have four dimensions, the window does not fit it, or the matrix does not have the shape that
    /// im2col gives.
    #[track_caller]
    pub fn col2im_with<O: Shape>(self, shape: O, window: Window2d) -> Tensor<O, E, T> {
        let sizes = shape.sizes();
        let windows = match *sizes.as_ref() {
            [_, channels, height, width] => window.over(channels, [height, width]),
            _ => None,
        };
        let Some(windows) = windows else {
            panic!("col2im: {window:?} does not fit images of shape {}", show(shape));
        };
        let expected = columns_of(sizes.as_ref()[0], &windows);
        if self.shape().sizes().as_ref() != expected.sizes() {
            let found = show(self.shape());
            panic!("col2im: {window:?} over {} needs a matrix {}, found {found}", show(shape), show(expected));
        }
        linear_map(self, shape, windows, fold, unfold)
    }
}

/// Images of this shape fit a window of kernel `K`, stride `S` and padding `P`, so that im2col makes a matrix of them.
#[diagnostic::on_unimplemented(
    message = "im2col takes images, (batch, channels, height, width), and {Self} comes",
    label = "these are not the four axes of images",
    note = "`unsqueeze::<0>()` makes one image a batch of one; `unsqueeze::<1>()` gives images without channels one"
)]
pub trait ToColumns<const K: usize, const S: usize, const P: usize>: Shape {
    /// The shape of the matrix.
    type Columns: Shape;
    /// The shape of the matrix.
    #[doc(hidden)]
    #[track_caller]
    fn columns(self) -> Self::Columns;
}
impl<B: Dim, C: Dim, H: Dim, W: Dim, const K: usize, const S: usize, const P: usize> ToColumns<K, S, P> for (B, C, H, W)
where
    H: Window<K, S, P>,
    W: Window<K, S, P>,
    Positions<Self, K, S, P>: Product,
    Column<Self, K>: Product,
{
    type Columns = (<Positions<Self, K, S, P> as Product>::Out, <Column<Self, K> as Product>::Out);
    fn columns(self) -> Self::Columns {
        let (batch, channels, height, width) = self;
        let rows = (batch, height.windows(), width.windows()).product();
        (rows, (channels, Const::<K>, Const::<K>).product())
    }
}

/// Other shapes implement it for a window that does not exist: otherwise rustc would look for the method's result when
/// it looks for the method, not find it, and report that there is no such method.
macro_rules! no_columns {
    ($(($($dim:ident)*))*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($dim: Dim),*> ToColumns<0, 0, 0> for ($($dim,)*) {
            type Columns = ();
            fn columns(self) -> Self::Columns {
                panic!("im2col: there is no window of kernel 0 over {}", show(self))
            }
        }
    )* };
}
no_columns! { () (A) (A B) (A B C) (A B C D E) (A B C D E F) }

/// The shape of the matrix that im2col with this window makes of `Images`.
#[diagnostic::on_unimplemented(
    message = "a matrix {Self} is not what a window of kernel {K}, stride {S}, padding {P} makes of images {Images}",
    note = "im2col gives a row for each position in each image, and in it channels times {K} times {K} numbers"
)]
pub trait ColumnsOf<Images, const K: usize, const S: usize, const P: usize> {}
#[diagnostic::do_not_recommend]
impl<X: ImageAxes, R: Dim, L: Dim, const K: usize, const S: usize, const P: usize> ColumnsOf<X, K, S, P> for (R, L)
where
    X::H: Window<K, S, P>,
    X::W: Window<K, S, P>,
    Positions<X, K, S, P>: Product<Out = R>,
    Column<X, K>: Product<Out = L>,
{
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    type Images = (usize, Const<2>, usize, Const<5>);

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut rng = StdRng::seed_from_u64(1);
        let x = Tensor::<Images, f64>::normal_with((2, Const, 4, Const), 0.0, 1.0, &mut rng);
        check_gradients(|x| x.im2col::<3, 1, 1>(), x.clone()).unwrap();
        check_gradients(|x| x.im2col::<2, 2, 0>(), x.clone()).unwrap();
        let window = Window2d { kernel: [1, 3], stride: [2, 1], padding: [1, 0], dilation: [1, 2] };
        check_gradients(|x| x.im2col_with(window), x.clone()).unwrap();
        let columns = x.im2col_with(window);
        let shape = (2_usize, Const::<2>, 4_usize, Const::<5>);
        check_gradients(|columns| columns.col2im_with(shape, window), columns).unwrap();
        let columns = Tensor::<Rank2<18, 8>, f64>::randn(&mut rng);
        check_gradients(|columns| columns.col2im::<2, 1, 1, _>(Rank4::<2, 2, 2, 2>::default()), columns).unwrap();
    }

    #[test]
    fn the_drawing_is_right() {
        let image = Tensor::<Rank4<1, 1, 3, 3>>::from_fn(|[_, _, i, j]| (3 * i + j) as f32);
        let rows = image.clone().im2col::<2, 1, 0>();
        let [a, b, c, d, e, f, g, h, i] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(rows.to_array(), [[a, b, d, e], [b, c, e, f], [d, e, g, h], [e, f, h, i]]);
        let sums = rows.col2im::<2, 1, 0, _>(image.shape());
        assert_eq!(sums[[0, 0, 1, 1]], 4.0 * e);
    }

    #[test]
    #[should_panic(
        expected = "im2col: Window2d { kernel: [5, 5], stride: [1, 1], padding: [0, 0], dilation: [1, 1] } \
                               does not fit images of shape (1, 2, 4, 5)"
    )]
    fn a_window_that_does_not_fit_panics() {
        let _ = Tensor::<Images>::zeros_with((1, Const, 4, Const)).im2col_with(Window2d::square(5));
    }

    #[test]
    #[should_panic(expected = "over (1, 1, 3, 3) needs a matrix (4, 4), found (3, 4)")]
    fn another_matrix_panics() {
        let _ = Tensor::<(usize, usize)>::zeros_with((3, 4))
            .col2im_with(Rank4::<1, 1, 3, 3>::default(), Window2d::square(2));
    }
}
