//! One loop, compiled for several instruction sets.

/// Defines a function whose body is compiled for the default target and for AVX2 + FMA, and chosen when it runs.
///
/// The body is ordinary safe Rust that the compiler vectorises. (It takes a macro: the body must be inlined into a
/// function with `#[target_feature]`, which closures cannot be made to do.) Loops in it are written with `for`: what
/// `for_each` and `fold` are given may end up in a function of its own, without the instructions. The generics are written twice, with and
/// without their bounds, in brackets.
///
/// With `wide` in front it is compiled for AVX-512, too. That makes the build longer, and pays only where much is computed
/// for each number that is read.
macro_rules! vectorized {
    (wide $vis:vis fn $name:ident [$($generics:tt)*] [$($names:tt)*]
        ($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $vis fn $name<$($generics)*>($($argument: $type),*) {
            #[inline(always)]
            fn whole<$($generics)*>($($argument: $type),*) $body

            vectorized! {
                fn narrow [$($generics)*] [$($names)*] ($($argument: $type),*) { whole::<$($names)*>($($argument),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
            fn avx512<$($generics)*>($($argument: $type),*) {
                whole::<$($names)*>($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512vl") {
                // SAFETY: the processor has just said that it has both, and those that do have AVX2 and FMA.
                #[allow(unsafe_code)]
                return unsafe { avx512::<$($names)*>($($argument),*) };
            }
            narrow::<$($names)*>($($argument),*)
        }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident [$($generics:tt)*] [$($names:tt)*]
        ($($argument:ident: $type:ty),* $(,)?) $(-> $return:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<$($generics)*>($($argument: $type),*) $(-> $return)? {
            #[inline(always)]
            fn body<$($generics)*>($($argument: $type),*) $(-> $return)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$($generics)*>($($argument: $type),*) $(-> $return)? {
                body::<$($names)*>($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
                // SAFETY: the processor has just said that it has both.
                #[allow(unsafe_code)]
                return unsafe { avx2::<$($names)*>($($argument),*) };
            }
            body::<$($names)*>($($argument),*)
        }
    };
}
pub(crate) use vectorized;
