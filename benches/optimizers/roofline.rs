//! The picture: what each optimizer makes of the machine's bandwidth.

use crate::measure::Row;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use sagetrain_benches::machine::Machine;
use std::error::Error;
use std::path::Path;

const SIZE: (u32, u32) = (960, 640);
/// Models larger than any cache, with their colours.
const MODELS: [(&str, RGBColor); 4] = [
    ("64 M", RGBColor(0, 114, 178)),
    ("BERT-base", RGBColor(213, 94, 0)),
    ("Transformer-base", RGBColor(0, 158, 115)),
    ("ViT-B/32", RGBColor(204, 121, 167)),
];
const FONT: &str = "sans-serif";

/// Draws the updates in float32 on all threads, if all were timed.
pub fn draw(machine: &Machine, rows: &[Row], path: &Path) -> Result<bool, Box<dyn Error>> {
    let shown = |row: &&Row| {
        row.precision == "float32"
            && row.threads == machine.cores
            && !row.variant.contains(',')
            && MODELS.iter().any(|(model, _)| *model == row.model)
    };
    let rows: Vec<&Row> = rows.iter().filter(shown).collect();
    let optimizers: Vec<&Row> = rows.iter().copied().filter(|row| row.model == MODELS[0].0).collect();
    if optimizers.is_empty() || rows.len() != optimizers.len() * MODELS.len() {
        return Ok(false);
    }
    let mut roofs: Vec<f64> = rows.iter().map(|row| row.roof() / 1e9).collect();
    roofs.sort_by(f64::total_cmp);
    let roof = roofs[roofs.len() / 2];

    let whole = SVGBackend::new(path, SIZE).into_drawing_area();
    whole.fill(&WHITE)?;
    let (area, below) = whole.split_vertically(SIZE.1 - 28);
    below.draw(&Text::new(machine.to_string(), (16, 4), (FONT, 12)))?;
    let title = format!("Optimizer steps against memory bandwidth: float32, {} threads", machine.cores);
    let widest = rows.iter().map(|row| row.share()).fold(1.0, f64::max);
    let count = optimizers.len() as f64;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 20))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(250)
        .build_cartesian_2d(0.0..110.0f64.max(100.0 * widest + 5.0), count..-1.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc(format!(
            "share of the bandwidth of an in-place triad, the roof: {roof:.1} GB/s in the median"
        ))
        .x_label_formatter(&|share| format!("{share:.0} %"))
        .x_label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart.draw_series(LineSeries::new([(100.0, -1.0), (100.0, count)], BLACK.stroke_width(2)))?;
    for (at, row) in optimizers.iter().enumerate() {
        let y = at as f64;
        let label = format!("{}, {} B a parameter", row.variant, row.bytes);
        let style = (FONT, 14).into_text_style(&area).pos(Pos::new(HPos::Right, VPos::Center));
        let (left, middle) = chart.backend_coord(&(0.0, y));
        area.draw(&Text::new(label, (left - 8, middle), style))?;
        chart.draw_series(LineSeries::new([(0.0, y), (100.0, y)], BLACK.mix(0.12)))?;
    }
    for (order, (model, colour)) in MODELS.iter().enumerate() {
        let of = |row: &&&Row| row.model == *model;
        // Side by side, so that equal shares do not hide each other.
        let shift = 0.18 * (order as f64 - 1.5);
        let points = rows.iter().filter(of).enumerate();
        let points =
            points.map(|(at, row)| Circle::new((100.0 * row.share(), at as f64 + shift), 4, colour.filled()));
        let series = chart.draw_series(points)?;
        series.label(*model).legend(move |(x, y)| Circle::new((x + 10, y), 4, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .label_font((FONT, 14))
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    whole.present()?;
    Ok(true)
}
