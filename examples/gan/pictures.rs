//! Grids of images.

use crate::common::Picture;
use crate::networks::Images;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;

const SIDE: usize = 28;
/// The width of an image's pixel in the picture, in pixels.
const SCALE: usize = 2;
const GAP: usize = 4;
/// The distance from one image to the next.
const CELL: usize = SIDE * SCALE + GAP;
const GROUND: Rgb888 = Rgb888::new(128, 128, 128);

/// Draws images from -1 (black) to 1 (white) in rows of `columns`.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_grid(path: &Path, images: &Images, columns: usize) -> Result<(), Box<dyn Error>> {
    let rows = images.shape().0.div_ceil(columns);
    let [width, height] = [columns, rows].map(|images| images * CELL + GAP);
    let mut picture = Picture::white(Size::new(width as u32, height as u32));
    draw(&mut picture, images, columns).unwrap_or_else(|never| match never {});
    picture.save(path)
}

fn draw(picture: &mut Picture, images: &Images, columns: usize) -> Result<(), Infallible> {
    picture.clear(GROUND)?;
    for (number, image) in images.as_slice().chunks_exact(SIDE * SIDE).enumerate() {
        let [left, top] = [number % columns, number / columns].map(|place| (place * CELL + GAP) as i32);
        let gray = |x: &f32| {
            let byte = ((x.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8;
            Rgb888::new(byte, byte, byte)
        };
        picture.image(Point::new(left, top), SIDE, SCALE, image.iter().map(gray))?;
    }
    Ok(())
}
