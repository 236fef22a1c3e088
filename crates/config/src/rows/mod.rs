//! The table of all parameters, one file for each chapter of the sample file.
//!
//! A line of a table reads `HANDLE: Type = constructor(...), "sentence";`. The macro numbers the
//! lines, keeps the rows in an array, and makes each handle a public constant that carries the
//! sentence as its documentation.

use crate::row::{Kind, Row};

macro_rules! rows {
    (
        $section:ident after $previous:path;
        $($handle:ident: $type:ty = $row:expr, $doc:literal;)+
    ) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Position { $($handle,)+ Count }

        const FIRST: u16 = $previous;

        /// Number of rows in this chapter and those before it.
        pub(crate) const END: u16 = FIRST + Position::Count as u16;

        /// The rows of this chapter.
        pub(crate) static ROWS: [crate::row::Row; Position::Count as usize] =
            [$($row.section(crate::row::Section::$section).doc($doc),)+];

        $(
            #[doc = $doc]
            pub const $handle: $type = <$type>::bind(
                FIRST + Position::$handle as u16,
                &ROWS[Position::$handle as usize],
            );
        )+
    };
}

macro_rules! chapters {
    ($($chapter:ident),+ $(,)?) => {
        $(mod $chapter; pub use $chapter::*;)+

        const CHAPTERS: &[&[Row]] = &[$(&$chapter::ROWS),+];
    };
}

// Each chapter defines its own ROWS and END; the glob imports of those private names never meet,
// because nothing refers to them unqualified.
chapters!(
    network,
    general,
    tls,
    threads,
    clients,
    security,
    memory,
    lazyfree,
    snapshotting,
    aof,
    replication,
    cluster,
    scripting,
    latency,
    events,
    encodings,
    defrag,
    search,
    timeseries,
    probabilistic,
    debug,
);

/// Where the first chapter starts.
const START: u16 = 0;

/// Number of parameters.
pub(crate) const COUNT: usize = debug::END as usize;

/// Every row; a [`crate::RowId`] is an index into it.
pub(crate) static TABLE: [&Row; COUNT] = {
    let mut table = [&CHAPTERS[0][0]; COUNT];
    let (mut chapter, mut at) = (0, 0);
    while chapter < CHAPTERS.len() {
        let mut line = 0;
        while line < CHAPTERS[chapter].len() {
            table[at] = &CHAPTERS[chapter][line];
            at += 1;
            line += 1;
        }
        chapter += 1;
    }
    assert!(at == COUNT, "the chapters are chained in the order of the list above");
    table
};

/// A whole number between 0 and `max`, written in base eight.
const fn octal(name: &'static str, default: i64, max: i64) -> Row {
    Row::new(name, Kind::Octal { default, max })
}
