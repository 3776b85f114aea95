//! One loop, compiled for several instruction sets.

/// Defines a function whose body is compiled for the default target and for AVX2 + FMA, and chosen when it runs.
///
/// The body is ordinary safe Rust that the compiler vectorises. (It takes a macro: the body must be inlined into a
/// function with `#[target_feature]`, which closures cannot be made to do.) Loops in it are written with `for`: what
/// `for_each` and `fold` are given may end up in a function of its own, without the instructions. The generics are written twice, with and
/// without their bounds, in brackets.
macro_rules! vectorized {
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
