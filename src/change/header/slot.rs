//! The fields that a signature signs, canonicalized one by one, so that each can be exchanged for what it may have been.

use crate::{
    dkim::{Algorithm, Signature, canonicalize::header_field, signature::list_text},
    message::{Header, HeaderField},
};
use std::collections::HashMap;

/// What `h=` names, in its order, with the field that each name takes.
#[derive(Debug)]
pub(super) struct Slots<'m> {
    pub(super) canonicalization: Algorithm,
    pub(super) slots: Vec<Slot<'m>>,
    /// The signature's own field with an empty `b=`, without a line end (RFC 6376 §3.7).
    pub(super) own: Vec<u8>,
}

/// One name of `h=`.
#[derive(Debug)]
pub(super) struct Slot<'m> {
    /// In lower case.
    pub(super) name: Box<str>,
    /// The field that it takes; none where there is none left.
    pub(super) field: Option<HeaderField<'m>>,
    /// The field canonicalized, with its line end; empty where there is none.
    pub(super) canonical: Vec<u8>,
}

impl<'m> Slots<'m> {
    /// `None` where the signature names more fields than are looked at.
    pub(super) fn of(
        signature: &Signature,
        canonicalization: Algorithm,
        header: &Header<'m>,
        own: HeaderField<'m>,
        own_index: usize,
        most: usize,
    ) -> Option<Self> {
        let names: Vec<Box<str>> =
            signature.signed_fields.iter().take(most + 1).map(|name| name.to_ascii_lowercase().into()).collect();
        if names.len() > most {
            return None;
        }
        // RFC 6376 §5.4.2: from the bottom up. The last of a list is the lowest.
        let mut left: HashMap<&str, Vec<HeaderField<'m>>> = names.iter().map(|name| (&**name, Vec::new())).collect();
        for (_, field) in header.fields().iter().enumerate().filter(|(at, _)| *at != own_index) {
            let Ok(name) = std::str::from_utf8(field.name()) else { continue };
            if let Some(fields) = left.get_mut(&*name.to_ascii_lowercase()) {
                fields.push(*field);
            }
        }
        let slots = names.iter().map(|name| {
            let field = left.get_mut(&**name).and_then(Vec::pop);
            let canonical = field.map(|field| canonical(canonicalization, field.raw())).unwrap_or_default();
            Slot { name: name.clone(), field, canonical }
        });
        let slots = slots.collect();
        Some(Self { canonicalization, slots, own: own_canonical(canonicalization, own, signature) })
    }

    /// Octets of all that is hashed.
    pub(super) fn octets(&self) -> usize {
        self.slots.iter().map(|slot| slot.canonical.len()).sum::<usize>() + self.own.len()
    }
}

/// A raw field canonicalized, with its line end; empty for what is no field.
pub(super) fn canonical(canonicalization: Algorithm, raw: &[u8]) -> Vec<u8> {
    let Some(field) = HeaderField::parse(raw) else { return Vec::new() };
    let mut out = Vec::with_capacity(raw.len() + 2);
    header_field(canonicalization, raw_name(&field), [without_line_end(field.value())], &mut out);
    out.extend_from_slice(b"\r\n");
    out
}

fn own_canonical(canonicalization: Algorithm, own: HeaderField<'_>, signature: &Signature) -> Vec<u8> {
    let value = list_text(own.value());
    let span = &signature.data_span.0;
    let (before, after) = (value.get(..span.start).unwrap_or_default(), value.get(span.end..).unwrap_or_default());
    let mut out = Vec::with_capacity(value.len());
    header_field(canonicalization, raw_name(&own), [before, after], &mut out);
    out
}

/// The name with the white space that follows it.
pub(super) fn raw_name<'m>(field: &HeaderField<'m>) -> &'m [u8] {
    let name_len = field.raw().len() - field.value().len();
    field.raw().get(..name_len.saturating_sub(1)).unwrap_or_default()
}

fn without_line_end(value: &[u8]) -> &[u8] {
    value.strip_suffix(b"\r\n").or_else(|| value.strip_suffix(b"\n")).unwrap_or(value)
}
