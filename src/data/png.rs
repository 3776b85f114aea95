//! Pictures in PNG files, as tensors and back. With the feature `image`.
//!
//! ```
//! use taut::data::png;
//! use taut::prelude::*;
//! # fn main() -> Result<(), taut::data::DataError> {
//! # let path = std::env::temp_dir().join(format!("taut-doc-png-{}.png", std::process::id()));
//! let stripes = Tensor::<Rank3<3, 4, 6>>::from_fn(|[channel, _, x]| if x % 3 == channel { 1.0 } else { 0.0 });
//! png::write(&path, &stripes)?;
//! let again: Tensor<(Const<3>, usize, usize)> = png::read(&path)?;
//! assert_eq!(again.try_into_shape::<Rank3<3, 4, 6>>().unwrap(), stripes);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```

use super::DataError;
use crate::shape::{Const, Dim};
use crate::tensor::Tensor;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageError, ImageFormat, ImageReader};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A picture has one channel, gray, or three: red, green and blue.
#[diagnostic::on_unimplemented(
    message = "a picture has `Const<1>` channel (gray) or `Const<3>` (red, green, blue), not `{Self}`"
)]
pub trait Colours: Dim {
    #[doc(hidden)]
    const TYPE: ExtendedColorType;
    /// All channels of the first pixel, then those of the second.
    #[doc(hidden)]
    fn pixels(image: DynamicImage) -> Vec<f32>;
}
impl Colours for Const<1> {
    const TYPE: ExtendedColorType = ExtendedColorType::L8;
    fn pixels(image: DynamicImage) -> Vec<f32> {
        image.to_luma32f().into_raw()
    }
}
impl Colours for Const<3> {
    const TYPE: ExtendedColorType = ExtendedColorType::Rgb8;
    fn pixels(image: DynamicImage) -> Vec<f32> {
        image.into_rgb32f().into_raw()
    }
}

/// Reads a picture: shape (channels, height, width), numbers from 0 to 1.
///
/// The type says how many channels are wanted. A picture in colours becomes gray by 0.2126 red + 0.7152 green + 0.0722
/// blue, a gray one has three equal channels; transparency is left out.
///
/// # Errors
/// If the file cannot be opened, is no PNG, is damaged, or needs more than 512 MiB.
pub fn read<C: Colours>(path: impl AsRef<Path>) -> Result<Tensor<(C, usize, usize)>, DataError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|error| DataError::io(path, "cannot be opened", error))?;
    let image = ImageReader::with_format(BufReader::new(file), ImageFormat::Png).decode();
    let image = image.map_err(|error| match error {
        ImageError::Limits(error) => DataError::new(path, format!("is too large a picture: {error}")),
        // how the decoder meets the end of a file that is cut off, or a folder
        ImageError::IoError(error) => DataError::io(path, "cannot be read as PNG", error),
        error => DataError::new(path, format!("is no whole PNG file: {error}")),
    })?;
    let (height, width) = (image.height() as usize, image.width() as usize);
    let pixels = C::pixels(image);
    let channels = pixels.len() / (height * width);
    let planes = (0..channels).flat_map(|channel| pixels[channel..].iter().step_by(channels).copied()).collect();
    let shape = C::from_size(channels).expect("as many channels as were asked for");
    Ok(Tensor::from_vec(planes, (shape, height, width)).expect("every pixel has every channel"))
}

/// Writes a picture of shape (channels, height, width) with 8 bits for each number. Numbers below 0 and no numbers
/// become 0, those above 1 become 1.
///
/// # Errors
/// If the picture has no pixels, or the file cannot be written.
pub fn write<C: Colours, H: Dim, W: Dim>(path: impl AsRef<Path>, picture: &Tensor<(C, H, W)>) -> Result<(), DataError> {
    let path = path.as_ref();
    let (_, height, width) = picture.shape();
    let (height, width) = (height.size(), width.size());
    let plane = height * width;
    let sizes = (u32::try_from(width), u32::try_from(height));
    let (Ok(across), Ok(down), true) = (sizes.0, sizes.1, plane > 0) else {
        let reason = format!("was not written: there are no PNG files of {width} x {height} pixels");
        return Err(DataError::new(path, reason));
    };
    // a cast takes what is no number to 0
    let byte = |number: f32| (number.clamp(0.0, 1.0) * 255.0).round() as u8;
    let values = picture.as_slice();
    let bytes: Vec<u8> =
        (0..plane).flat_map(|pixel| values[pixel..].iter().step_by(plane).map(|&number| byte(number))).collect();
    let mut encoded = Vec::new();
    PngEncoder::new(&mut encoded)
        .write_image(&bytes, across, down, C::TYPE)
        .map_err(|error| DataError::new(path, format!("was not written: {error}")))?;
    std::fs::write(path, encoded).map_err(|error| DataError::io(path, "cannot be written", error))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Folder;
    use super::*;
    use crate::prelude::*;
    use image::{ImageBuffer, Luma, LumaA, Rgba};
    use rand::RngExt;

    fn random_bytes<S: crate::shape::StaticShape>(seed: u64) -> Tensor<S> {
        let mut rng = StdRng::seed_from_u64(seed);
        Tensor::uniform(0.0, 255.0, &mut rng).round() / 255.0
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        let gray = random_bytes::<Rank3<1, 5, 7>>(0);
        write(&path, &gray).unwrap();
        assert_eq!(read::<Const<1>>(&path).unwrap().try_into_shape().ok().as_ref(), Some(&gray));
        let three = read::<Const<3>>(&path).unwrap();
        // one channel becomes three through a product of colours, which rounds
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
            assert_eq!(error.path(), cut);
            assert!(error.to_string().contains("PNG"), "{error}");
        }
        let mut rng = StdRng::seed_from_u64(3);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            bytes[rng.random_range(0..whole.len())] = rng.random();
            let _ = read::<Const<3>>(folder.file("changed.png", &bytes));
        }
        let text = folder.file("text.png", b"this is no picture");
        assert!(read::<Const<1>>(&text).unwrap_err().to_string().contains("is no whole PNG file"));
        let missing = read::<Const<1>>(folder.path().join("missing.png")).unwrap_err();
        assert!(missing.to_string().contains("missing.png: cannot be opened"), "{missing}");
    }

    #[test]
    fn a_picture_without_pixels_is_no_file() {
        let folder = Folder::new();
        let path = folder.path().join("x.png");
        let error = write(&path, &Tensor::<Rank3<3, 0, 5>>::zeros()).unwrap_err();
        assert!(error.to_string().contains("5 x 0 pixels"), "{error}");
        assert!(!path.exists());
        let error = write(folder.path().join("no/x.png"), &Tensor::<Rank3<1, 1, 1>>::ones()).unwrap_err();
        assert!(error.to_string().contains("cannot be written"), "{error}");
    }
}
