//! Scatter plots of words as PNG files.

use super::picture::{BLACK, Picture};
use super::plot::COLOURS;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle};
use embedded_graphics::text::Alignment;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;

const SIZE: Size = Size::new(1100, 850);
/// The area of the points; the margin is for their words.
const AREA: Rectangle = Rectangle::new(Point::new(70, 50), Size::new(930, 760));
/// The size of a letter.
const LETTER: Size = Size::new(8, 13);
const DOT: u32 = 7;

/// A word, its position, and the number of its group, which decides its colour.
pub struct Place {
    pub word: String,
    pub at: [f32; 2],
    pub group: usize,
}

/// Draws words in a plane with the same scale in both directions. Each word is written where it hides no other, if
/// there is room near its point.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_words(path: &Path, title: &str, places: &[Place]) -> Result<(), Box<dyn Error>> {
    let mut picture = Picture::white(SIZE);
    draw(&mut picture, title, places).unwrap_or_else(|never| match never {});
    picture.save(path)?;
    println!("the picture is in {}", path.display());
    Ok(())
}

fn draw(picture: &mut Picture, title: &str, places: &[Place]) -> Result<(), Infallible> {
    picture.text(title, Point::new(SIZE.width as i32 / 2, 14), Alignment::Center, BLACK)?;
    let bounds = [0, 1].map(|axis| {
        let values = places.iter().map(|place| place.at[axis]);
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    });
    let middle = bounds.map(|(low, high)| (low + high) / 2.0);
    let [across, up] = bounds.map(|(low, high)| (high - low).max(1e-6));
    let scale = (AREA.size.width as f32 / across).min(AREA.size.height as f32 / up);
    let centre = AREA.center();
    let point = |place: &Place| {
        let [right, up] = [0, 1].map(|axis| ((place.at[axis] - middle[axis]) * scale) as i32);
        Point::new(centre.x + right, centre.y - up)
    };
    let dots = places.iter().map(|place| Rectangle::with_center(point(place), Size::new_equal(DOT + 2)));
    let mut taken: Vec<Rectangle> = dots.collect();
    for place in places {
        let (at, colour) = (point(place), COLOURS[place.group % COLOURS.len()]);
        Circle::with_center(at, DOT).into_styled(PrimitiveStyle::with_fill(colour)).draw(picture)?;
        let size = Size::new(LETTER.width * place.word.chars().count() as u32, LETTER.height);
        let label = free_place(at, size, &taken);
        picture.text(&place.word, label.top_left, Alignment::Left, colour)?;
        taken.push(label);
    }
    Ok(())
}

/// A rectangle near a point that, if possible, touches none already taken: right, left, above, below, then farther
/// away.
fn free_place(at: Point, size: Size, taken: &[Rectangle]) -> Rectangle {
    let (width, height) = (size.width as i32, size.height as i32);
    let near = |away: i32| {
        let (right, left) = (at.x + away, at.x - away - width);
        let (above, below, level) = (at.y - away - height + 4, at.y + away - 4, at.y - height / 2);
        let centred = at.x - width / 2;
        [
            (right, level),
            (left, level),
            (centred, above),
            (centred, below),
            (right, above),
            (right, below),
            (left, above),
            (left, below),
        ]
    };
    let picture = Rectangle::new(Point::zero(), SIZE);
    let candidates = [7, 14, 22, 32].into_iter().flat_map(near);
    let mut rectangles = candidates.map(|(x, y)| Rectangle::new(Point::new(x, y), size));
    let free = |label: &Rectangle| {
        let inside = picture.intersection(label).size == label.size;
        inside && taken.iter().all(|other| other.intersection(label).is_zero_sized())
    };
    rectangles.find(free).unwrap_or(Rectangle::new(Point::new(at.x + 7, at.y - height / 2), size))
}
