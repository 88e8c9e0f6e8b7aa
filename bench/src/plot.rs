//! A plot of lines over a linear and a logarithmic axis, as SVG.
//!
//! Invariant: every point of every line lies within the axes, whose ends are round numbers.

use std::fmt::Write as _;

/// Size of the picture, and where in it the axes lie.
const SIZE: (f64, f64) = (880.0, 460.0);
const LEFT: f64 = 70.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 400.0;
/// Told apart by those who see few colours, too.
const COLOURS: [&str; 4] = ["#d55e00", "#0072b2", "#cc79a7", "#009e73"];

/// Lines over the same axes.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: String,
    /// What the logarithmic axis counts.
    pub(crate) y: String,
    pub(crate) series: Vec<Series>,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// From left to right; all positive.
    pub(crate) points: Vec<(f64, f64)>,
    /// Of what limits the others: dashed.
    pub(crate) of_limit: bool,
}

impl Plot {
    pub(crate) fn svg(&self) -> String {
        let axes = Axes::around(self.series.iter().flat_map(|series| series.points.iter().copied()));
        let (width, height) = SIZE;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
             font-size=\"13\" fill=\"#222\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
        );
        text(&mut svg, (LEFT, 28.0), "font-size=\"16\" font-weight=\"bold\"", &self.title);
        text(&mut svg, (f64::midpoint(LEFT, RIGHT), 445.0), "text-anchor=\"middle\"", &self.x);
        let upright = "text-anchor=\"middle\" transform=\"rotate(-90 20 225)\"";
        text(&mut svg, (20.0, 225.0), upright, &self.y);
        axes.draw(&mut svg);
        for (at, series) in self.series.iter().enumerate() {
            series.draw(&mut svg, &axes, at);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Series {
    fn draw(&self, svg: &mut String, axes: &Axes, at: usize) {
        let colour = COLOURS[at % COLOURS.len()];
        let dashes = if self.of_limit { " stroke-dasharray=\"6 4\"" } else { "" };
        let stroke = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}");
        let places: Vec<(f64, f64)> = self.points.iter().map(|point| axes.place(*point)).collect();
        let corners: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // Writing to a string never fails.
        let _ = writeln!(svg, "<polyline points=\"{}\" {stroke}/>", corners.join(" "));
        for (x, y) in places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let y = TOP + 14.0 + 24.0 * at as f64;
        let (from, to) = (RIGHT + 16.0, RIGHT + 42.0);
        let _ = writeln!(svg, "<path d=\"M{from} {y}H{to}\" {stroke}/>");
        text(svg, (to + 8.0, y + 4.0), "font-size=\"12\"", &self.name);
    }
}

/// From 0 to `right`, and from 10^`low` to 10^`high`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axes {
    right: f64,
    /// Between two lines of the grid.
    step: f64,
    low: i32,
    high: i32,
}

impl Axes {
    fn around(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let (mut right, mut lowest, mut highest) = (1.0_f64, f64::MAX, f64::MIN_POSITIVE);
        for (x, y) in points {
            (right, lowest, highest) = (right.max(x), lowest.min(y), highest.max(y));
        }
        let step = round_step(right / 5.0);
        #[expect(clippy::cast_possible_truncation, reason = "powers of ten of a float are few hundred")]
        let (low, high) = (lowest.min(highest).log10().floor() as i32, highest.log10().ceil() as i32);
        Self { right: (right / step).ceil() * step, step, low, high: high.max(low + 1) }
    }

    fn place(self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = (y.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        (LEFT + x / self.right * (RIGHT - LEFT), BOTTOM - share * (BOTTOM - TOP))
    }

    /// The grid and what its lines stand for.
    fn draw(self, svg: &mut String) {
        let mut x = 0.0;
        while x <= self.right * 1.001 {
            let (at, _) = self.place((x, 1.0));
            let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/>");
            text(svg, (at, BOTTOM + 20.0), "text-anchor=\"middle\"", &format!("{x}"));
            x += self.step;
        }
        for power in self.low..=self.high {
            let value = 10_f64.powi(power);
            let (_, at) = self.place((0.0, value));
            let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#bbb\"/>");
            text(svg, (LEFT - 8.0, at + 4.0), "text-anchor=\"end\"", &format!("{value}"));
            for part in 2..10 {
                let (_, at) = self.place((0.0, value * f64::from(part)));
                if at > TOP {
                    let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#eee\"/>");
                }
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, and at least this.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= least);
    step.unwrap_or(10.0) * power
}

fn text(svg: &mut String, (x, y): (f64, f64), attributes: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_around_all_points() {
        let points = [(1300.0, 0.25), (13_000.0, 42.0)];
        let axes = Axes::around(points.into_iter());
        assert_eq!(axes, Axes { right: 15_000.0, step: 5000.0, low: -1, high: 2 });
        for (x, y) in points.map(|point| axes.place(point)) {
            assert!((LEFT..=RIGHT).contains(&x) && (TOP..=BOTTOM).contains(&y), "{x} {y}");
        }
        assert_eq!(axes.place((0.0, 0.1)), (LEFT, BOTTOM));
        assert_eq!(axes.place((15_000.0, 100.0)), (RIGHT, TOP));
    }

    #[test]
    fn every_line_is_drawn_and_named() {
        let line = |name: &str, of_limit| Series { name: name.into(), points: vec![(1.0, 2.0), (3.0, 4.0)], of_limit };
        let series = vec![line("p50 < p99", false), line("limit", true)];
        let svg = Plot { title: "t".into(), x: "x".into(), y: "y".into(), series }.svg();
        assert_eq!((svg.matches("<polyline").count(), svg.matches("<circle").count()), (2, 4));
        // In the line and where its name stands.
        assert_eq!(svg.matches("stroke-dasharray").count(), 2);
        assert!(svg.contains("p50 &lt; p99") && svg.ends_with("</svg>\n"), "{svg}");
    }
}
