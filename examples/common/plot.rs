//! Line charts as PNG files. Drawn by hand because these programs already use `embedded-graphics` for images and
//! matrices; `plotters` would be a second, much larger drawing library (fonts included) for one kind of picture.

use super::picture::{BLACK, Picture};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, Polyline, PrimitiveStyle, Rectangle};
use embedded_graphics::text::Alignment;
use std::cmp::Ordering;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;

/// The size of a panel.
const SIZE: Size = Size::new(900, 560);
/// The area of the curves in a panel; the rest is for labels.
const AREA: Rectangle = Rectangle::new(Point::new(80, 40), Size::new(790, 460));
const GREY: Rgb888 = Rgb888::new(225, 225, 225);
/// Distinguishable for colour-blind readers. Okabe and Ito, "Color Universal Design", 2008.
pub const COLOURS: [Rgb888; 6] = [
    Rgb888::new(0, 114, 178),
    Rgb888::new(213, 94, 0),
    Rgb888::new(0, 158, 115),
    Rgb888::new(204, 121, 167),
    Rgb888::new(230, 159, 0),
    Rgb888::new(86, 180, 233),
];

/// A named series of values, the first at x = 1.
pub struct Curve {
    pub name: String,
    pub values: Vec<f64>,
}

/// One chart in a picture.
pub struct Panel {
    pub title: String,
    /// The label of the x axis.
    pub x: String,
    /// Whether the y axis is logarithmic; then only positive values are drawn.
    pub logarithmic: bool,
    /// Names and points (x, y).
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
    /// Bands around the curves, in the same order: (x, lower, upper), drawn pale.
    pub bands: Vec<Vec<(f64, f64, f64)>>,
}

/// Plots curves against epochs, on a logarithmic scale, to a PNG file. Values that are not positive and finite are left
/// out.
///
/// # Errors
/// If the file cannot be written.
pub fn plot(path: &Path, title: &str, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let points = |curve: &Curve| (1..).map(f64::from).zip(curve.values.iter().copied()).collect();
    let curves = curves.iter().map(|curve| (curve.name.clone(), points(curve))).collect();
    plot_panels(path, &[Panel { title: title.into(), x: "epoch".into(), logarithmic: true, curves, bands: Vec::new() }])
}

/// Draws panels to a PNG file, two in a row if there are several.
///
/// # Errors
/// If the file cannot be written.
pub fn plot_panels(path: &Path, panels: &[Panel]) -> Result<(), Box<dyn Error>> {
    let columns = panels.len().clamp(1, 2) as u32;
    let rows = (panels.len() as u32).div_ceil(columns);
    let mut picture = Picture::white(Size::new(columns * SIZE.width, rows * SIZE.height));
    for (number, panel) in (0..).zip(panels) {
        let corner = Size::new(number % columns * SIZE.width, number / columns * SIZE.height);
        let area = Rectangle::new(AREA.top_left + corner, AREA.size);
        draw(&mut picture, area, panel).unwrap_or_else(|never| match never {});
    }
    picture.save(path)?;
    println!("the curves are in {}", path.display());
    Ok(())
}

