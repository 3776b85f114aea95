//! Pictures in PNG files, as tensors and back. With the feature `image`.
//!
//! ```
//! use taut::data::png;
//! use taut::prelude::*;
//! # fn main() -> Result<(), taut::files::FileError> {
//! # let path = std::env::temp_dir().join(format!("taut-doc-png-{}.png", std::process::id()));
//! let stripes = Tensor::<Rank3<3, 4, 6>>::from_fn(|[channel, _, x]| if x % 3 == channel { 1.0 } else { 0.0 });
//! png::write(&path, &stripes)?;
//! let again: Tensor<(Const<3>, usize, usize)> = png::read(&path)?;
//! assert_eq!(again.try_into_shape::<Rank3<3, 4, 6>>().unwrap(), stripes);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```

use crate::files::{FileError, regular, write_atomically};
use crate::shape::{Const, Dim};
use crate::tensor::Tensor;
use image::codecs::png::{PngDecoder, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError};
use std::io::{BufReader, Write};
use std::path::Path;

/// The channels of a picture: one (gray) or three (red, green and blue).
#[diagnostic::on_unimplemented(
    message = "a picture has `Const<1>` channel (gray) or `Const<3>` (red, green, blue), not `{Self}`"
)]
pub trait Colours: Dim {
    #[doc(hidden)]
    const TYPE: ExtendedColorType;
    #[doc(hidden)]
    const CHANNELS: usize;
    /// All channels of the first pixel, then those of the second.
    #[doc(hidden)]
    fn pixels(image: DynamicImage) -> Vec<f32>;
}
impl Colours for Const<1> {
    const TYPE: ExtendedColorType = ExtendedColorType::L8;
    const CHANNELS: usize = 1;
    fn pixels(image: DynamicImage) -> Vec<f32> {
        image.to_luma32f().into_raw()
    }
}
impl Colours for Const<3> {
    const TYPE: ExtendedColorType = ExtendedColorType::Rgb8;
    const CHANNELS: usize = 3;
    fn pixels(image: DynamicImage) -> Vec<f32> {
        image.into_rgb32f().into_raw()
    }
}

/// Reads a picture: shape (channels, height, width), numbers from 0 to 1.
///
/// The type chooses the number of channels. A colour picture is converted to gray as 0.2126 red + 0.7152 green + 0.0722
/// blue, a gray one to three equal channels; transparency is ignored.
///
/// # Errors
/// If the file cannot be opened, is not a PNG, is damaged, or has more than [`MOST_PIXELS`].
pub fn read<C: Colours>(path: impl AsRef<Path>) -> Result<Tensor<(C, usize, usize)>, FileError> {
    read_with(path, MOST_PIXELS)
}

/// The largest number of pixels that [`read`] accepts: 2^25, about 33 million. With three channels the tensor takes 400
/// MB, and decoding up to another 270 MB.
pub const MOST_PIXELS: u64 = 1 << 25;

/// Like [`read`], with another limit on the number of pixels.
///
/// # Errors
/// As for [`read`]. The number of pixels is checked in the file's header before any memory is allocated for them.
pub fn read_with<C: Colours>(path: impl AsRef<Path>, most_pixels: u64) -> Result<Tensor<(C, usize, usize)>, FileError> {
    let path = path.as_ref();
    let wrong = |error: ImageError| match error {
        // how the decoder reports a truncated file
        ImageError::IoError(error) => FileError::system(path, "cannot be read as PNG", error),
        error => FileError::new(path, format!("is not a whole PNG file: {error}")),
    };
    let (file, _) = regular(path)?;
    let decoder = PngDecoder::new(BufReader::new(file)).map_err(wrong)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        let reason =
            format!("is too large a PNG file: it has {width} x {height} pixels, and {most_pixels} are the most");
        return Err(FileError::new(path, reason));
    }
    let image = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    let (height, width) = (height as usize, width as usize);
    let plane = height * width;
    let shape = C::from_size(C::CHANNELS).expect("as many channels as were asked for");
    let mut planes = vec![0.0; C::CHANNELS * plane];
    // row by row, to avoid a second copy of the whole
    for row in 0..height {
        let pixels = C::pixels(image.crop_imm(0, row as u32, width as u32, 1));
        for (column, pixel) in pixels.chunks_exact(C::CHANNELS).enumerate() {
            for (channel, &value) in pixel.iter().enumerate() {
                planes[channel * plane + row * width + column] = value;
            }
        }
    }
    Ok(Tensor::from_vec(planes, (shape, height, width)).expect("every pixel has every channel"))
}

