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

    /// Appends without a chance to fold.
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += columns(text);
    }

    /// Appends a space and then `text`, which has so many characters.
    fn put_spaced(&mut self, text: &str, columns: usize) {
        self.text.push(' ');
        self.text.push_str(text);
        self.column += 1 + columns;
    }

    /// Begins a new line.
    pub(super) fn line(&mut self, indent: &str) {
        self.text.push_str("\r\n");
        self.column = 0;
        self.put(indent);
    }

    /// One place is left for the semicolon that may follow.
    fn fits(&self, columns: usize) -> bool {
        self.column + columns < LINE_LIMIT
    }

    /// A word, in parts, after a space or, where it does not fit, on a new line.
    pub(super) fn word(&mut self, parts: &[&str]) {
        let len = parts.iter().map(|part| columns(part)).sum::<usize>();
        if self.fits(1 + len) {
            self.text.push(' ');
            self.column += 1;
        } else {
            self.line(INDENT);
        }
        parts.iter().for_each(|part| self.text.push_str(part));
        self.column += len;
    }

    /// A key, in parts that have no spaces, and `value`: together if they fit on a line, else folded inside a quoted string or
    /// between the two (the grammar has `[CFWS]` there).
    pub(super) fn pair(&mut self, key: [&str; 4], value: &str) {
        let key_len: usize = key.iter().map(|part| columns(part)).sum();
        let value_len = columns(value);
        let [first, second, third, fourth] = key;
        if INDENT.len() + key_len + value_len < LINE_LIMIT {
            self.word(&[first, second, third, fourth, value]);
        } else if value.contains(' ') || INDENT.len() + value_len >= LINE_LIMIT {
            self.phrase(key, value);
        } else {
            self.word(&key);
            self.line(INDENT);
            self.put(value);
        }
    }

    /// A quoted string or comment, which may be folded before any of its spaces: unfolding gives the same text again. `before`, in
    /// parts that have no spaces, stands before it as part of its first word.
    pub(super) fn phrase(&mut self, before: [&str; 4], phrase: &str) {
        let (begin, mut rest) = before_space(phrase);
        let [first, second, third, fourth] = before;
        self.word(&[first, second, third, fourth, begin]);
        let mut after_space = begin.is_empty() && before.iter().all(|part| part.is_empty());
        while let Some(after) = rest {
            let (chunk, next) = before_space(after);
            let len = columns(chunk);
            // A line of white space alone would be obsolete syntax, and white space before a line end may get lost.
            if !after_space && !chunk.is_empty() && !self.fits(1 + len) {
                self.line("");
            }
            self.put_spaced(chunk, len);
            after_space = chunk.is_empty();
            rest = next;
        }
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
