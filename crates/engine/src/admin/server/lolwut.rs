//! `LOLWUT`: generative art, ending with the version.
//!
//! Ours grows crystals, as iron does: random walkers stick to a seed where they touch it.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Flags, Group, Spec};
use stdx::rng::Rng;

use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::engine::{FERRITE_VERSION, REDIS_VERSION};

/// `LOLWUT [VERSION version] [columns [rows]]`
pub static LOLWUT: AdminCommand = Command::new(
    Spec::new("lolwut", Group::Server, "5.0.0", -1, "", "Shows a piece of computer art.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .args(&[Arg::integer("version").token("VERSION").optional()]),
    lolwut as AdminHandler,
);

const COLUMNS: i64 = 60;
const ROWS: i64 = 20;
/// Versions for which there is a picture.
const ART_OF: [i64; 3] = [5, 6, 8];

fn lolwut(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    let version = args.option("VERSION").then(|| args.integer());
    let columns = if args.more() { args.integer() } else { COLUMNS };
    let rows = if args.more() { args.integer() } else { ROWS };
    args.check()?;
    let (columns, rows) = (columns.clamp(1, 200) as usize, rows.clamp(1, 100) as usize);
    // Art exists for some versions; asked for another, servers only tell their own.
    let draws = version.is_none_or(|version| ART_OF.contains(&version));
    let mut picture = String::new();
    if draws {
        picture = crystal(columns, rows, admin.cx.db.rng());
        picture.push('\n');
    }
    picture.push_str(&format!("Redis ver. {REDIS_VERSION} (Ferrite {FERRITE_VERSION})\n"));
    admin.cx.reply.verbatim(b"txt", picture.as_bytes());
    Ok(())
}

/// A crystal grown by diffusion-limited aggregation; the work is bounded by the picture's size.
fn crystal(columns: usize, rows: usize, rng: &mut Rng) -> String {
    let mut cells = vec![vec![false; columns]; rows];
    cells[rows / 2][columns / 2] = true;
    let touches = |cells: &[Vec<bool>], row: usize, column: usize| {
        let rows = row.saturating_sub(1)..=(row + 1).min(rows - 1);
        rows.into_iter().any(|r| {
            let columns = column.saturating_sub(1)..=(column + 1).min(columns - 1);
            columns.into_iter().any(|c| cells[r][c])
        })
    };
    for _ in 0..columns * rows / 5 {
        let (mut row, mut column) = (rng.index(rows), rng.index(columns));
        for _ in 0..(columns + rows) * 4 {
            if touches(&cells, row, column) {
                cells[row][column] = true;
                break;
            }
            match rng.below(4) {
                0 => row = (row + 1) % rows,
                1 => row = (row + rows - 1) % rows,
                2 => column = (column + 1) % columns,
                _ => column = (column + columns - 1) % columns,
            }
        }
    }
    let line = |row: &Vec<bool>| row.iter().map(|&on| if on { '*' } else { ' ' }).collect();
    let lines: Vec<String> = cells.iter().map(line).collect();
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}
