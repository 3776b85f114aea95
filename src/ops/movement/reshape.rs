//! The same elements in another shape: reshape, flatten, squeeze, unsqueeze.
//!
//! Nothing is copied, and nothing recorded: a gradient is laid out in memory like its value, so it fits the old shape
//! as well as the new one, and both tensors share a node on the tape.

use crate::shape::{
    Const, Dim, DivisibleBy, FlattenFrom, HasAxis, InsertAxis, MergeAxes, One, ReshapesTo, Shape, StaticShape,
    shapes_differ, show, show_sizes,
};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

/// The error for a tensor whose shape is not the expected one. See [`Tensor::try_into_shape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    expected: String,
    found: String,
}

impl ShapeMismatch {
    /// These sizes are not those of the shape `O`.
    pub(crate) fn new<O: Shape>(found: &[usize]) -> Self {
        let expected = std::any::type_name::<O>().replace("taut::shape::dim::", "");
        ShapeMismatch { expected, found: show_sizes(found) }
    }
}

impl std::fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a tensor of shape {} is not one of shape {}", self.found, self.expected)
    }
}
impl std::error::Error for ShapeMismatch {}

/// The shape `S` with one of `PARTS` equal parts of axis `A` in its place.
type PartOf<S, const A: usize, const PARTS: usize> =
    <S as HasAxis<A>>::With<<<S as HasAxis<A>>::Length as DivisibleBy<PARTS>>::Quotient>;
/// The shape `S` with axis `A` split into two: `PARTS`, and the size of a part.
type SplitShape<S, const A: usize, const PARTS: usize> = <PartOf<S, A, PARTS> as InsertAxis<A>>::Inserted<Const<PARTS>>;

