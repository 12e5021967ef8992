//! The hash of the signed header fields, RFC 6376 §3.7.

use super::canonicalize::{Algorithm, header_field};
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

/// The fields of a header by name, from the bottom up; made once for a message.
pub(crate) struct FieldIndex<'h, 'm> {
    fields: &'h [HeaderField<'m>],
    /// The lowest field of each name.
    lowest: HashMap<FieldName<'m>, usize>,
    /// For each field, the next one above of the same name.
    above: Vec<Option<usize>>,
}

impl<'h, 'm> FieldIndex<'h, 'm> {
    pub(crate) fn new(header: &'h Header<'m>) -> Self {
        let fields = header.fields();
        let mut lowest = HashMap::with_capacity(fields.len());
        let above = fields.iter().enumerate().map(|(at, field)| lowest.insert(FieldName(field.name()), at)).collect();
        Self { fields, lowest, above }
    }

    /// The fields that `h=` names, in its order: each name takes the next field from the bottom up (RFC 6376 §5.4.2), and nothing
    /// where there is none left. The field `own` is passed over (RFC 6376 §3.5: a signature cannot sign itself).
    pub(crate) fn select<'s>(
        &'s self,
        names: impl IntoIterator<Item = &'s [u8]> + 's,
        own: usize,
    ) -> impl Iterator<Item = HeaderField<'m>> + 's {
        let mut next: HashMap<FieldName<'s>, Option<usize>> = HashMap::new();
        names.into_iter().filter_map(move |name| {
            let name = FieldName(name);
            let cursor = next.entry(name).or_insert_with(|| self.lowest.get(&name).copied());
            if *cursor == Some(own) {
                *cursor = self.above.get(own).copied().flatten();
            }
            let at = (*cursor)?;
            *cursor = self.above.get(at).copied().flatten();
            self.fields.get(at).copied()
        })
    }
}

/// A hash of header fields that is being computed.
#[derive(Clone, Debug)]
pub(crate) struct HeaderHasher {
    canonicalization: Algorithm,
    hasher: Hasher,
}

impl HeaderHasher {
    pub(crate) fn new(canonicalization: Algorithm, hash: HashAlgorithm) -> Self {
        Self { canonicalization, hasher: hash.hasher() }
    }

    /// Adds a signed field, with its CRLF.
    pub(crate) fn field(&mut self, field: HeaderField<'_>) {
        let value = without_line_end(field.value());
        header_field(self.canonicalization, raw_name(&field), [value], &mut |text| self.hasher.update(text));
        self.hasher.update(b"\r\n");
    }

    /// Adds the signature's own field with the value of `b=` taken for empty, without a CRLF (RFC 6376 §3.7), and ends.
    ///
    /// `data_span` says where the value of `b=` stands in the value of the field, white space around it included.
    pub(crate) fn finish(mut self, own: HeaderField<'_>, data_span: &Range<usize>) -> Digest {
        let value = without_line_end(own.value());
        let before = value.get(..data_span.start).unwrap_or_default();
        let after = value.get(data_span.end..).unwrap_or_default();
        header_field(self.canonicalization, raw_name(&own), [before, after], &mut |text| self.hasher.update(text));
        self.hasher.finish()
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
