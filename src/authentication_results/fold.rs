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
    /// Starts with `start` columns taken by what the caller writes before.
    pub(super) fn after(start: usize) -> Self {
        Self { text: String::with_capacity(512), column: start }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Appends without a chance to fold.
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += columns(text);
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

    /// A word after a space or, where it does not fit, on a new line.
    pub(super) fn word(&mut self, word: &str) {
        if self.fits(1 + columns(word)) {
            self.put(" ");
        } else {
            self.line(INDENT);
        }
        self.put(word);
    }

    /// `key` and `value`, together if they fit on a line, else folded inside a quoted string or between the two
    /// (the grammar has `[CFWS]` there).
    pub(super) fn pair(&mut self, key: &str, value: &str) {
        let (key_len, value_len) = (columns(key), columns(value));
        let line_len = INDENT.len() + key_len + value_len;
        if line_len < LINE_LIMIT {
            self.word(&[key, value].concat());
        } else if value.contains(' ') || INDENT.len() + value_len >= LINE_LIMIT {
            self.phrase(&[key, value].concat());
        } else {
            self.word(key);
            self.line(INDENT);
            self.put(value);
        }
    }

    /// A quoted string or comment, which may be folded before any of its spaces: unfolding gives the same text again.
    pub(super) fn phrase(&mut self, phrase: &str) {
        let mut chunks = phrase.split(' ');
        let mut before = chunks.next().unwrap_or_default();
        self.word(before);
        for chunk in chunks {
            // A line of white space alone would be obsolete syntax, and white space before a line end may get lost.
            if !before.is_empty() && !chunk.is_empty() && !self.fits(1 + columns(chunk)) {
                self.line("");
            }
            self.put(" ");
            self.put(chunk);
            before = chunk;
        }
    }
}

/// How many characters a text has.
fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}
