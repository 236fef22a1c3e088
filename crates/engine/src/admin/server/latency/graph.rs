//! The picture that `LATENCY GRAPH` draws: a column for each spike, four rows high, and below it
//! how long ago it was.

use std::fmt::Write;

use crate::latency::Series;

const ROWS: usize = 4;
/// Ends of columns by their height within a row.
const TOPS: [char; 3] = ['_', 'o', '#'];
const COLUMNS_MAX: usize = 80;

/// The picture of a series.
pub(super) fn draw(event: &[u8], series: &Series, now_s: u64) -> String {
    let millis = || series.samples.iter().map(|sample| sample.millis);
    let (low, high) = (millis().min().unwrap_or(0), millis().max().unwrap_or(0));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} - high {high} ms, low {low} ms (all time high {} ms)",
        String::from_utf8_lossy(event),
        series.millis_max
    );
    text.push_str(&"-".repeat(COLUMNS_MAX));
    text.push('\n');
    let columns: Vec<(usize, String)> = series
        .samples
        .iter()
        .map(|sample| {
            (height(sample.millis - low, high - low), age(now_s.saturating_sub(sample.at_s)))
        })
        .collect();
    for (number, part) in columns.chunks(COLUMNS_MAX).enumerate() {
        if number > 0 {
            text.push('\n');
        }
        draw_part(&mut text, part);
    }
    text
}

/// The height of a column in steps, of which a row has as many as [`TOPS`].
fn height(above_low: u64, range: u64) -> usize {
    let steps = (ROWS * TOPS.len()) as u64;
    let height = (above_low * steps).checked_div(range).unwrap_or(0);
    height.min(steps - 1) as usize
}

fn draw_part(text: &mut String, columns: &[(usize, String)]) {
    for row in (0..ROWS).rev() {
        text.extend(columns.iter().map(|(height, _)| {
            let top = height / TOPS.len();
            match top.cmp(&row) {
                std::cmp::Ordering::Less => ' ',
                std::cmp::Ordering::Equal => TOPS[height % TOPS.len()],
                std::cmp::Ordering::Greater => '|',
            }
        }));
        text.push('\n');
    }
    text.push_str(&" ".repeat(columns.len()));
    text.push('\n');
    let labels_max = columns.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
    for line in 0..labels_max {
        text.extend(columns.iter().map(|(_, label)| label[line..].chars().next().unwrap_or(' ')));
        text.push('\n');
    }
}

/// A time span in its greatest unit.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Sample;

    #[test]
    fn columns_are_between_the_lowest_and_the_highest() {
        let ages = [(11, 100), (11, 200), (18, 300), (64, 500), (7_300, 400)];
        let samples =
            ages.map(|(age, millis)| Sample { at_s: 10_000 - age, millis }).into_iter().collect();
        let text = draw(b"command", &Series { samples, millis_max: 700 }, 10_000);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "command - high 500 ms, low 100 ms (all time high 700 ms)");
        assert_eq!(lines[1], "-".repeat(80));
        let picture = ["   #_", "  _||", " _|||", "_||||", "     ", "11112", "118mh", "sss  "];
        assert_eq!(lines[2..], picture);
    }

    #[test]
    fn equal_spikes_lie_on_the_ground() {
        let samples = [Sample { at_s: 1, millis: 5 }].into_iter().collect();
        let text = draw(b"e", &Series { samples, millis_max: 5 }, 1);
        assert!(text.ends_with(" \n \n \n_\n \n0\ns\n"), "{text}");
    }
}
