//! A field is folded where every verifier unfolds it.

/// Columns of a line, without its end (RFC 5322 §2.1.1).
const MAX_COLUMNS: usize = 78;

/// Writes the value of a field, tag by tag.
#[derive(Debug)]
pub(super) struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    /// Behind the name of a field and its colon.
    pub(super) fn behind(name: &str) -> Self {
        let text = format!("{name}:");
        Self { column: text.len(), text }
    }

    /// A tag whose value is never folded.
    pub(super) fn tag(&mut self, name: &str, value: &str) {
        self.word(&format!("{name}={value};"));
    }

    /// A tag whose value is a list, which may be folded behind what stands between its members.
    pub(super) fn list<'m>(&mut self, name: &str, members: impl Iterator<Item = &'m str>, between: char) {
        let mut members = members.peekable();
        let mut start = format!("{name}=");
        while let Some(member) = members.next() {
            let end = if members.peek().is_some() { between } else { ';' };
            let piece = format!("{start}{member}{end}");
            if start.is_empty() {
                self.piece(&piece)
            } else {
                self.word(&piece)
            }
            start = String::new();
        }
    }

    /// A tag in `dkim-quoted-printable`, which may be folded between its octets (RFC 6376 §2.11).
    pub(super) fn copies(&mut self, name: &str, text: &str) {
        self.word(&format!("{name}="));
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            // An octet that is written as hexadecimal stays whole; all is ASCII.
            let len = if first == '=' { 3 } else { first.len_utf8() };
            let (octet, more) = rest.split_at_checked(len).unwrap_or((rest, ""));
            self.piece(octet);
            rest = more;
        }
        self.text.push(';');
        self.column += 1;
    }

    /// A tag in base64, which may be folded anywhere (RFC 6376 §3.5), and has no semicolon behind it.
    pub(super) fn last_base64(&mut self, name: &str, base64: &str) {
        self.word(&format!("{name}="));
        let mut rest = base64;
        while !rest.is_empty() {
            let room = MAX_COLUMNS.saturating_sub(self.column);
            if room < 8 {
                self.fold();
                continue;
            }
            let (line, more) = rest.split_at_checked(room.min(rest.len())).unwrap_or((rest, ""));
            self.text.push_str(line);
            self.column += line.len();
            rest = more;
        }
    }

    /// With a blank before it, or on a line of its own.
    fn word(&mut self, word: &str) {
        if self.column + 1 + word.len() > MAX_COLUMNS {
            self.fold();
        } else {
            self.text.push(' ');
            self.column += 1;
        }
        self.text.push_str(word);
        self.column += word.len();
    }

    /// Right behind what stands there, or on a line of its own.
    fn piece(&mut self, piece: &str) {
        if self.column + piece.len() > MAX_COLUMNS {
            self.fold();
        }
        self.text.push_str(piece);
        self.column += piece.len();
    }

    fn fold(&mut self) {
        self.text.push_str("\r\n\t");
        // A tab is one octet, and eight columns at most.
        self.column = 8;
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}
