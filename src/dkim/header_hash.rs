//! The hash of the signed header fields, RFC 6376 §3.7.

use super::{
    block::BLOCK,
    block_buffer::{BlockBuffer, Sink},
    canonicalize::{Algorithm, header_field},
};
use crate::{
    crypto::{Digest, HashAlgorithm, Hasher},
    message::{Header, HeaderField},
};
use std::{collections::HashMap, hash::Hash, ops::Range};

/// A field name, compared without regard to case (RFC 6376 §3.5, h=).
#[derive(Clone, Copy)]
struct FieldName<'n>(&'n [u8]);

impl PartialEq for FieldName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for FieldName<'_> {}

impl Hash for FieldName<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let mut lower = [0_u8; 32];
        for part in self.0.chunks(lower.len()) {
            let len = lower.iter_mut().zip(part).map(|(to, from)| *to = from.to_ascii_lowercase()).count();
            state.write(lower.get(..len).unwrap_or_default());
        }
        state.write_u8(0xff);
    }
}

/// How many fields are searched through; more are looked up by their hashes. A message has twenty to sixty.
const FEW: usize = 128;

/// What is compared before two names are: their length and three of their octets, without regard to case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fingerprint([u8; 4]);

impl Fingerprint {
    fn of(name: &[u8]) -> Self {
        let lower = |octet: Option<&u8>| octet.map_or(0, u8::to_ascii_lowercase);
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        Self([length, lower(name.first()), lower(name.get(name.len() / 2)), lower(name.last())])
    }
}

/// The fields of a header by name, from the bottom up; made once for a message.
pub(crate) struct FieldIndex<'h, 'm> {
    fields: &'h [HeaderField<'m>],
    /// One for each of the first fields.
    fingerprints: [Fingerprint; FEW],
    /// Where there are more fields than fingerprints.
    hashed: Option<Hashed<'m>>,
}

struct Hashed<'m> {
    /// The lowest field of each name.
    lowest: HashMap<FieldName<'m>, usize>,
    /// For each field, the next one above of the same name.
    above: Vec<Option<usize>>,
}

impl<'h, 'm> FieldIndex<'h, 'm> {
    pub(crate) fn new(header: &'h Header<'m>) -> Self {
        let fields = header.fields();
        let mut fingerprints = [Fingerprint::default(); FEW];
        if fields.len() <= FEW {
            for (fingerprint, field) in fingerprints.iter_mut().zip(fields) {
                *fingerprint = Fingerprint::of(field.name());
            }
            return Self { fields, fingerprints, hashed: None };
        }
        let mut lowest = HashMap::with_capacity(fields.len());
        let above = fields.iter().enumerate().map(|(at, field)| lowest.insert(FieldName(field.name()), at)).collect();
        Self { fields, fingerprints, hashed: Some(Hashed { lowest, above }) }
    }

    /// The fields that `h=` names, in its order: each name takes the next field from the bottom up (RFC 6376 §5.4.2), and nothing
    /// where there is none left. The field `own` is passed over (RFC 6376 §3.5: a signature cannot sign itself).
    pub(crate) fn select<'s>(
        &'s self,
        names: impl IntoIterator<Item = &'s [u8]> + 's,
        own: usize,
    ) -> impl Iterator<Item = HeaderField<'m>> + 's {
        // A bit for each field that was taken, or the next field for each name.
        let mut taken = bit(own);
        let mut next: HashMap<FieldName<'s>, Option<usize>> = HashMap::new();
        names.into_iter().filter_map(move |name| {
            let Some(Hashed { lowest, above }) = &self.hashed else {
                let (at, field) = self.lowest_free(name, taken)?;
                taken |= bit(at);
                return Some(field);
            };
            let name = FieldName(name);
            let cursor = next.entry(name).or_insert_with(|| lowest.get(&name).copied());
            if *cursor == Some(own) {
                *cursor = above.get(own).copied().flatten();
            }
            let at = (*cursor)?;
            *cursor = above.get(at).copied().flatten();
            self.fields.get(at).copied()
        })
    }

    /// The lowest of few fields that has this name and was not taken.
    fn lowest_free(&self, name: &[u8], taken: u128) -> Option<(usize, HeaderField<'m>)> {
        let fingerprint = Fingerprint::of(name);
        self.fields.iter().zip(&self.fingerprints).enumerate().rev().find_map(|(at, (field, other))| {
            let free = *other == fingerprint && taken & bit(at) == 0;
            (free && field.name().eq_ignore_ascii_case(name)).then_some((at, *field))
        })
    }
}

