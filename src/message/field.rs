//! One field of a message's header.

/// One header field, borrowed from the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderField<'m> {
    raw: &'m [u8],
    /// Octets of the name. Kept, because the white space behind it may be long, and the name is asked for often.
    name: u32,
    colon: u32,
}

impl<'m> HeaderField<'m> {
    /// Takes a field apart: `raw` runs from the name to the line end of its last line.
    ///
    /// `None` where there is no colon or no name before it (RFC 5322 §2.2: printable ASCII; §4.5: white space may stand between
    /// the name and the colon).
    pub fn parse(raw: &'m [u8]) -> Option<Self> {
        // Names are short: to look at their octets one by one is quickest.
        let name = raw.iter().position(|octet| !matches!(octet, 33..=57 | 59..=126)).filter(|len| *len > 0)?;
        let after = raw.get(name..)?;
        let space = after.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
        // No name of 4 GiB is one.
        let (name, colon) = (u32::try_from(name).ok()?, u32::try_from(name + space).ok()?);
        (after.get(space) == Some(&b':')).then_some(Self { raw, name, colon })
    }

    /// Takes a field of this name apart as those readers do who pass over whatever is neither printable ASCII nor a line end, between the
    /// first letter of the name and the colon.
    pub(super) fn parse_leniently(raw: &'m [u8], name: &str) -> Option<Self> {
        let is_unseen = |octet: &u8| !matches!(octet, b' '..=b'~' | b'\t' | b'\n');
        let mut octets = raw.iter().enumerate();
        let mut end = 0;
        for wanted in name.bytes() {
            let (at, octet) = octets.find(|(at, octet)| *at == 0 || !is_unseen(octet))?;
            if !octet.eq_ignore_ascii_case(&wanted) {
                return None;
            }
            end = at + 1;
        }
        let (colon, _) = octets.find(|(_, octet)| !is_unseen(octet) && !octet.is_ascii_whitespace())?;
        let field = Self { raw, name: u32::try_from(end).ok()?, colon: u32::try_from(colon).ok()? };
        (raw.get(colon) == Some(&b':')).then_some(field)
    }

    /// The whole field with its line end, octet for octet.
    pub fn raw(&self) -> &'m [u8] {
        self.raw
    }

    /// The name as written, without white space before the colon.
    pub fn name(&self) -> &'m [u8] {
        self.raw.get(..self.name as usize).unwrap_or_default()
    }

    /// All after the colon, the final line end included, octet for octet.
    pub fn value(&self) -> &'m [u8] {
        self.raw.get(self.colon as usize + 1..).unwrap_or_default()
    }

    /// Whether white space stands between the name and the colon (RFC 5322 §4.5).
    pub(super) fn has_space_before_colon(&self) -> bool {
        self.name != self.colon
    }

    /// Whether the field has this name, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        // Most names differ in their first letters.
        let first = |text: &[u8]| text.first().map(u8::to_ascii_lowercase);
        first(self.raw) == first(name.as_bytes()) && self.name().eq_ignore_ascii_case(name.as_bytes())
    }
}

impl std::fmt::Debug for HeaderField<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.raw.escape_ascii())
    }
}
