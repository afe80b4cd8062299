//! Plots as SVG: bars, and lines over logarithmic axes.

use std::fmt::Write;

/// A group of bars.
pub(crate) struct Group {
    pub(crate) title: String,
    /// Name and value of each bar, in milliseconds; None is drawn as a dash.
    pub(crate) bars: Vec<(&'static str, Option<f64>)>,
}

/// Lines over the same two axes, both logarithmic.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

const COLOURS: [(&str, &str); 4] =
    [("floor", "#8c959f"), ("twinlock", "#0969da"), ("google-authenticator", "#bf8700"), ("pam_oath", "#8250df")];
const WIDTH: f64 = 720.0;

fn colour(name: &str) -> &'static str {
    COLOURS.iter().find(|(known, _)| *known == name).map_or("#000000", |(_, colour)| colour)
}

fn picture(height: f64, content: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{content}</svg>\n"
    )
}

fn text(x: f64, y: f64, anchor: &str, content: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#24292f\">{content}</text>\n")
}

/// Groups of horizontal bars over one linear scale.
pub(crate) fn bars(groups: &[Group]) -> String {
    const LEFT: f64 = 150.0;
    const LONGEST: f64 = 480.0;
    const ROW: f64 = 18.0;
    let values = groups.iter().flat_map(|group| group.bars.iter().filter_map(|(_, value)| *value));
    let scale = LONGEST / values.fold(f64::MIN_POSITIVE, f64::max);
    let (mut content, mut y) = (String::new(), 8.0);
    for group in groups {
        y += ROW;
        content += &text(LEFT, y, "start", &group.title);
        for (name, value) in &group.bars {
            y += ROW;
            content += &text(LEFT - 8.0, y, "end", name);
            let length = value.unwrap_or(0.0) * scale;
            writeln!(
                content,
                "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"12\" fill=\"{}\"/>",
                y - 10.0,
                colour(name)
            )
            .expect("a string takes all");
            let label = value.map_or_else(|| "-".into(), |value| format!("{value} ms"));
            content += &text(LEFT + length + 6.0, y, "start", &label);
        }
        y += ROW / 2.0;
    }
    picture(y + 8.0, &content)
}

/// A rectangle in which values are placed by their logarithms.
struct Frame {
    left: f64,
    /// Least and greatest of each axis, as decimal logarithms.
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    const TOP: f64 = 56.0;
    const WIDTH: f64 = 280.0;
    const HEIGHT: f64 = 200.0;

    fn around(panel: &Panel, left: f64) -> Self {
        let points = || panel.lines.iter().flat_map(|(_, points)| points);
        let ends = |logarithms: &mut dyn Iterator<Item = f64>| {
            logarithms.fold((f64::MAX, f64::MIN), |(least, greatest), one| (least.min(one), greatest.max(one)))
        };
        let x = ends(&mut points().map(|(x, _)| x.log10()));
        let y = ends(&mut points().map(|(_, y)| y.log10()));
        Self { left, x, y: (y.0.floor(), y.1.ceil()) }
    }

    fn place_x(&self, x: f64) -> f64 {
        self.left + Self::WIDTH * (x.log10() - self.x.0) / (self.x.1 - self.x.0)
    }

    fn place_y(&self, y: f64) -> f64 {
        Self::TOP + Self::HEIGHT * (self.y.1 - y.log10()) / (self.y.1 - self.y.0)
    }

    /// The powers of ten on the vertical axis.
    fn decades(&self) -> impl Iterator<Item = f64> {
        let (mut exponent, last) = (self.y.0, self.y.1);
        std::iter::from_fn(move || {
            let power = (exponent <= last).then(|| 10_f64.powf(exponent));
            exponent += 1.0;
            power
        })
    }
}

/// Two panels beside each other, with one legend above.
pub(crate) fn lines(panels: &[Panel; 2]) -> String {
    let mut content = String::new();
    let mut x = 60.0;
    for (name, colour) in COLOURS {
        writeln!(content, "<rect x=\"{x}\" y=\"8\" width=\"12\" height=\"12\" fill=\"{colour}\"/>")
            .expect("a string takes all");
        content += &text(x + 18.0, 18.0, "start", name);
        x += 160.0;
    }
    for (panel, left) in panels.iter().zip([60.0, 420.0]) {
        let frame = Frame::around(panel, left);
        let (right, bottom) = (left + Frame::WIDTH, Frame::TOP + Frame::HEIGHT);
        content += &text(left, 44.0, "start", panel.title);
        for power in frame.decades() {
            let y = frame.place_y(power);
            writeln!(content, "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#d0d7de\"/>").expect("a string takes all");
            content += &text(left - 6.0, y + 4.0, "end", &format!("{power} ms"));
        }
        let mut ticks: Vec<f64> =
            panel.lines.iter().flat_map(|(_, points)| points.iter().map(|point| point.0)).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        for tick in ticks {
            content += &text(frame.place_x(tick), bottom + 16.0, "middle", &format!("{tick}"));
        }
        for (name, points) in &panel.lines {
            let places = points.iter().map(|(x, y)| format!("{:.1},{:.1}", frame.place_x(*x), frame.place_y(*y)));
            let places: Vec<_> = places.collect();
            let colour = colour(name);
            writeln!(
                content,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                places.join(" ")
            )
            .expect("a string takes all");
            for place in places.iter().filter_map(|place| place.split_once(',')) {
                writeln!(content, "<circle cx=\"{}\" cy=\"{}\" r=\"3\" fill=\"{colour}\"/>", place.0, place.1)
                    .expect("a string takes all");
            }
        }
    }
    picture(Frame::TOP + Frame::HEIGHT + 28.0, &content)
}
