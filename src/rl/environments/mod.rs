//! The built-in environments, one per file, with the rules in the comment at the top.

mod acrobot;
mod breakout;
mod cart_pole;
mod mountain_car;
mod pendulum;

pub use acrobot::Acrobot;
pub use breakout::Breakout;
pub use cart_pole::CartPole;
pub use mountain_car::MountainCar;
pub use pendulum::Pendulum;

/// A canvas of characters.
struct Canvas {
    width: usize,
    cells: Vec<char>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Canvas { width, cells: vec![' '; width * height] }
    }

    fn height(&self) -> usize {
        self.cells.len() / self.width
    }

    /// Draws a character; outside of the canvas nothing happens. Row 0 is the top row.
    fn put(&mut self, column: f64, row: f64, character: char) {
        let (column, row) = (column.round(), row.round());
        if column >= 0.0 && row >= 0.0 && (column as usize) < self.width && (row as usize) < self.height() {
            let place = row as usize * self.width + column as usize;
            self.cells[place] = character;
        }
    }

    /// A line from one point (column, row) to another.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), character: char) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let part = step as f64 / steps;
            self.put(from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1), character);
        }
    }

    fn text(&self) -> String {
        let row = |row: &[char]| row.iter().collect::<String>().trim_end().to_string() + "\n";
        self.cells.chunks(self.width).map(row).collect()
    }
}
