//! The pictures: a sheet for each image, tiles of small pictures, and a page with all of them.

use crate::common::{BLACK, Picture};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::Alignment;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use taut::prelude::*;

/// The width of an image as drawn, and the margin around it.
const IMAGE: usize = 112;
const CELL: Size = Size::new(128, 164);
const TOP: i32 = 30;

/// A map over an image, or the image alone.
pub struct Panel {
    pub title: String,
    /// Red, green and blue of each pixel, from 0 to 1.
    pub image: Vec<[f32; 3]>,
    /// A number for each pixel.
    pub map: Option<Vec<f32>>,
}

/// From black through red and yellow to white.
fn heat(part: f32) -> [f32; 3] {
    [0.0, 1.0, 2.0].map(|start| (3.0 * part - start).clamp(0.0, 1.0))
}

fn colour(rgb: [f32; 3]) -> Rgb888 {
    let [red, green, blue] = rgb.map(|x| (x.clamp(0.0, 1.0) * 255.0) as u8);
    Rgb888::new(red, green, blue)
}

/// Draws rows of panels below each other, with a line of text above each row.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_sheet(path: &Path, rows: &[(String, Vec<Panel>)], side: usize) -> Result<(), Box<dyn Error>> {
    let columns = rows.iter().map(|(_, panels)| panels.len()).max().unwrap_or(1) as u32;
    let height = rows.len() as u32 * (CELL.height + TOP as u32);
    let mut picture = Picture::white(Size::new(columns * CELL.width + 8, height));
    for (row, (text, panels)) in (0..).zip(rows) {
        let top = row * (CELL.height as i32 + TOP);
        picture.text(text, Point::new(8, top + 8), Alignment::Left, BLACK).unwrap_or_else(|never| match never {});
        for (column, panel) in (0..).zip(panels) {
            let corner = Point::new(8 + column * CELL.width as i32, top + TOP);
            draw_panel(&mut picture, panel, corner, side).unwrap_or_else(|never| match never {});
        }
    }
    picture.save(path)
}

fn draw_panel(picture: &mut Picture, panel: &Panel, corner: Point, side: usize) -> Result<(), Infallible> {
    let scale = (IMAGE / side).max(1);
    let largest = panel.map.iter().flatten().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let shown = panel.image.iter().enumerate().map(|(place, pixel)| match &panel.map {
        None => colour(*pixel),
        Some(map) => {
            // drawn over a pale grayscale image, to show what is where
            let gray = 0.25 * pixel.iter().sum::<f32>() / 3.0;
            let part = if largest > 0.0 { map[place].max(0.0) / largest } else { 0.0 };
            colour(heat(part).map(|x| gray * (1.0 - part) + x * (0.25 + 0.75 * part)))
        }
    });
    picture.image(corner, side, scale, shown)?;
    let below = corner + Point::new(0, (scale * side) as i32 + 4);
    picture.text(&panel.title, below, Alignment::Left, BLACK)?;
    if panel.map.is_some() {
        // the colour bar, from 0 to the largest number
        for step in 0..IMAGE as i32 / 2 {
            let part = 2.0 * step as f32 / IMAGE as f32;
            let bar = Rectangle::new(below + Point::new(step, 18), Size::new(1, 8));
            bar.into_styled(PrimitiveStyle::with_fill(colour(heat(part)))).draw(picture)?;
        }
        let most = format!("{largest:.2}");
        picture.text(&most, below + Point::new(IMAGE as i32 / 2 + 6, 15), Alignment::Left, BLACK)?;
    }
    Ok(())
}

/// Draws a grayscale picture, (height, width) numbers from 0 to 1, each pixel enlarged to `scale` x `scale`.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_tiles(path: &Path, gray: &Tensor<(usize, usize)>, scale: usize) -> Result<(), Box<dyn Error>> {
    let (height, width) = gray.shape();
    let mut picture = Picture::white(Size::new((width * scale) as u32, (height * scale) as u32));
    let pixels = gray.iter().map(|x| colour([x; 3]));
    picture.image(Point::zero(), width, scale, pixels).unwrap_or_else(|never| match never {});
    picture.save(path)
}

/// Writes a page that shows pictures in its folder one below the other, each with a heading.
///
/// # Errors
/// If the file cannot be written.
pub fn draw_index(path: &Path, title: &str, pictures: &[(String, String)]) -> Result<(), Box<dyn Error>> {
    let mut page = format!("<!doctype html>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n");
    for (file, heading) in pictures {
        page += &format!("<h2>{heading}</h2>\n<img src=\"{file}\" alt=\"{heading}\">\n");
    }
    std::fs::write(path, page).map_err(|error| format!("{}: cannot be written: {error}", path.display()).into())
}
