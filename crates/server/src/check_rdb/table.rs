//! Tables for people.

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Lays rows out in columns, with a line under the heads.
pub fn table(heads: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, (head, _))| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells
            .zip(heads)
            .zip(&widths)
            .map(|((cell, (_, align)), &width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = line(&mut heads.iter().map(|(head, _)| *head));
    let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    text += &line(&mut rules.iter().map(String::as_str));
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// A size with a unit that suits it.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let heads = [("name", Align::Left), ("n", Align::Right)];
        let rows = [vec!["a".to_owned(), "1000".to_owned()], vec!["longer".to_owned(), "1".into()]];
        assert_eq!(
            table(&heads, &rows),
            "name       n\n------  ----\na       1000\nlonger     1\n"
        );
    }

    #[test]
    fn sizes() {
        assert_eq!([0, 1023, 1024, 1 << 31].map(size), ["0 B", "1023 B", "1.0 KiB", "2.0 GiB"]);
    }
}
