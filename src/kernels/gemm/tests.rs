use super::pack::Strips;
use super::*;
use crate::kernels::instructions::Instructions;
use crate::kernels::instructions::tests::{FORCED, available, with};
use crate::kernels::store::Store;
use crate::kernels::testing::random;
use crate::numbers::Generator;

/// A matrix stored by rows, by columns, or with gaps between its entries. Its slice ends with its last entry.
fn stored<E: Float>(values: &[E], (m, n): (usize, usize), layout: usize) -> Matrix<'_, E> {
    let mut matrix = match layout {
        0 => Matrix::rows(values, n),
        1 => Matrix::transposed(values, m),
        _ => Matrix { values, row_stride: 2 * n + 3, column_stride: 2 },
    };
    let last = m.saturating_sub(1) * matrix.row_stride + n.saturating_sub(1) * matrix.column_stride;
    matrix.values = if m > 0 && n > 0 { &values[..last + 1] } else { &[] };
    matrix
}

/// Compares with sums in f64, for every layout of both operands, with and without adding.
fn compare<E: InRegisters>(m: usize, k: usize, n: usize, rng: &mut Generator) {
    let room = |m: usize, n: usize| m * (2 * n + 3) + 1;
    let (a, b) = (random::<E>(room(m, k), rng), random::<E>(room(k, n), rng));
    let before = random::<E>(m * n, rng);
    for layouts in 0..9 {
        let (a, b) = (stored(&a, (m, k), layouts / 3), stored(&b, (k, n), layouts % 3));
        for store in [Store::Overwrite, Store::Add] {
            let exact = |i: usize, j: usize| {
                let start = if store.adds() { before[i * n + j].as_f64() } else { 0.0 };
                (0..k).fold(start, |sum, p| sum + a.at(i, p).as_f64() * b.at(p, j).as_f64())
            };
            let mut results = Vec::new();
            for instructions in available() {
                let mut three = [before.clone(), before.clone(), before.clone()];
                with(instructions, || {
                    gemm(m, k, n, a, b, &mut three[0], store);
                    Packed::new(m, k, n, b).times(m, a, &mut three[1], store, true);
                    if k > 0 && m > 0 && n > 0 {
                        let (b, c) = (Right::Matrix(b), three[2].as_mut_ptr());
                        // SAFETY: the matrices were made for these sizes.
                        #[allow(unsafe_code)]
                        unsafe {
                            compute(&Part { m, k, n, a, b, c, stride: n, store });
                        }
                    } else {
                        three[2] = three[0].clone();
                    }
                });
                results.extend(three);
            }
            let tolerance = E::epsilon().as_f64() * (k + 1) as f64;
            for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                for c in &results {
                    let (found, expected) = (c[i * n + j].as_f64(), exact(i, j));
                    assert!(
                        (found - expected).abs() <= tolerance,
                        "{m} x {k} x {n}, layouts {layouts}, {store:?}, entry ({i}, {j}): {found}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn all_small_sizes_are_right() {
    let mut rng = Generator::new(0);
    let sizes = [0, 1, 2, 3, 5, 6, 7, 8, 9, 17];
    for m in sizes {
        for n in sizes.into_iter().chain([33]) {
            for k in [0, 7, 9] {
                compare::<f32>(m, k, n, &mut rng);
                compare::<f64>(m, k, n, &mut rng);
            }
        }
    }
}

#[test]
fn sizes_beyond_one_block_are_right() {
    let mut rng = Generator::new(1);
    for (m, k, n) in [
        (150, 3, 7),
        (7, 519, 18),
        (3, 5, 2_065),
        (13, 2, 300),
        (1, 70, 300),
        (300, 70, 1),
        (200, 9, 130),
        (601, 9, 40),
    ] {
        compare::<f32>(m, k, n, &mut rng);
        compare::<f64>(m, k, n, &mut rng);
    }
}

/// More rows and more columns than a block has on any processor, compared with the crate matrixmultiply, which computes
/// products if there is no kernel.
#[test]
fn large_products_are_those_of_another_library() {
    fn compare<E: InRegisters>((m, k, n): (usize, usize, usize), rng: &mut Generator) {
        let (a, b) = (random::<E>(m * k, rng), random::<E>(k * n, rng));
        let before = random::<E>(m * n, rng);
        for layouts in 0..4 {
            let (a, b) = (stored(&a, (m, k), layouts / 2), stored(&b, (k, n), layouts % 2));
            let product = |instructions| {
                let mut c = before.clone();
                with(instructions, || gemm(m, k, n, a, b, &mut c, Store::Add));
                c
            };
            let expected = product(Instructions::Portable);
            let tolerance = E::epsilon().as_f64() * (k + 1) as f64;
            for instructions in available() {
                let off = |(x, y): (&E, &E)| (x.as_f64() - y.as_f64()).abs() > tolerance;
                let wrong = product(instructions).iter().zip(&expected).position(off);
                assert_eq!(wrong, None, "{m} x {k} x {n}, layouts {layouts}, {instructions:?}");
            }
        }
    }
    let mut rng = Generator::new(4);
    compare::<f32>((1_409, 261, 9), &mut rng);
    compare::<f32>((61, 13, 4_201), &mut rng);
    compare::<f64>((709, 259, 5), &mut rng);
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let mut rng = Generator::new(2);
    for (m, k, n) in [(203, 300, 110), (90, 70, 330), (1, 400, 1_000), (1, 70_000, 3)] {
        let (a, b) = (random::<f32>(m * k, &mut rng), random::<f32>(k * n, &mut rng));
        for instructions in available() {
            let product = |threads| {
                let mut c = vec![0.0; m * n];
                // each thread of the pool uses these instructions
                let start = move |_| FORCED.set(Some(instructions));
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(start).build().unwrap();
                let (a, b) = (Matrix::rows(&a, k), Matrix::rows(&b, n));
                pool.install(|| gemm(m, k, n, a, b, &mut c, Store::Overwrite));
                let mut of_packed = vec![0.0; m * n];
                pool.install(|| Packed::new(m, k, n, b).times(m, a, &mut of_packed, Store::Overwrite, true));
                assert!(of_packed == c, "{m} x {k} x {n}, packed, {instructions:?}");
                c
            };
            let one = product(1);
            for threads in [2, 3, 8] {
                assert!(product(threads) == one, "{m} x {k} x {n}, {threads} threads, {instructions:?}");
            }
        }
    }
}

#[test]
fn avx2_and_avx512_give_the_same_bits() {
    let mut rng = Generator::new(3);
    for (m, k, n) in [(7, 83, 7), (64, 784, 128), (13, 600, 70), (150, 3, 330)] {
        let (a, b) = (random::<f32>(m * k, &mut rng), random::<f32>(k * n, &mut rng));
        let product = |instructions| {
            let mut c = vec![0.0; m * n];
            let part = Part {
                m,
                k,
                n,
                a: Matrix::rows(&a, k),
                b: Right::Matrix(Matrix::rows(&b, n)),
                c: c.as_mut_ptr(),
                stride: n,
                store: Store::Overwrite,
            };
            // SAFETY: the matrices were made for these sizes.
            #[allow(unsafe_code)]
            with(instructions, || unsafe { compute(&part) });
            c
        };
        let wide: Vec<_> =
            available().filter(|&instructions| instructions >= Instructions::Avx2).map(product).collect();
        assert!(wide.windows(2).all(|pair| pair[0] == pair[1]), "{m} x {k} x {n}");
    }
}

/// Sizes whose products wrap to the lengths of the slices: nothing outside them is read or written.
#[test]
fn sizes_that_wrap_are_refused() {
    let refused = |f: &mut dyn FnMut()| {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err());
    };
    let third = usize::MAX / 3 + 1; // three times this is 2
    let half = 1 << (usize::BITS / 2); // its square is 0
    let (few, mut c) = ([1.0_f32; 6], [0.0_f32; 2]);
    let rows = |columns| Matrix::rows(&few, columns);
    refused(&mut || gemm(third, 2, 3, rows(2), rows(3), &mut c, Store::Overwrite));
    refused(&mut || gemm(half, 1, half, rows(1), rows(half), &mut c[..0], Store::Overwrite));
    refused(&mut || gemm(1, third, 2, rows(third), rows(2), &mut c, Store::Overwrite));
    refused(&mut || gemm(3, third, 1, rows(third), rows(1), &mut c, Store::Overwrite));
    let wide = Matrix { values: &few, row_stride: half, column_stride: half };
    refused(&mut || gemm(1, half + 1, 1, wide, rows(1), &mut c[..1], Store::Overwrite));
    refused(&mut || gemm(2, 1, 1, Matrix { row_stride: usize::MAX, ..wide }, rows(1), &mut c, Store::Overwrite));
    refused(&mut || super::pack_panels(rows(1), (half, half), half, &mut c[..0]));
    refused(&mut || drop(Packed::new(half, half, half, rows(half))));
    refused(&mut || batched((half, 1, half), |_| rows(1), |_| rows(half), &mut c, Store::Overwrite));
}

#[test]
fn strips_hold_every_row_once_and_few_rows_are_low() {
    for (most, height) in [6, 12].into_iter().flat_map(|most| (0..100).map(move |height| (most, height))) {
        let cut = Strips { height, most };
        let strips: Vec<_> = (0..cut.count()).map(|index| cut.rows(index)).collect();
        assert!(strips.iter().cloned().flatten().eq(0..height), "{height}: {strips:?}");
        assert!(strips.iter().all(|rows| rows.len() <= most));
    }
    let lengths = |height| {
        let cut = Strips { height, most: 6 };
        (0..cut.count()).map(|index| cut.rows(index).len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(2), [2]);
    assert_eq!(lengths(13), [6, 4, 3]);
    assert_eq!(lengths(32), [6, 6, 6, 6, 4, 4]);
    assert_eq!(lengths(33), [6, 6, 6, 6, 6, 3]);
}
