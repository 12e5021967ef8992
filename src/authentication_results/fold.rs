//! Header fields folded as RFC 5322 §2.2.3 has it.

/// RFC 5322 §2.1.1: lines should have no more than 78 characters without the CRLF.
const LINE_LIMIT: usize = 78;

/// What begins a line between words.
const INDENT: &str = "        ";

/// A header field being written, with its line breaks.
#[derive(Debug)]
pub(super) struct Folded {
    text: String,
    /// Characters on the current line.
    column: usize,
}

/// What is written, and is folded where it has spaces: a word, a quoted string or a comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrase<'t> {
    /// What stands around the text; nothing around a word, or around a text that brings its own.
    marks: Option<Marks>,
    text: &'t str,
    /// Whether all of it is ASCII, with no more than one space between words and none around them.
    is_even: bool,
}

/// What a text stands between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    pub(super) open: char,
    pub(super) close: char,
}

impl<'t> Phrase<'t> {
    /// A text that is written as it is.
    pub(super) fn plain(text: &'t str) -> Self {
        Self { marks: None, text, is_even: false }
    }

    /// A text between two marks; all of it is ASCII, with no more than one space between words and none around them.
    pub(super) fn even(marks: Marks, text: &'t str) -> Self {
        Self { marks: Some(marks), text, is_even: true }
    }

    /// How many characters it has.
    fn columns(&self) -> usize {
        let text = if self.is_even { self.text.len() } else { columns(self.text) };
        text + if self.marks.is_some() { 2 } else { 0 }
    }
}

impl Folded {
    /// Starts with what stands before the value, on the same line.
    pub(super) fn after(start: &str) -> Self {
        let mut field = Self { text: String::with_capacity(1024), column: 0 };
        field.put(start);
        field
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Octets so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends without a chance to fold.
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += columns(text);
    }

    /// Appends without a chance to fold.
    pub(super) fn put_phrase(&mut self, phrase: &Phrase<'_>) {
        self.open(phrase);
        self.text.push_str(phrase.text);
        self.close(phrase);
        self.column += phrase.columns();
    }

    fn open(&mut self, phrase: &Phrase<'_>) {
        if let Some(marks) = phrase.marks {
            self.text.push(marks.open);
        }
    }

    fn close(&mut self, phrase: &Phrase<'_>) {
        if let Some(marks) = phrase.marks {
            self.text.push(marks.close);
        }
    }

    /// Begins a new line.
    pub(super) fn line(&mut self, indent: &str) {
        self.text.push_str("\r\n");
        self.text.push_str(indent);
        self.column = indent.len();
    }

    /// One place is left for the semicolon that may follow.
    fn fits(&self, columns: usize) -> bool {
        self.column + columns < LINE_LIMIT
    }

    /// A space before what has so many characters or, where that does not fit, a new line.
    fn space(&mut self, columns: usize) {
        if self.fits(1 + columns) {
            self.text.push(' ');
            self.column += 1;
        } else {
            self.line(INDENT);
        }
    }

    /// A word after a space or, where it does not fit, on a new line.
    pub(super) fn word(&mut self, word: &str) {
        let columns = columns(word);
        self.space(columns);
        self.text.push_str(word);
        self.column += columns;
    }

    /// A key, of ASCII without spaces, and its value: together if they fit on a line, else folded inside a quoted string or between
    /// the two (the grammar has `[CFWS]` there).
    pub(super) fn pair(&mut self, key: &str, value: &Phrase<'_>) {
        let columns = value.columns();
        if INDENT.len() + key.len() + columns < LINE_LIMIT {
            self.space(key.len() + columns);
            self.text.push_str(key);
            self.column += key.len();
            self.put_phrase(value);
        } else if value.text.contains(' ') || INDENT.len() + columns >= LINE_LIMIT {
            self.phrase(key, value);
        } else {
            self.word(key);
            self.line(INDENT);
            self.put_phrase(value);
        }
    }

