//! Misclassified images as PNG files.

use super::picture::{BLACK, Picture};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::text::Alignment;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use taut::prelude::*;

/// The number of images drawn, across and down.
const COLUMNS: usize = 8;
const ROWS: usize = 5;
/// The size of one image with its two lines of text.
const CELL: Size = Size::new(120, 140);
/// The longer side of an image as drawn.
const IMAGE: usize = 96;
const RED: Rgb888 = Rgb888::new(213, 94, 0);

/// One misclassified sample.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// Its index in the dataset.
    pub sample: usize,
    pub label: usize,
    pub predicted: usize,
    /// The probability that the model gave to the wrong class.
    pub probability: f32,
}

/// Draws the mistakes made with the most confidence: the image, its class, and in red the prediction.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_mistakes<H: Dim, W: Dim, D>(
    path: &Path,
    mistakes: &[Mistake],
    images: &D,
    classes: &[&str],
) -> Result<(), Box<dyn Error>>
where
    D: Dataset<Batch<usize> = Tensor<(usize, Const<3>, H, W)>>,
{
    let mut mistakes = mistakes.to_vec();
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    mistakes.truncate(COLUMNS * ROWS);
    let mut picture = Picture::white(Size::new(COLUMNS as u32 * CELL.width, ROWS as u32 * CELL.height));
    for (place, mistake) in mistakes.iter().enumerate() {
        let (column, row) = ((place % COLUMNS) as u32, (place / COLUMNS) as u32);
        let corner = Point::zero() + Size::new(column * CELL.width, row * CELL.height);
        let image = images.gather(1_usize, &[mistake.sample]);
        draw(&mut picture, corner, &image, mistake, classes).unwrap_or_else(|never| match never {});
    }
    picture.save(path)?;
    println!("{} mistakes are in {}", mistakes.len(), path.display());
    Ok(())
}

fn draw<H: Dim, W: Dim>(
    picture: &mut Picture,
    corner: Point,
    image: &Tensor<(usize, Const<3>, H, W)>,
    mistake: &Mistake,
    classes: &[&str],
) -> Result<(), Infallible> {
    let (_, _, height, width) = image.shape();
    let scale = (IMAGE / height.size().max(width.size())).max(1);
    let corner = corner + Point::new((CELL.width as i32 - IMAGE as i32) / 2, 6);
    let pixels = (0..height.size() * width.size()).map(|place| {
        let (row, column) = (place / width.size(), place % width.size());
        let [red, green, blue] = [0, 1, 2].map(|channel| (255.0 * image[[0, channel, row, column]]) as u8);
        Rgb888::new(red, green, blue)
    });
    picture.image(corner, width.size(), scale, pixels)?;
    let below = corner + Point::new(IMAGE as i32 / 2, IMAGE as i32 + 3);
    let name = |class: usize| classes.get(class).copied().unwrap_or("?");
    picture.text(name(mistake.label), below, Alignment::Center, BLACK)?;
    let wrong = format!("{} {:.0}%", name(mistake.predicted), 100.0 * mistake.probability);
    picture.text(&wrong, below + Point::new(0, 14), Alignment::Center, RED)
}
