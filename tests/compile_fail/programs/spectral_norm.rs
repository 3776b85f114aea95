use taut::prelude::*;

fn main() {
    let convolution = Conv1d::<2, 4, 3>::init(&mut StdRng::seed_from_u64(0));
    SpectralNorm::new(convolution, &mut StdRng::seed_from_u64(0));
    let norm = BatchNorm2d::<4>::init(&mut StdRng::seed_from_u64(0));
    //~ `BatchNorm<4>` has no weight that spectral normalisation knows
    //~ `Linear`, the convolutions, `ConvTranspose2d` and `Embedding` have one
    SpectralNorm::new(norm, &mut StdRng::seed_from_u64(0));
}
