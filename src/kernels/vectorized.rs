//! One loop, compiled for several instruction sets.

/// Whether AVX-512 is worthwhile for a loop over numbers `E`: it is if the work per number is `costly`, as for
/// exponentials. f64 goes without, since it is mostly used to check gradients, and every instruction set makes the
/// build longer.
pub const fn wide_pays<E>(costly: bool) -> bool {
    costly && size_of::<E>() == 4
}

/// Defines a function whose body is compiled for the default target and for AVX2 + FMA, and selected at run time; with
/// `wide(condition)` for AVX-512 too, if the constant is true; see [`wide_pays`]. In the body, `M` is a
/// [`Math`](crate::numbers::math::Math), whose `multiply_add` is one instruction where there is one. AVX2 and AVX-512
/// give the same bits: nothing is fused unless written so.
///
/// The body is ordinary safe Rust that the compiler vectorises. (This must be a macro: the body must be inlined into a
/// function with `#[target_feature]`, which cannot be forced for closures.) Long loops are written with `for`: the
/// closure of a `for_each` or `fold` has the instructions only if the compiler inlines it, which it does for the short
/// ones over zipped slices here, but does not promise. The generics are written twice, with and without their bounds,
/// in brackets.
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        $crate::kernels::vectorized! { wide(false) $(#[$meta])* $vis fn $($rest)* }
    };
    (wide($wide:expr) $(#[$meta:meta])* $vis:vis fn $name:ident [$($generics:tt)*] [$($names:tt)*]
        ($($argument:ident: $type:ty),* $(,)?) $(-> $return:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<$($generics)*>($($argument: $type),*) $(-> $return)? {
            #[inline(always)]
            fn body<M: $crate::numbers::math::Math, $($generics)*>($($argument: $type),*) $(-> $return)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$($generics)*>($($argument: $type),*) $(-> $return)? {
                body::<$crate::numbers::math::Fused, $($names)*>($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<$($generics)*>($($argument: $type),*) $(-> $return)? {
                body::<$crate::numbers::math::Fused, $($names)*>($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            match $crate::kernels::instructions::instructions() {
                $crate::kernels::instructions::Instructions::Portable => {}
                // SAFETY: the processor has said that it has these instructions.
                #[allow(unsafe_code)]
                $crate::kernels::instructions::Instructions::Avx512 if const { $wide } => {
                    return unsafe { avx512::<$($names)*>($($argument),*) };
                }
                // SAFETY: as above; processors with AVX-512 have these too.
                #[allow(unsafe_code)]
                _ => return unsafe { avx2::<$($names)*>($($argument),*) },
            }
            // there is nothing to choose from, and the condition's names are used all the same
            #[cfg(not(target_arch = "x86_64"))]
            let _ = const { $wide };
            body::<$crate::numbers::math::Native, $($names)*>($($argument),*)
        }
    };
}
pub(crate) use vectorized;
