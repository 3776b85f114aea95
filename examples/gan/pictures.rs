//! Grids of images.

use crate::networks::Images;
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

const SIDE: usize = 28;
/// How many pixels of the picture a pixel of an image is wide.
const SCALE: usize = 2;
const GAP: usize = 4;

/// Draws images from -1 (black) to 1 (white) row by row, so many in a row.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_grid(path: &Path, images: &Images, columns: usize) -> Result<(), Box<dyn Error>> {
    let cell = SIDE * SCALE + GAP;
    let rows = images.shape().0.div_ceil(columns);
    let (width, height) = (columns * cell + GAP, rows * cell + GAP);
    let mut bytes = vec![128; width * height];
    for (number, image) in images.as_slice().chunks_exact(SIDE * SIDE).enumerate() {
        let (left, top) = (number % columns * cell + GAP, number / columns * cell + GAP);
        for row in 0..SIDE * SCALE {
            let line = &mut bytes[(top + row) * width + left..][..SIDE * SCALE];
            for (column, byte) in line.iter_mut().enumerate() {
                let gray = image[row / SCALE * SIDE + column / SCALE];
                *byte = ((gray.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8;
            }
        }
    }
    let file = File::create(path).map_err(|error| format!("{}: cannot be written: {error}", path.display()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()?;
    Ok(())
}
