//! Text for people: colours where they are wanted, columns, and nothing that could steer a terminal.

use std::{
    borrow::Cow,
    env, fmt,
    io::{self, IsTerminal as _},
    ops::RangeInclusive,
    sync::OnceLock,
};

/// Columns after which text is wrapped that goes to a file.
const WIDTH: usize = 110;
/// Columns that are made use of: a terminal that has fewer breaks the lines itself, and in more of them nobody reads well.
const TERMINAL: RangeInclusive<usize> = 60..=200;
/// Below so many columns there is no table.
const TABLE: usize = 80;
/// Columns that the reasons of a table need.
const REASON: usize = 32;

/// Columns of the terminal that standard output is; `None` where it is none.
pub(crate) fn terminal_columns() -> Option<usize> {
    static COLUMNS: OnceLock<Option<usize>> = OnceLock::new();
    *COLUMNS.get_or_init(|| {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(width.0).clamp(*TERMINAL.start(), *TERMINAL.end()))
    })
}

/// Columns after which text is wrapped.
fn columns() -> usize {
    terminal_columns().unwrap_or(WIDTH)
}

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Coloured,
}

impl Style {
    /// Coloured where standard output is a terminal that can, and nobody objects (`NO_COLOR`).
    pub(crate) fn of_stdout() -> Self {
        let objected = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        if io::stdout().is_terminal() && !objected && !dumb { Self::Coloured } else { Self::Plain }
    }

    /// A heading.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// A result's keyword or a disposition in the colour of what it means for the message.
    pub(crate) fn keyword(self, keyword: &str) -> String {
        self.keyword_as(keyword, keyword)
    }

    /// A word in the colour of a result's keyword.
    pub(crate) fn keyword_as(self, word: &str, keyword: &str) -> String {
        let colour = match Meaning::of(keyword) {
            Meaning::Good => "32",
            Meaning::Bad => "31",
            Meaning::Doubtful => "33",
            Meaning::Broken => "35",
            Meaning::Plain => "2",
        };
        self.paint(colour, word)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// What a result's keyword or a disposition means for the message; it has a colour, which says nothing that the word does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Good,
    Bad,
    Doubtful,
    /// Nothing was found out of the message, because something else is wrong.
    Broken,
    Plain,
}

impl Meaning {
    pub(crate) fn of(keyword: &str) -> Self {
        match keyword {
            "pass" => Self::Good,
            "fail" | "reject" => Self::Bad,
            "softfail" | "quarantine" | "policy" => Self::Doubtful,
            "temperror" | "permerror" => Self::Broken,
            _ => Self::Plain,
        }
    }
}

/// Printable ASCII as it is, everything else escaped: what strangers wrote must not steer the terminal, nor look like ASCII.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() { shown.push(c) } else { shown.extend(c.escape_default()) }
    }
    shown
}

/// The text, without its middle where it is long: somebody's mistake, repeated in an error, is no longer than others'.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const START: usize = 160;
    const END: usize = 80;
    if text.len() <= START + END {
        return text.into();
    }
    let boundary = |most: usize| (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (start, end) = (boundary(START), boundary(text.len() - END));
    format!("{}...{}", text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default()).into()
}

/// Rows of what was checked, for which domain, the result, and the reason.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) check: String,
    pub(crate) domain: String,
    pub(crate) result: &'static str,
    pub(crate) reason: String,
}

impl Table {
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn push(&mut self, row: Row) {
        let Row { check, domain, result, reason } = row;
        self.rows.push(Row { check, domain: printable(&domain), result, reason: printable(&reason) });
    }

    /// The table with aligned columns, long reasons going on below themselves; where they have no room, each stands on a line of its
    /// own.
    pub(crate) fn write(&self, out: &mut impl fmt::Write, style: Style) -> fmt::Result {
        self.write_at(out, style, columns())
    }

    fn write_at(&self, out: &mut impl fmt::Write, style: Style, columns: usize) -> fmt::Result {
        let widths = Widths::of(&self.rows);
        if columns < TABLE || columns.saturating_sub(widths.indent()) < REASON {
            return self.write_narrow(out, style, columns);
        }
        self.write_wide(out, style, widths, columns)
    }

    /// What was checked and the result, and below them the domain and the reason.
    fn write_narrow(&self, out: &mut impl fmt::Write, style: Style, columns: usize) -> fmt::Result {
        const INDENT: usize = 2;
        self.rows.iter().try_for_each(|row| {
            let reason = match row.domain.as_str() {
                // Nobody's.
                "-" => row.reason.clone(),
                domain => format!("{domain}: {}", row.reason),
            };
            let reason = wrapped_at(&reason, INDENT, columns);
            // A result that there is not is no word to be read out.
            match row.result {
                "-" => writeln!(out, "{}:", style.bold(&row.check))?,
                result => writeln!(out, "{}: {}", style.bold(&row.check), style.keyword(result))?,
            }
            writeln!(out, "{:INDENT$}{reason}", "")
        })
    }