/// The bit of a field; none beyond those that have one.
fn bit(at: usize) -> u128 {
    u32::try_from(at).ok().and_then(|at| 1_u128.checked_shl(at)).unwrap_or(0)
}

/// CRLF, and what is not looked at.
const LINE_END: [u8; BLOCK] = {
    let mut block = [b'\n'; BLOCK];
    block[0] = b'\r';
    block
};

/// A hash of header fields that is being computed.
#[derive(Clone, Debug)]
pub(crate) struct HeaderHasher {
    canonicalization: Algorithm,
    hasher: Hasher,
    buffer: BlockBuffer,
}

impl HeaderHasher {
    pub(crate) fn new(canonicalization: Algorithm, hash: HashAlgorithm) -> Self {
        Self { canonicalization, hasher: hash.hasher(), buffer: BlockBuffer::new() }
    }

    /// Adds a signed field, with its CRLF.
    pub(crate) fn field(&mut self, field: HeaderField<'_>) {
        self.unfinished(raw_name(&field), [without_line_end(field.value()), b""]);
        self.buffer.to(|text| self.hasher.update(text)).start_of(&LINE_END, 2);
    }

    /// Adds the signature's own field with the value of `b=` taken for empty, without a CRLF (RFC 6376 §3.7), and ends.
    ///
    /// `data_span` says where the value of `b=` stands in the value of the field, white space around it included.
    pub(crate) fn finish(mut self, own: HeaderField<'_>, data_span: &Range<usize>) -> Digest {
        let value = without_line_end(own.value());
        let before = value.get(..data_span.start).unwrap_or_default();
        let after = value.get(data_span.end..).unwrap_or_default();
        self.unfinished(raw_name(&own), [before, after]);
        self.buffer.flush(|text| self.hasher.update(text));
        self.hasher.finish()
    }

    /// Adds a field whose value is given in two pieces, without a CRLF.
    fn unfinished(&mut self, raw_name: &[u8], value: [&[u8]; 2]) {
        let Self { canonicalization, hasher, buffer } = self;
        header_field(*canonicalization, raw_name, value, &mut buffer.to(|text| hasher.update(text)));
    }
}

/// The name with the white space that follows it.
fn raw_name<'m>(field: &HeaderField<'m>) -> &'m [u8] {
    let name_len = field.raw().len() - field.value().len();
    field.raw().get(..name_len.saturating_sub(1)).unwrap_or_default()
}

fn without_line_end(value: &[u8]) -> &[u8] {
    value.strip_suffix(b"\r\n").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    const NAMES: [&str; 6] = ["From", "from", "To", "X-Long-Name", "x-lang-name", "FROM"];

    /// RFC 6376 §5.4.2, word by word.
    fn plainly(header: &Header<'_>, names: &[&str], own: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..header.fields().len()).filter(|at| *at != own).collect();
        let mut found = Vec::new();
        for name in names {
            if let Some(place) = left.iter().rposition(|at| header.fields()[*at].is(name)) {
                found.push(left.remove(place));
            }
        }
        found
    }

    proptest! {
        #[test]
        fn each_name_takes_the_next_field_from_the_bottom_up_in_short_headers_and_in_long_ones(
            present in vec(select(&NAMES[..]), 1..20),
            others in select(vec![0, FEW - 20, FEW - 1, FEW]),
            names in vec(select(&NAMES[..]), 0..30),
            own in 0_usize..20,
        ) {
            let fields = present.iter().copied().chain(std::iter::repeat_n("Other", others));
            let raw: String = fields.enumerate().map(|(at, name)| format!("{name}: {at}\r\n")).collect();
            let header = Header::parse(raw.as_bytes()).unwrap();
            let index = FieldIndex::new(&header);
            let selected = index.select(names.iter().map(|name| name.as_bytes()), own);
            let places: Vec<usize> =
                selected.map(|field| std::str::from_utf8(field.value()).unwrap().trim().parse().unwrap()).collect();
            prop_assert_eq!(places, plainly(&header, &names, own));
        }
    }

    #[test]
    fn a_name_that_is_empty_or_has_no_field_takes_nothing() {
        let header = Header::parse(b"A: 1\r\n\r\n").unwrap();
        let index = FieldIndex::new(&header);
        assert_eq!(index.select([&b""[..], b"B", b"A", b"A"], 7).count(), 1);
    }
}
