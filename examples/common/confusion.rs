//! Confusion matrices as PNG files.

use super::picture::{BLACK, Picture};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::Alignment;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use taut::metrics::ConfusionMatrix;

/// The size of one cell.
const CELL: Size = Size::new(44, 26);
/// The upper left corner of the cells, which leaves room for names of 10 letters beside and above them.
const CORNER: Point = Point::new(100, 150);
const LETTER_HEIGHT: i32 = 12;

/// Draws a confusion matrix: a row for each true class, a column for each predicted one. Darker cells have a larger
/// share of their row.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_confusion<const C: usize>(
    path: &Path,
    confusion: &ConfusionMatrix<C>,
    classes: &[&str; C],
) -> Result<(), Box<dyn Error>> {
    let end = CORNER + Size::new(C as u32 * CELL.width, C as u32 * CELL.height) + Point::new(14, 14);
    let mut picture = Picture::white(Size::new(end.x as u32, end.y as u32));
    draw(&mut picture, confusion, classes).unwrap_or_else(|never| match never {});
    picture.save(path)?;
    println!("what was taken for what is in {}", path.display());
    Ok(())
}

fn draw<const C: usize>(
    picture: &mut Picture,
    confusion: &ConfusionMatrix<C>,
    classes: &[&str; C],
) -> Result<(), Infallible> {
    picture.text("taken for", Point::new(8, CORNER.y - 60), Alignment::Left, BLACK)?;
    for (number, name) in (0..).zip(classes) {
        let cell = CORNER + Size::new(number * CELL.width, number * CELL.height);
        picture.text(name, Point::new(CORNER.x - 8, cell.y + 6), Alignment::Right, BLACK)?;
        // written vertically, as there is no room side by side
        let above = CORNER.y - 6 - LETTER_HEIGHT * name.chars().count() as i32;
        for (place, letter) in (0..).zip(name.chars()) {
            let at = Point::new(cell.x + CELL.width as i32 / 2, above + LETTER_HEIGHT * place);
            picture.text(&letter.to_string(), at, Alignment::Center, BLACK)?;
        }
    }
    for label in 0..C {
        let total: usize = (0..C).map(|predicted| confusion.count(label, predicted)).sum();
        for predicted in 0..C {
            let count = confusion.count(label, predicted);
            let corner = CORNER + Size::new(predicted as u32 * CELL.width, label as u32 * CELL.height);
            let part = count as f64 / total.max(1) as f64;
            let ground = shade(part);
            let colour = if part > 0.5 { Rgb888::WHITE } else { BLACK };
            Rectangle::new(corner, CELL).into_styled(PrimitiveStyle::with_fill(ground)).draw(picture)?;
            if count > 0 {
                let at = corner + Point::new(CELL.width as i32 / 2, 6);
                picture.text_on(ground, &count.to_string(), at, Alignment::Center, colour)?;
            }
        }
    }
    Ok(())
}

/// From nearly white for 0 to dark blue for 1. The square root makes rare mistakes visible, too.
fn shade(part: f64) -> Rgb888 {
    let between = |from: f64, to: f64| (from + (to - from) * part.sqrt()) as u8;
    Rgb888::new(between(246.0, 0.0), between(248.0, 70.0), between(250.0, 130.0))
}
