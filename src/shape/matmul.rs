//! Shapes that can be multiplied as matrices, and the shape of the product.

use super::Shape;
use super::dim::Dim;

/// How a product of two shapes is computed: `batch` products of (m, k) with (k, n).
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductSizes {
    pub batch: usize,
    pub m: usize,
    pub k: usize,
    pub n: usize,
    /// The whole batch shares one right-hand matrix.
    pub right_shared: bool,
    /// The whole batch shares one left-hand matrix.
    pub left_shared: bool,
}

/// A tensor of this shape can be multiplied by one of shape `Right`.
///
/// | left | right | result |
/// | --- | --- | --- |
/// | (K) | (K) | () |
/// | (K) | (K, N) | (N) |
/// | (M, K) | (K) | (M) |
/// | (M, K) | (K, N) | (M, N) |
/// | (B.., M, K) | (K, N) | (B.., M, N) |
/// | (M, K) | (B.., K, N) | (B.., M, N) |
/// | (B.., M, K) | (B.., K, N) | (B.., M, N) |
///
/// `B..` stands for one to four batch dimensions.
#[diagnostic::on_unimplemented(
    message = "matmul: `{Self}` times `{Right}` does not fit",
    note = "the last dimension of the left must be the last but one of the right, and batch dimensions must be the same"
)]
pub trait MatMul<Right: Shape>: Shape {
    /// The shape of the product.
    type Out: Shape;
    /// The shape of the product.
    #[doc(hidden)]
    fn product_shape(self, right: Right) -> Self::Out;
    /// The sizes for the kernel, or `None` if run-time dimensions disagree.
    #[doc(hidden)]
    fn product_sizes(self, right: Right) -> Option<ProductSizes>;
}

const ONE: ProductSizes = ProductSizes { batch: 1, m: 1, k: 1, n: 1, right_shared: false, left_shared: false };

impl<K: Dim> MatMul<(K,)> for (K,) {
    type Out = ();
    fn product_shape(self, _: (K,)) {}
    fn product_sizes(self, right: (K,)) -> Option<ProductSizes> {
        (self.0 == right.0).then(|| ProductSizes { k: self.0.size(), ..ONE })
    }
}
impl<K: Dim, N: Dim> MatMul<(K, N)> for (K,) {
    type Out = (N,);
    fn product_shape(self, right: (K, N)) -> (N,) {
        (right.1,)
    }
    fn product_sizes(self, right: (K, N)) -> Option<ProductSizes> {
        (self.0 == right.0).then(|| ProductSizes { k: self.0.size(), n: right.1.size(), ..ONE })
    }
}
impl<M: Dim, K: Dim> MatMul<(K,)> for (M, K) {
    type Out = (M,);
    fn product_shape(self, _: (K,)) -> (M,) {
        (self.0,)
    }
    fn product_sizes(self, right: (K,)) -> Option<ProductSizes> {
        (self.1 == right.0).then(|| ProductSizes { m: self.0.size(), k: self.1.size(), ..ONE })
    }
}
impl<M: Dim, K: Dim, N: Dim> MatMul<(K, N)> for (M, K) {
    type Out = (M, N);
    fn product_shape(self, right: (K, N)) -> (M, N) {
        (self.0, right.1)
    }
    fn product_sizes(self, right: (K, N)) -> Option<ProductSizes> {
        (self.1 == right.0).then(|| ProductSizes { m: self.0.size(), k: self.1.size(), n: right.1.size(), ..ONE })
    }
}

macro_rules! batched {
    ($($($batch:ident $other:ident),+;)*) => { $(
        #[allow(non_snake_case)]
        impl<$($batch: Dim,)+ M: Dim, K: Dim, N: Dim> MatMul<(K, N)> for ($($batch,)+ M, K) {
            type Out = ($($batch,)+ M, N);
            fn product_shape(self, right: (K, N)) -> Self::Out {
                let ($($batch,)+ m, _) = self;
                ($($batch,)+ m, right.1)
            }
            fn product_sizes(self, right: (K, N)) -> Option<ProductSizes> {
                let ($($batch,)+ m, k) = self;
                // one right-hand matrix: the batch just adds rows to the left-hand one
                (k == right.0).then(|| ProductSizes {
                    m: m.size() $(* $batch.size())+, k: k.size(), n: right.1.size(), ..ONE
                })
            }
        }
        #[allow(non_snake_case)]
        impl<$($batch: Dim,)+ M: Dim, K: Dim, N: Dim> MatMul<($($batch,)+ K, N)> for (M, K) {
            type Out = ($($batch,)+ M, N);
            fn product_shape(self, right: ($($batch,)+ K, N)) -> Self::Out {
                let ($($batch,)+ _, n) = right;
                ($($batch,)+ self.0, n)
            }
            fn product_sizes(self, right: ($($batch,)+ K, N)) -> Option<ProductSizes> {
                let ($($batch,)+ k, n) = right;
                (self.1 == k).then(|| ProductSizes {
                    batch: 1 $(* $batch.size())+, m: self.0.size(), k: k.size(), n: n.size(),
                    left_shared: true, right_shared: false,
                })
            }
        }
        #[allow(non_snake_case)]
        impl<$($batch: Dim,)+ M: Dim, K: Dim, N: Dim> MatMul<($($batch,)+ K, N)> for ($($batch,)+ M, K) {
            type Out = ($($batch,)+ M, N);
            fn product_shape(self, right: ($($batch,)+ K, N)) -> Self::Out {
                let ($($batch,)+ m, _) = self;
                let ($($other,)+ _, n) = right;
                $(let _ = $other;)+
                ($($batch,)+ m, n)
            }
            fn product_sizes(self, right: ($($batch,)+ K, N)) -> Option<ProductSizes> {
                let ($($batch,)+ m, k) = self;
                let ($($other,)+ inner, n) = right;
                (k == inner $(&& $batch == $other)+).then(|| ProductSizes {
                    batch: 1 $(* $batch.size())+, m: m.size(), k: k.size(), n: n.size(), ..ONE
                })
            }
        }
    )* };
}
batched! { A P; A P, B Q; A P, B Q, C R; A P, B Q, C R, D S; }
