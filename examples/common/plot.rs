//! Curves in a PNG file.

use super::picture::{BLACK, Picture};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, Polyline, PrimitiveStyle, Rectangle};
use embedded_graphics::text::Alignment;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;

const SIZE: Size = Size::new(900, 560);
/// Where the curves are: the rest is for the labels.
const AREA: Rectangle = Rectangle::new(Point::new(80, 40), Size::new(790, 460));
const GREY: Rgb888 = Rgb888::new(225, 225, 225);
/// Told apart also by readers who do not see all colours. Okabe and Ito, "Color Universal Design", 2008.
const COLOURS: [Rgb888; 6] = [
    Rgb888::new(0, 114, 178),
    Rgb888::new(213, 94, 0),
    Rgb888::new(0, 158, 115),
    Rgb888::new(204, 121, 167),
    Rgb888::new(230, 159, 0),
    Rgb888::new(86, 180, 233),
];

/// A named row of values, the first at x = 1.
pub struct Curve {
    pub name: String,
    pub values: Vec<f64>,
}

/// Draws curves over the number of the epoch, on a logarithmic scale, to a PNG file. Values that are not positive and
/// finite are left out.
///
/// # Errors
/// If the file cannot be written.
pub fn plot(path: &Path, title: &str, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let mut picture = Picture::white(SIZE);
    draw(&mut picture, title, curves).unwrap_or_else(|never| match never {});
    picture.save(path)?;
    println!("the curves are in {}", path.display());
    Ok(())
}

fn draw(picture: &mut Picture, title: &str, curves: &[Curve]) -> Result<(), Infallible> {
    let drawable = |value: &f64| value.is_finite() && *value > 0.0;
    let values: Vec<f64> = curves.iter().flat_map(|curve| &curve.values).copied().filter(drawable).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    let (low, high) = if values.is_empty() { (0.1, 1.0) } else { (low * 0.9, high * 1.1) };
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0).max(1);

    let corner = AREA.bottom_right().expect("the area is not empty");
    let x = |epoch: usize| {
        let part = (epoch - 1) as f64 / (epochs - 1).max(1) as f64;
        AREA.top_left.x + (part * f64::from(AREA.size.width - 1)).round() as i32
    };
    let y = |value: f64| {
        let part = (value / low).ln() / (high / low).ln();
        corner.y - (part * f64::from(AREA.size.height - 1)).round() as i32
    };
    picture.text(title, Point::new(AREA.center().x, 14), Alignment::Center, BLACK)?;
    for tick in ticks(low, high) {
        let height = y(tick);
        line(picture, Point::new(AREA.top_left.x, height), Point::new(corner.x, height), GREY)?;
        picture.text(&tick.to_string(), Point::new(AREA.top_left.x - 8, height - 6), Alignment::Right, BLACK)?;
    }
    for epoch in (1..=epochs).step_by(epochs.div_ceil(20)) {
        line(picture, Point::new(x(epoch), corner.y), Point::new(x(epoch), corner.y + 5), BLACK)?;
        picture.text(&epoch.to_string(), Point::new(x(epoch), corner.y + 8), Alignment::Center, BLACK)?;
    }
    picture.text("epoch", Point::new(AREA.center().x, corner.y + 28), Alignment::Center, BLACK)?;
    AREA.into_styled(PrimitiveStyle::with_stroke(BLACK, 1)).draw(picture)?;

    for (number, (curve, colour)) in curves.iter().zip(COLOURS.into_iter().cycle()).enumerate() {
        let numbered = curve.values.iter().enumerate().filter(|(_, value)| drawable(value));
        let points: Vec<Point> = numbered.map(|(i, &value)| Point::new(x(i + 1), y(value))).collect();
        Polyline::new(&points).into_styled(PrimitiveStyle::with_stroke(colour, 2)).draw(picture)?;
        let place = Point::new(corner.x - 12, AREA.top_left.y + 10 + 18 * number as i32);
        picture.text(&curve.name, place, Alignment::Right, colour)?;
    }
    Ok(())
}

/// 1, 2 and 5 times each power of ten between two numbers.
fn ticks(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)));
    ticks.filter(move |&tick| tick >= low && tick <= high)
}

fn line(picture: &mut Picture, from: Point, to: Point, colour: Rgb888) -> Result<(), Infallible> {
    Line::new(from, to).into_styled(PrimitiveStyle::with_stroke(colour, 1)).draw(picture)
}