    /// A quoted string or comment, which may be folded before any of its spaces: unfolding gives the same text again. `key`, of ASCII
    /// without spaces, stands before it as part of its first word.
    pub(super) fn phrase(&mut self, key: &str, phrase: &Phrase<'_>) {
        let marks = if phrase.marks.is_some() { 1 } else { 0 };
        let (begin, rest) = before_space(phrase.text);
        let is_alone = rest.is_none();
        let columns = key.len() + marks + columns(begin) + if is_alone { marks } else { 0 };
        self.space(columns);
        self.text.push_str(key);
        self.open(phrase);
        self.text.push_str(begin);
        self.column += columns;
        if let Some(rest) = rest {
            match phrase.is_even {
                true => self.even_words(phrase.text.get(begin.len()..).unwrap_or_default(), marks),
                false => self.words(rest, begin.is_empty() && key.is_empty()),
            }
        }
        self.close(phrase);
    }

    /// The words after a space, one by one.
    fn words(&mut self, text: &str, mut after_space: bool) {
        let mut rest = Some(text);
        while let Some(after) = rest {
            let (chunk, next) = before_space(after);
            let columns = columns(chunk);
            // A line of white space alone would be obsolete syntax, and white space before a line end may get lost.
            if !after_space && !chunk.is_empty() && !self.fits(1 + columns) {
                self.line("");
            }
            self.text.push(' ');
            self.text.push_str(chunk);
            self.column += 1 + columns;
            after_space = chunk.is_empty();
            rest = next;
        }
    }

    /// Words of ASCII with one space before each, as many at a time as fit on the line; the last one is followed by so many characters.
    fn even_words(&mut self, mut spaced: &str, after: usize) {
        loop {
            let room = (LINE_LIMIT - 1).saturating_sub(self.column);
            if spaced.len() + after <= room {
                break;
            }
            let octets = spaced.as_bytes();
            let fitting = octets.get(1..octets.len().min(room + 1)).unwrap_or_default();
            // A word that is longer than a line stands there all the same.
            let end = match fitting.iter().rposition(|octet| *octet == b' ') {
                Some(at) => at + 1,
                None if self.column > 0 => 0,
                None => octets.iter().skip(1).position(|octet| *octet == b' ').map_or(octets.len(), |at| at + 1),
            };
            let (line, rest) = spaced.split_at_checked(end).unwrap_or((spaced, ""));
            self.text.push_str(line);
            self.column += line.len();
            if rest.is_empty() {
                self.column += after;
                return;
            }
            self.line("");
            spaced = rest;
        }
        self.text.push_str(spaced);
        self.column += spaced.len() + after;
    }
}

/// What stands before the first space, and after it if there is one. Words are short: to look at their octets one by one is quickest.
fn before_space(text: &str) -> (&str, Option<&str>) {
    match text.bytes().position(|octet| octet == b' ') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// How many characters a text has.
fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written after so many columns.
    fn written(before: usize, write: impl FnOnce(&mut Folded)) -> (String, usize) {
        let mut field = Folded::after(&"x".repeat(before));
        write(&mut field);
        (field.text, field.column)
    }

    #[test]
    fn even_words_are_folded_as_words_one_by_one() {
        let marks = Marks { open: '(', close: ')' };
        // Lengths of words around those that fill a line, in an order that repeats late.
        let lengths = [1, 7, 3, 12, 68, 2, 76, 77, 78, 79, 5, 150, 4, 9, 30, 37, 38, 1, 1];
        for first in 0..lengths.len() {
            for count in 1..40 {
                let lengths = lengths.iter().cycle().skip(first).step_by(1 + count % 3).take(count);
                let text = lengths.map(|length| "w".repeat(*length)).collect::<Vec<_>>().join(" ");
                let marked = format!("({text})");
                for before in [0, 1, 20, 60, 70, 77, 78, 90] {
                    for key in ["", "reason="] {
                        let (even, plain) = (Phrase::even(marks, &text), Phrase::plain(&marked));
                        assert_eq!(
                            written(before, |field| field.phrase(key, &even)),
                            written(before, |field| field.phrase(key, &plain)),
                            "{key}{marked} after {before} columns"
                        );
                        assert_eq!(
                            written(before, |field| field.pair(key, &even)),
                            written(before, |field| field.pair(key, &plain)),
                            "{key}{marked} after {before} columns"
                        );
                    }
                }
            }
        }
    }
}
