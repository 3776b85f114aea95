//! The pictures: rows of images, and codes in a plane.

use crate::common::{BLACK, Picture};
use crate::models::Images;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle};
use embedded_graphics::text::Alignment;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use taut::data::Labels;
use taut::prelude::*;

/// The approximate width of an image in the picture, in pixels.
const IMAGE: usize = 84;
const GAP: i32 = 6;
/// The room for the names of the rows.
const LEFT: i32 = 130;

/// The area of the codes in their picture, and the position of its legend.
const PLANE: Rectangle = Rectangle::new(Point::new(30, 44), Size::new(760, 720));
const LEGEND: i32 = 830;
/// A colour for each class: the "Tableau 10" palette.
const CLASSES: [Rgb888; 10] = [
    Rgb888::new(31, 119, 180),
    Rgb888::new(255, 127, 14),
    Rgb888::new(44, 160, 44),
    Rgb888::new(214, 39, 40),
    Rgb888::new(148, 103, 189),
    Rgb888::new(140, 86, 75),
    Rgb888::new(227, 119, 194),
    Rgb888::new(127, 127, 127),
    Rgb888::new(188, 189, 34),
    Rgb888::new(23, 190, 207),
];

/// A name, and images of one size next to it.
pub struct Row {
    name: String,
    side: usize,
    /// The pixels of each image, row by row.
    images: Vec<Vec<Rgb888>>,
}

impl Row {
    /// Images with one channel (gray) or three (red, green, blue) of numbers from 0 to 1.
    pub fn new<const C: usize, const S: usize>(name: &str, images: &Images<C, S>) -> Self {
        let byte = |number: f32| (number.clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixel = |image: usize, place: usize| {
            let channel = |channel: usize| byte(images[[image, channel.min(C - 1), place / S, place % S]]);
            Rgb888::new(channel(0), channel(1), channel(2))
        };
        let image = |image: usize| (0..S * S).map(|place| pixel(image, place)).collect();
        Row { name: name.into(), side: S, images: (0..images.shape().0).map(image).collect() }
    }
}

/// Draws rows of images below each other.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_rows(path: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let columns = rows.iter().map(|row| row.images.len()).max().unwrap_or(0);
    let cell = |row: &Row| ((IMAGE / row.side).max(1) * row.side) as i32 + GAP;
    let width = LEFT + columns as i32 * rows.iter().map(cell).max().unwrap_or(0);
    let height = rows.iter().map(cell).sum::<i32>() + GAP;
    let mut picture = Picture::white(Size::new(width as u32, height as u32));
    let mut top = GAP;
    for row in rows {
        draw_row(&mut picture, row, top, cell(row)).unwrap_or_else(|never| match never {});
        top += cell(row);
    }
    picture.save(path)?;
    println!("{}", path.display());
    Ok(())
}

fn draw_row(picture: &mut Picture, row: &Row, top: i32, cell: i32) -> Result<(), Infallible> {
    picture.text(&row.name, Point::new(LEFT - 10, top + cell / 2 - 10), Alignment::Right, BLACK)?;
    let scale = (IMAGE / row.side).max(1);
    for (column, image) in (0..).zip(&row.images) {
        picture.image(Point::new(LEFT + column * cell, top), row.side, scale, image.iter().copied())?;
    }
    Ok(())
}

/// Draws codes as dots in the plane in which they differ most, each in the colour of its class.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_codes(path: &Path, places: &Tensor<(usize, Const<2>)>, labels: &Labels) -> Result<(), Box<dyn Error>> {
    let mut picture = Picture::white(Size::new(900, 790));
    draw_plane(&mut picture, places, labels).unwrap_or_else(|never| match never {});
    picture.save(path)?;
    println!("{}", path.display());
    Ok(())
}

fn draw_plane(picture: &mut Picture, places: &Tensor<(usize, Const<2>)>, labels: &Labels) -> Result<(), Infallible> {
    let title = "codes of test images along their first two principal components, coloured by class";
    picture.text(title, Point::new(430, 14), Alignment::Center, BLACK)?;
    let ends = |axis: usize| {
        let along = (0..labels.count()).map(|i| places[[i, axis]]);
        along.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let ((left, right), (low, high)) = (ends(0), ends(1));
    let part = |x: f32, low: f32, high: f32| (x - low) / (high - low).max(f32::MIN_POSITIVE);
    for (i, class) in labels.iter().enumerate() {
        let across = part(places[[i, 0]], left, right) * PLANE.size.width as f32;
        let up = part(places[[i, 1]], low, high) * PLANE.size.height as f32;
        let at = PLANE.top_left + Point::new(across as i32, PLANE.size.height as i32 - up as i32);
        Circle::with_center(at, 6).into_styled(PrimitiveStyle::with_fill(CLASSES[class])).draw(picture)?;
    }
    for (class, colour) in CLASSES.into_iter().enumerate() {
        let at = Point::new(LEGEND, 60 + 20 * class as i32);
        Circle::with_center(at, 9).into_styled(PrimitiveStyle::with_fill(colour)).draw(picture)?;
        picture.text(&class.to_string(), at + Point::new(12, -6), Alignment::Left, BLACK)?;
    }
    Ok(())
}