fn draw(picture: &mut Picture, area: Rectangle, panel: &Panel) -> Result<(), Infallible> {
    let drawable = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && (y > 0.0 || !panel.logarithmic);
    let points = || panel.curves.iter().flat_map(|(_, points)| points).copied().filter(drawable);
    let edges = || panel.bands.iter().flatten().flat_map(|&(x, low, high)| [(x, low), (x, high)]).filter(drawable);
    let (first, last) = bounds(points().chain(edges()).map(|(x, _)| x));
    let (low, high) = bounds(points().chain(edges()).map(|(_, y)| y));
    let margin = 0.05 * (high - low);
    let (low, high) = if panel.logarithmic { (low * 0.9, high * 1.1) } else { (low - margin, high + margin) };

    let corner = area.bottom_right().expect("the area is not empty");
    let across = |x: f64| {
        let part = (x - first) / (last - first);
        area.top_left.x + (part * f64::from(area.size.width - 1)).round() as i32
    };
    let up = |y: f64| {
        let part = if panel.logarithmic { (y / low).ln() / (high / low).ln() } else { (y - low) / (high - low) };
        corner.y - (part * f64::from(area.size.height - 1)).round() as i32
    };
    let middle = area.center().x;
    picture.text(&panel.title, Point::new(middle, area.top_left.y - 26), Alignment::Center, BLACK)?;
    let mut heights = if panel.logarithmic { logarithmic_ticks(low, high) } else { Vec::new() };
    if heights.len() < 3 {
        heights = ticks(low, high);
    }
    for tick in heights {
        let height = up(tick);
        line(picture, Point::new(area.top_left.x, height), Point::new(corner.x, height), GREY)?;
        picture.text(&short(tick), Point::new(area.top_left.x - 8, height - 6), Alignment::Right, BLACK)?;
    }
    for tick in ticks(first, last) {
        let place = across(tick);
        line(picture, Point::new(place, corner.y), Point::new(place, corner.y + 5), BLACK)?;
        picture.text(&short(tick), Point::new(place, corner.y + 8), Alignment::Center, BLACK)?;
    }
    picture.text(&panel.x, Point::new(middle, corner.y + 28), Alignment::Center, BLACK)?;
    area.into_styled(PrimitiveStyle::with_stroke(BLACK, 1)).draw(picture)?;

    for (band, colour) in panel.bands.iter().zip(COLOURS.into_iter().cycle()) {
        for pair in band.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            for place in across(from.0)..=across(to.0) {
                let part = f64::from(place - across(from.0)) / f64::from((across(to.0) - across(from.0)).max(1));
                let between = |a: f64, b: f64| up(a + part * (b - a));
                let ends = [between(from.1, to.1), between(from.2, to.2)].map(|height| Point::new(place, height));
                line(picture, ends[0], ends[1], pale(colour))?;
            }
        }
    }
    for (number, ((name, points), colour)) in panel.curves.iter().zip(COLOURS.into_iter().cycle()).enumerate() {
        let points = points.iter().copied().filter(drawable);
        let points: Vec<Point> = points.map(|(x, y)| Point::new(across(x), up(y))).collect();
        Polyline::new(&points).into_styled(PrimitiveStyle::with_stroke(colour, 2)).draw(picture)?;
        // rising curves leave the lower right corner free, falling ones the upper
        let from_top = 10 + 18 * number as i32;
        let height = if panel.logarithmic { area.top_left.y + from_top } else { corner.y - 24 - from_top };
        picture.text(name, Point::new(corner.x - 12, height), Alignment::Right, colour)?;
    }
    Ok(())
}

/// The colour, mixed with four parts of white.
fn pale(colour: Rgb888) -> Rgb888 {
    let mix = |part: u8| 204 + part / 5;
    Rgb888::new(mix(colour.r()), mix(colour.g()), mix(colour.b()))
}

/// The smallest and the largest value, widened if they are equal.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    match low.partial_cmp(&high) {
        Some(Ordering::Less) => (low, high),
        Some(Ordering::Equal) => (low, low + low.abs().max(1.0)),
        _ => (0.1, 1.0),
    }
}

/// 1, 2 and 5 times each power of ten between two numbers.
fn logarithmic_ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)));
    ticks.filter(|&tick| tick >= low && tick <= high).collect()
}

/// At most ten ticks between two numbers, spaced by 1, 2 or 5 times a power of ten.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decade = 10_f64.powf(((high - low) / 10.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * decade).into_iter().find(|step| (high - low) / step <= 10.0);
    let step = step.unwrap_or(high - low);
    let numbers = (low / step).ceil() as i64..=(high / step).floor() as i64;
    numbers.map(|number| number as f64 * step).collect()
}

/// A number without digits that are only rounding error.
fn short(tick: f64) -> String {
    ((tick * 1e9).round() / 1e9).to_string()
}

fn line(picture: &mut Picture, from: Point, to: Point, colour: Rgb888) -> Result<(), Infallible> {
    Line::new(from, to).into_styled(PrimitiveStyle::with_stroke(colour, 1)).draw(picture)
}