/// Writes a picture of shape (channels, height, width) with 8 bits for each number. Numbers below 0 and NaN become 0,
/// those above 1 become 1. An existing file is replaced only once the new one is complete.
///
/// # Errors
/// If the picture has no pixels, or the file cannot be written.
pub fn write<C: Colours, H: Dim, W: Dim>(path: impl AsRef<Path>, picture: &Tensor<(C, H, W)>) -> Result<(), FileError> {
    let path = path.as_ref();
    let encoded = encode(picture).map_err(|reason| FileError::new(path, reason))?;
    write_atomically(path, |file| file.write_all(&encoded))
}

/// The bytes of a file, or why there are none.
pub(crate) fn encode<C: Colours, H: Dim, W: Dim>(picture: &Tensor<(C, H, W)>) -> Result<Vec<u8>, String> {
    let (_, height, width) = picture.shape();
    let (height, width) = (height.size(), width.size());
    let plane = height * width;
    let sizes = (u32::try_from(width), u32::try_from(height));
    let (Ok(across), Ok(down), true) = (sizes.0, sizes.1, plane > 0) else {
        return Err(format!("was not written: there are no PNG files of {width} x {height} pixels"));
    };
    // a cast turns NaN into 0
    let byte = |number: f32| (number.clamp(0.0, 1.0) * 255.0).round() as u8;
    let values = picture.as_slice();
    let bytes: Vec<u8> =
        (0..plane).flat_map(|pixel| values[pixel..].iter().step_by(plane).map(|&number| byte(number))).collect();
    let mut encoded = Vec::new();
    PngEncoder::new(&mut encoded)
        .write_image(&bytes, across, down, C::TYPE)
        .map_err(|error| format!("was not written: {error}"))?;
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::Folder;
    use crate::prelude::*;
    use image::{ImageBuffer, Luma, LumaA, Rgba};
    use rand::RngExt;

    fn random_bytes<S: crate::shape::StaticShape>(seed: u64) -> Tensor<S> {
        let mut rng = StdRng::seed_from_u64(seed);
        Tensor::uniform(0.0, 255.0, &mut rng).round() / 255.0
    }

    /// The checksum of PNG and gzip.
    fn crc32(bytes: &[u8]) -> u32 {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        sum.sum()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        let gray = random_bytes::<Rank3<1, 5, 7>>(0);
        write(&path, &gray).unwrap();
        assert_eq!(read::<Const<1>>(&path).unwrap().try_into_shape().ok().as_ref(), Some(&gray));
        let three = read::<Const<3>>(&path).unwrap();
        // converting one channel to three multiplies colours, which rounds
        three.iter().enumerate().for_each(|(i, x)| assert!((x - gray.as_slice()[i % 35]).abs() < 1e-6));
        let colours = random_bytes::<Rank3<3, 4, 1>>(1);
        write(&path, &colours).unwrap();
        let again = read::<Const<3>>(&path).unwrap();
        assert_eq!(again.as_slice(), colours.as_slice());
        let luma = read::<Const<1>>(&path).unwrap();
        for i in 0..4 {
            let [r, g, b] = [0, 1, 2].map(|c| colours.as_slice()[4 * c + i]);
            assert!((luma.as_slice()[i] - (0.2126 * r + 0.7152 * g + 0.0722 * b)).abs() < 1e-3);
        }
    }

    #[test]
    fn numbers_outside_are_clipped() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        write(&path, &Tensor::from([[[-1.0, f32::NAN, 0.5, 2.0, f32::INFINITY]]])).unwrap();
        let read: Tensor<(Const<1>, usize, usize)> = read(&path).unwrap();
        assert_eq!(read.as_slice(), [0.0, 0.0, 128.0 / 255.0, 1.0, 1.0]);
    }

    #[test]
    fn sixteen_bits_and_transparency_are_read() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        ImageBuffer::<Luma<u16>, _>::from_raw(2, 1, vec![0_u16, 65_535]).unwrap().save(&path).unwrap();
        assert_eq!(read::<Const<1>>(&path).unwrap().as_slice(), [0.0, 1.0]);
        ImageBuffer::<Luma<u16>, _>::from_raw(1, 1, vec![1_u16]).unwrap().save(&path).unwrap();
        assert!((read::<Const<1>>(&path).unwrap().as_slice()[0] - 1.0 / 65_535.0).abs() < 1e-7);
        ImageBuffer::<LumaA<u8>, _>::from_raw(1, 1, vec![51_u8, 0]).unwrap().save(&path).unwrap();
        assert_eq!(read::<Const<1>>(&path).unwrap().as_slice(), [0.2]);
        ImageBuffer::<Rgba<u8>, _>::from_raw(1, 1, vec![51_u8, 102, 255, 7]).unwrap().save(&path).unwrap();
        assert_eq!(read::<Const<3>>(&path).unwrap().as_slice(), [0.2, 0.4, 1.0]);
    }

    #[test]
    fn damaged_files_are_errors_and_never_panics() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        write(&path, &random_bytes::<Rank3<3, 6, 9>>(2)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // the last twelve bytes only say that the file ends here
        for length in 0..whole.len() - 12 {
            let cut = folder.file("cut.png", &whole[..length]);
            let error = read::<Const<3>>(&cut).expect_err("a part of a file");
            assert_eq!(error.path(), Some(cut.as_path()));
            assert!(error.to_string().contains("PNG"), "{error}");
        }
        let mut rng = StdRng::seed_from_u64(3);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            bytes[rng.random_range(0..whole.len())] = rng.random();
            let _ = read::<Const<3>>(folder.file("changed.png", &bytes));
        }
        let text = folder.file("text.png", b"this is not a picture");
        assert!(read::<Const<1>>(&text).unwrap_err().to_string().contains("is not a whole PNG file"));
        let missing = read::<Const<1>>(folder.path().join("missing.png")).unwrap_err();
        assert!(missing.to_string().contains("missing.png: cannot be opened"), "{missing}");
    }

    #[test]
    fn a_picture_of_more_pixels_than_may_be_is_refused_by_its_header() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        write(&path, &Tensor::<Rank3<1, 6, 9>>::ones()).unwrap();
        assert!(read_with::<Const<1>>(&path, 54).is_ok());
        let error = read_with::<Const<1>>(&path, 53).unwrap_err();
        assert!(error.reason().contains("it has 9 x 6 pixels, and 53 are the most"), "{error}");
        // a header that promises more than there is
        let mut large = std::fs::read(&path).unwrap();
        large[16..24].copy_from_slice(&[0, 0, 0x16, 0xa1, 0, 0, 0x16, 0xa1]);
        let sum = crc32(&large[12..29]);
        large[29..33].copy_from_slice(&sum.to_be_bytes());
        let error = read::<Const<3>>(folder.file("large.png", &large)).unwrap_err();
        assert!(error.reason().contains("5793 x 5793 pixels, and 33554432 are the most"), "{error}");
        // the largest size that a header can state
        let mut huge = std::fs::read(&path).unwrap();
        huge[16..24].fill(0x7f);
        assert!(read::<Const<3>>(folder.file("huge.png", &huge)).is_err());
    }

    #[test]
    fn a_picture_without_pixels_is_no_file() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        let error = write(&path, &Tensor::<Rank3<3, 0, 5>>::zeros()).unwrap_err();
        assert!(error.to_string().contains("5 x 0 pixels"), "{error}");
        assert!(!path.exists());
        let error = write(folder.path().join("no/x.png"), &Tensor::<Rank3<1, 1, 1>>::ones()).unwrap_err();
        assert!(error.to_string().contains("cannot be saved"), "{error}");
    }
}