    fn write_wide(&self, out: &mut impl fmt::Write, style: Style, widths: Widths, columns: usize) -> fmt::Result {
        let Widths { check, domain, result } = widths;
        let heading = format!("{:check$}  {:domain$}  {:result$}  REASON", "CHECK", "DOMAIN", "RESULT");
        writeln!(out, "{}", style.bold(&heading))?;
        for row in &self.rows {
            let pad = " ".repeat(result - row.result.len());
            let keyword = style.keyword(row.result);
            let reason = wrapped_at(&row.reason, widths.indent(), columns);
            writeln!(out, "{:check$}  {:domain$}  {keyword}{pad}  {reason}", row.check, row.domain)?;
        }
        Ok(())
    }
}

/// The columns of a table before its reasons.
#[derive(Clone, Copy, Debug)]
struct Widths {
    check: usize,
    domain: usize,
    result: usize,
}

impl Widths {
    fn of(rows: &[Row]) -> Self {
        let widest = |column: fn(&Row) -> usize, heading: usize| {
            rows.iter().map(column).chain([heading]).max().unwrap_or_default()
        };
        Self {
            check: widest(|row| row.check.len(), 5),
            // A hostile domain of hundreds of octets must not push everything else off the screen.
            domain: widest(|row| row.domain.len(), 6).min(44),
            result: widest(|row| row.result.len(), 6),
        }
    }

    /// Where the reasons begin.
    fn indent(self) -> usize {
        self.check + self.domain + self.result + 6
    }
}

/// Sentences broken between words, lines after the first one indented; only a word that is longer than a line is broken within. Longer
/// lines than those of a file are hard to read.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    wrapped_at(text, indent, columns().min(WIDTH))
}

/// The same in other columns than usual.
pub(crate) fn wrapped_at(text: &str, indent: usize, columns: usize) -> String {
    let width = columns.saturating_sub(indent).max(REASON);
    let mut lines = String::with_capacity(text.len());
    let mut column = 0;
    let break_line = |lines: &mut String| {
        lines.push('\n');
        lines.extend(std::iter::repeat_n(' ', indent));
    };
    for word in text.split(' ') {
        if column > 0 && column + 1 + word.len() > width {
            break_line(&mut lines);
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        // Keys are long words.
        for char in word.chars() {
            if column >= width {
                break_line(&mut lines);
                column = 0;
            }
            lines.push(char);
            column += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[31m\r\nb\u{202e}c é"), "a\\u{1b}[31m\\r\\nb\\u{202e}c \\u{e9}");
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(shortened(&"x".repeat(240)), "x".repeat(240));
        assert_eq!(shortened(&"x".repeat(241)), format!("{}...{}", "x".repeat(160), "x".repeat(80)));
        let long = "\u{20ac}".repeat(1_000_000);
        assert_eq!(shortened(&long).chars().filter(|c| *c == '\u{20ac}').count(), 53 + 27);
    }

    #[test]
    fn words_are_broken_where_a_line_has_no_room_for_them() {
        let line = "x".repeat(36);
        assert_eq!(wrapped_at(&format!("a {line} b"), 4, 40), format!("a\n    {line}\n    b"));
        assert_eq!(wrapped_at(&format!("a {line}y b"), 4, 40), format!("a\n    {line}\n    y b"));
        assert_eq!(wrapped_at(&line.repeat(3), 0, 36), [&*line; 3].join("\n"));
    }

    #[test]
    fn columns_are_aligned_and_long_reasons_wrapped() {
        let mut table = Table::default();
        let reason = "word ".repeat(30).trim_end().to_owned();
        for (check, domain) in [("SPF", "example.com"), ("DKIM 1", "a.example")] {
            let row =
                Row { check: check.to_owned(), domain: domain.to_owned(), result: "pass", reason: reason.clone() };
            table.push(row);
        }
        let mut text = String::new();
        table.write(&mut text, Style::Plain).unwrap();
        let column = text.lines().next().unwrap().find("REASON").unwrap();
        for line in text.lines().skip(1) {
            assert!(line.len() <= WIDTH, "{line}");
            assert_eq!(&line[column..column + 4], "word", "{line}");
        }
        assert!(!text.contains('\x1b'));
        let mut narrow = String::new();
        table.write_at(&mut narrow, Style::Plain, 60).unwrap();
        assert!(narrow.starts_with("SPF: pass\n  example.com: word word"), "{narrow}");
        assert!(narrow.lines().all(|line| line.len() <= 60), "{narrow}");
        // A domain may be so long that the reasons have no room, though the terminal is not narrow.
        let row = |domain: &str| Row {
            check: "SPF HELO".to_owned(),
            domain: domain.to_owned(),
            result: "pass",
            reason: reason.clone(),
        };
        for (domain, is_table) in [(80 - 32 - 8 - 6 - 6, true), (80 - 32 - 8 - 6 - 6 + 1, false)] {
            let table = Table { rows: vec![row(&"x".repeat(domain))] };
            let mut text = String::new();
            table.write_at(&mut text, Style::Plain, 80).unwrap();
            assert_eq!(text.starts_with("CHECK"), is_table, "{text}");
            assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        }
    }

    #[test]
    fn colours_are_marks_around_the_same_text() {
        assert_eq!(Style::Coloured.keyword("pass"), "\x1b[32mpass\x1b[0m");
        assert_eq!(Style::Plain.keyword("pass"), "pass");
    }
}
