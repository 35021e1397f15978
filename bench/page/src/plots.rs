//! The plots: what a packet costs against how many rules there are, and how many connections.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use report::{Record, Results};

const SIZE: (u32, u32) = (800, 480);
/// Room round the plot, and for the numbers at its axes.
const MARGIN: u32 = 12;
const LABELS: u32 = 56;

/// A plot that was drawn.
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) file: &'static str,
}

/// A line of a plot: its name, and the records on it by where they stand.
struct Line {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

/// Draws all for which there are figures.
pub(crate) fn draw(folder: &Path, results: &[Results]) -> Result<Vec<Plot>> {
    let record = |name: String| results.iter().find_map(|results| results.record(&name));
    let line = |name: &'static str, over: &[u32], record_at: &dyn Fn(u32) -> Option<f64>| Line {
        name,
        points: over.iter().filter_map(|at| Some((f64::from(*at), record_at(*at)?))).collect(),
    };
    let kernel = |record: &Record| record.base.map(|base| record.whole.best - base.best);
    let last = |rules: u32| format!("established last, 10000 flows, {rules} rules, bursts of 64");
    let rules = [10, 1000, 10_000, 100_000];
    let against_rules = [
        line("Rampart", &rules, &|rules| record(last(rules)).map(Record::net)),
        line("iptables-legacy", &rules, &|rules| record(format!("iptables-legacy: {}", last(rules))).and_then(kernel)),
        line("iptables-nft", &rules, &|rules| record(format!("iptables-nft: {}", last(rules))).and_then(kernel)),
    ];
    let flows = [1000, 10_000, 100_000, 1_000_000];
    let known = |kind: &str, flows: u32| format!("{kind}, {flows} flows, 10000 rules, bursts of 64");
    let against_flows = [
        line("established", &flows, &|flows| record(known("established", flows)).map(Record::net)),
        line("established, NAT", &flows, &|flows| record(known("nat", flows)).map(Record::net)),
    ];
    let wanted = [
        (
            Plot {
                title: "Nanoseconds a packet of a known connection, accepted behind all rules, against rules",
                file: "rules.svg",
            },
            &against_rules[..],
        ),
        (Plot { title: "Nanoseconds a packet of a known connection, against connections", file: "flows.svg" }, &against_flows[..]),
    ];
    let mut drawn = Vec::new();
    for (plot, lines) in wanted {
        if lines.iter().any(|line| !line.points.is_empty()) {
            // The library's errors borrow what it draws on.
            chart(&folder.join(plot.file), lines).map_err(|error| anyhow!("drawing {}: {error}", plot.file))?;
            drawn.push(plot);
        }
    }
    Ok(drawn)
}

/// One plot; both axes count in powers of ten.
fn chart(path: &Path, lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let range = |pick: fn(&(f64, f64)) -> f64| {
        let (least, most) = points().map(pick).fold((f64::MAX, 1.0f64), |(least, most), value| (least.min(value), most.max(value)));
        (least.max(1.0) / 1.5..most * 1.5).log_scale()
    };
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(MARGIN)
        .x_label_area_size(LABELS)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(range(|point| point.0), range(|point| point.1))?;
    chart.configure_mesh().y_desc("ns a packet").label_style(("sans-serif", 14)).draw()?;
    for (number, line) in lines.iter().enumerate() {
        let color = Palette99::pick(number).stroke_width(2);
        let series = chart.draw_series(LineSeries::new(line.points.iter().copied(), color).point_size(4))?;
        series.label(line.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).label_font(("sans-serif", 14)).draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use report::{Machine, Slices};

    use super::*;

    #[test]
    fn a_plot_has_the_lines_that_there_are_figures_for() {
        let record = |rules: u32| Record {
            name: format!("established last, 10000 flows, {rules} rules, bursts of 64"),
            whole: Slices::of(vec![100.0]),
            io: None,
            base: None,
            memory: None,
            instructions: None,
        };
        let results = Results { machine: Machine::here(), records: vec![record(10), record(1000)], figures: Vec::new() };
        let folder = tempfile::TempDir::new().expect("a folder");
        let drawn = draw(folder.path(), &[results]).expect("drawn");
        assert_eq!(drawn.iter().map(|plot| plot.file).collect::<Vec<_>>(), ["rules.svg"]);
        let svg = fs::read_to_string(folder.path().join("rules.svg")).expect("read");
        assert!(svg.contains("Rampart") && svg.contains("polyline"), "{svg}");
    }
}