/// Fails to compile if both shapes are known to the compiler and have different numbers of elements.
const fn same_number_of_elements<S: Shape, O: Shape>() {
    if let (Some(from), Some(to)) = (S::STATIC, O::STATIC) {
        assert!(from == to, "reshape: the two shapes have different numbers of elements");
    }
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The same elements, in row-major order, in a shape known to the compiler.
    ///
    /// A different number of elements does not compile. The compiler multiplies sizes up to 2,048, if the product is in
    /// its table (see [`Product`](crate::shape::Product)); [`reshape_with`](Tensor::reshape_with) takes any sizes.
    ///
    /// # Panics
    /// If the tensor has a run-time dimension and a different number of elements.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank1<6>>::arange().reshape::<Rank2<2, 3>>();
    /// assert_eq!(x.to_array(), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    /// ```
    #[doc(alias = "view")]
    #[track_caller]
    pub fn reshape<O: StaticShape>(self) -> Tensor<O, E, T>
    where
        S: ReshapesTo<O>,
    {
        self.reshape_with(O::default())
    }

    /// The same elements, in row-major order, in another shape, with dimensions of any size.
    ///
    /// A different number of elements is an error when the program is built, if both shapes are known to the compiler.
    ///
    /// # Panics
    /// If the number of elements differs.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank1<6>>::arange().reshape_with((2, Const::<3>));
    /// let x: Tensor<(usize, Const<3>)> = x;
    /// ```
    #[track_caller]
    pub fn reshape_with<O: Shape>(self, shape: O) -> Tensor<O, E, T> {
        const { same_number_of_elements::<S, O>() }
        if shape.count() != self.count() {
            shapes_differ("reshape", self.shape(), shape);
        }
        self.in_shape(shape)
    }

    /// The same elements viewed in another shape of equal size.
    pub(crate) fn in_shape<O: Shape>(self, shape: O) -> Tensor<O, E, T> {
        let (_, storage, trace) = self.into_parts();
        Tensor::from_parts(shape, storage, trace)
    }

    /// The same elements viewed in the shape that `shape` makes of this one, of equal size.
    pub(crate) fn map_shape<O: Shape>(self, shape: impl FnOnce(S) -> O) -> Tensor<O, E, T> {
        let shape = shape(self.shape());
        self.in_shape(shape)
    }

    /// Merges all axes into one.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x: Tensor<Rank1<6>> = Tensor::<Rank2<2, 3>>::ones().flatten();
    /// ```
    pub fn flatten<Q: Shape>(self) -> Tensor<Q, E, T>
    where
        S: FlattenFrom<0, Flattened = Q>,
    {
        self.flatten_from::<0>()
    }

    /// Merges the axes from `A` on into one: `flatten_from::<1>()` turns each image of a batch into a vector.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x: Tensor<Rank2<32, 400>> = Tensor::<Rank4<32, 16, 5, 5>>::ones().flatten_from::<1>();
    /// ```
    pub fn flatten_from<const A: usize>(self) -> Tensor<S::Flattened, E, T>
    where
        S: FlattenFrom<A>,
    {
        let shape = self.shape().flattened();
        self.in_shape(shape)
    }

    /// Splits axis `A` into two: `PARTS`, and the size of a part. `split_axis::<2, 4>()` splits a width into four
    /// heads: (B, L, W) becomes (B, L, 4, W / 4).
    ///
    /// The compiler checks that `PARTS` divides the axis. [`split`](Tensor::split) returns the parts as separate
    /// tensors.
    ///
    /// # Panics
    /// If `PARTS` does not divide a run-time dimension.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank3<2, 10, 64>>::ones();
    /// let heads: Tensor<Rank4<2, 10, 4, 16>> = x.split_axis::<2, 4>();
    /// let by_head: Tensor<Rank4<2, 4, 10, 16>> = heads.permute::<(Axis<0>, Axis<2>, Axis<1>, Axis<3>)>();
    /// ```
    #[doc(alias = "unflatten")]
    #[track_caller]
    pub fn split_axis<const A: usize, const PARTS: usize>(self) -> Tensor<SplitShape<S, A, PARTS>, E, T>
    where
        S: HasAxis<A>,
        S::Length: DivisibleBy<PARTS>,
        PartOf<S, A, PARTS>: InsertAxis<A>,
    {
        let part = self.shape().length().quotient();
        let shape = self.shape().with(part).inserted(Const::<PARTS>);
        self.in_shape(shape)
    }

    /// Merges axes `A` and `A` + 1 into one: the inverse of [`split_axis`](Tensor::split_axis).
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x: Tensor<Rank3<2, 10, 64>> = Tensor::<Rank4<2, 10, 4, 16>>::ones().merge_axes::<2>();
    /// let sequences = Tensor::<(usize, Const<10>, Const<64>)>::zeros_with((2, Const, Const));
    /// let rows: Tensor<(usize, Const<64>)> = sequences.merge_axes::<0>();
    /// ```
    #[track_caller]
    pub fn merge_axes<const A: usize>(self) -> Tensor<S::Merged, E, T>
    where
        S: MergeAxes<A>,
    {
        let shape = self.shape().merged();
        self.in_shape(shape)
    }

    /// The tensor with a new axis of size 1, which is axis `A` of the result.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let row: Tensor<Rank2<1, 3>> = Tensor::from([1.0, 2.0, 3.0]).unsqueeze::<0>();
    /// ```
    pub fn unsqueeze<const A: usize>(self) -> Tensor<S::Inserted<Const<1>>, E, T>
    where
        S: InsertAxis<A>,
    {
        let shape = self.shape().inserted(Const);
        self.in_shape(shape)
    }

    /// Removes axis `A`, which must have size 1.
    ///
    /// # Panics
    /// If the axis has a run-time size other than 1.
    #[track_caller]
    pub fn squeeze<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
        S::Length: One,
    {
        let shape = self.shape();
        if shape.length().size() != 1 {
            panic!("squeeze: axis {A} of shape {} is not of size 1", show(shape));
        }
        self.in_shape(shape.removed())
    }

    /// The same tensor with another type for its shape: a run-time dimension can become one that the compiler knows,
    /// and vice versa.
    ///
    /// # Errors
    /// If a size is not the one that `O` says.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from_vec(vec![1.0_f32; 6], (2_usize, 3_usize)).unwrap();
    /// let y: Tensor<Rank2<2, 3>> = x.clone().try_into_shape().unwrap();
    /// let error = x.try_into_shape::<Rank2<3, 2>>().unwrap_err();
    /// assert_eq!(error.to_string(), "a tensor of shape (2, 3) is not one of shape (Const<3>, Const<2>)");
    /// ```
    pub fn try_into_shape<O: Shape>(self) -> Result<Tensor<O, E, T>, ShapeMismatch> {
        match O::from_sizes(self.shape().sizes().as_ref()) {
            Some(shape) => Ok(self.in_shape(shape)),
            None => Err(ShapeMismatch::new::<O>(self.shape().sizes().as_ref())),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn axes_are_split_and_merged_as_reshape_does() {
        let mut rng = StdRng::seed_from_u64(7);
        let x = Tensor::<Rank3<2, 6, 4>>::randn(&mut rng);
        let split: Tensor<Rank4<2, 3, 2, 4>> = x.clone().split_axis::<1, 3>();
        assert_eq!(split, x.clone().reshape::<Rank4<2, 3, 2, 4>>());
        assert_eq!(split.merge_axes::<1>(), x);
        let last: Tensor<Rank4<2, 6, 2, 2>> = x.clone().split_axis::<2, 2>();
        assert_eq!(last.merge_axes::<2>(), x);
        let first: Tensor<Rank4<2, 1, 6, 4>> = x.clone().split_axis::<0, 2>();
        assert_eq!(first.merge_axes::<0>(), x);
        let run_time = x.clone().reshape_with((2_usize, 6_usize, Const::<4>));
        let split: Tensor<(usize, Const<3>, usize, Const<4>)> = run_time.split_axis::<1, 3>();
        assert_eq!(split.shape(), (2, Const, 2, Const));
        let merged: Tensor<(usize, usize, Const<4>)> = split.merge_axes::<1>();
        assert_eq!(merged.to_vec(), x.to_vec());
        check_gradients(|x| x.split_axis::<1, 2>().merge_axes::<0>(), Tensor::<Rank2<3, 4>, f64>::randn(&mut rng))
            .unwrap();
    }

    #[test]
    #[should_panic(expected = "4 does not divide 6 exactly")]
    fn a_run_time_axis_that_cannot_be_split_panics() {
        let _ = Tensor::<_, f32>::ones_with((2_usize, 6_usize)).split_axis::<1, 4>();
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                let count = x.count();
                check_gradients(|x| x.clone().reshape_with((count,)) * x.flatten(), x.clone()).unwrap();
                check_gradients(|x| x.flatten_from::<2>(), x.clone()).unwrap();
                check_gradients(|x| x.unsqueeze::<1>().squeeze::<1>(), x.clone()).unwrap();
                // the value before and the value after are used
                check_gradients(|x| x.clone().unsqueeze::<0>() * x.reciprocal().unsqueeze::<0>(), x).unwrap();
            }
        );
    }

    #[test]
    fn both_shapes_of_a_watched_input_have_its_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        let flat = x.clone().flatten();
        let gradients = (flat.clone() * x.clone().flatten()).sum().backward();
        assert_eq!(gradients.of_input(&x).to_array(), [[2.0, 4.0], [6.0, 8.0]]);
        assert_eq!(gradients.of_input(&flat).to_array(), [2.0, 4.0, 6.0, 8.0]);
    }

    #[test]
    fn labels_and_masks_have_shapes_too() {
        let x = Tensor::<Rank1<6>, usize>::arange().reshape::<Rank2<2, 3>>();
        assert_eq!(x.to_array(), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(Tensor::from([[true], [false]]).squeeze::<1>().to_array(), [true, false]);
    }

    #[test]
    #[should_panic(expected = "reshape: the shapes (2, 3) and (4,) do not fit")]
    fn another_number_of_elements_is_refused() {
        let _ = Tensor::<(usize, usize)>::ones_with((2, 3)).reshape::<Rank1<4>>();
    }

    #[test]
    #[should_panic(expected = "squeeze: axis 0 of shape (2,) is not of size 1")]
    fn only_an_axis_of_size_one_is_squeezed() {
        let _ = Tensor::<(usize,)>::ones_with((2,)).squeeze::<0>();
    }
}
