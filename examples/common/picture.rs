//! A picture in memory, to draw on and save as PNG.

use embedded_graphics::mono_font::{MonoTextStyle, ascii::FONT_8X13};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};
use std::convert::Infallible;
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

pub const BLACK: Rgb888 = Rgb888::new(40, 40, 40);

/// The canvas: rows of red, green and blue bytes.
pub struct Picture {
    size: Size,
    pixels: Vec<u8>,
}

impl Picture {
    pub fn white(size: Size) -> Self {
        Picture { size, pixels: vec![255; (size.width * size.height * 3) as usize] }
    }

    /// Writes one line of text on a white background, with its top at a point.
    pub fn text(&mut self, text: &str, at: Point, side: Alignment, colour: Rgb888) -> Result<(), Infallible> {
        self.text_on(Rgb888::WHITE, text, at, side, colour)
    }

    /// Writes one line of text on a background of this colour.
    pub fn text_on(
        &mut self,
        ground: Rgb888,
        text: &str,
        at: Point,
        side: Alignment,
        colour: Rgb888,
    ) -> Result<(), Infallible> {
        let style = TextStyleBuilder::new().alignment(side).baseline(Baseline::Top).build();
        let mut font = MonoTextStyle::new(&FONT_8X13, colour);
        font.background_color = Some(ground);
        Text::with_text_style(text, at, font, style).draw(self).map(|_| ())
    }

    /// Draws an image, `width` pixels in a row, each enlarged to `scale` x `scale`, with its corner at a point.
    pub fn image(
        &mut self,
        corner: Point,
        width: usize,
        scale: usize,
        pixels: impl IntoIterator<Item = Rgb888>,
    ) -> Result<(), Infallible> {
        for (place, colour) in pixels.into_iter().enumerate() {
            let at = corner + Point::new((place % width * scale) as i32, (place / width * scale) as i32);
            let square = Rectangle::new(at, Size::new_equal(scale as u32));
            square.into_styled(PrimitiveStyle::with_fill(colour)).draw(self)?;
        }
        Ok(())
    }

    /// Writes the picture to a PNG file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let file = File::create(path).map_err(|error| format!("{}: cannot be written: {error}", path.display()))?;
        let mut encoder = png::Encoder::new(BufWriter::new(file), self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(())
    }
}

impl OriginDimensions for Picture {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Picture {
    type Color = Rgb888;
    type Error = Infallible;
    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            if self.bounding_box().contains(point) {
                let place = 3 * (point.y as usize * self.size.width as usize + point.x as usize);
                self.pixels[place..place + 3].copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
