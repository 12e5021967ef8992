//! What may have happened to a message whose signature does not verify. Costs more than the verification: only for who asks.

use super::{
    DkimResult, FailReason, KeyRecord, PermReason, SignatureError, SignatureReport,
    body_hash::{BodyHash, BodyHasher, Wanted},
    canonicalize::{Algorithm, header_field},
    header_hash::{FieldIndex, HeaderHasher},
    parse,
    signature::{Signature, list_text},
    verify::is_in_base64,
};
use crate::{
    crypto::{KNOWN, SignatureAlgorithm, VerifyingKey},
    lex::{Printable, tag_list::Tags},
    message::{Header, HeaderField, Message, to_crlf},
};
use std::sync::Arc;

/// Line ends of a body that are tried as its former end; beyond, the search for appended text is given up.
const MAX_LINES: usize = 20_000;

/// Copied fields that are told of.
const MAX_COPIES: usize = 8;

/// Octets of a stranger's text that are shown.
const MAX_SHOWN: usize = 120;

impl SignatureReport {
    /// What may have happened, in sentences for a mail administrator; empty where there is nothing to say beyond the result.
    ///
    /// Everything said was computed: that a body matches with another canonicalization, or without its last lines, is found by
    /// hashing, not by guessing. `message` is the message the report is about. [`change::changes`](crate::change::changes) finds more,
    /// and typed.
    pub fn diagnosis(&self, message: &Message<'_>) -> Vec<String> {
        let mut said = self.remarks(message);
        if self.result == DkimResult::Pass {
            return said;
        }
        let own = message.header().fields().get(self.field_index).copied();
        let read = own.and_then(|own| Signature::parse(own.value()).ok().map(|signature| (own, signature)));
        match (&self.result, read) {
            (DkimResult::Fail(FailReason::BodyHashMismatch), Some((_, signature))) => {
                said.extend(body_changes(&signature, message.body()));
            }
            (DkimResult::Fail(FailReason::InvalidSignature), Some((own, signature))) => {
                let part = if self.unsigned_octets > 0 { "the signed part of the body" } else { "the body" };
                said.push(format!(
                    "{part} is as it was signed; a signed header field, the signature or the key is not"
                ));
                said.extend(self.header_changes(&signature, own, message.header()));
                said.extend(copied_fields(own, message.header()));
            }
            (DkimResult::PermError(PermReason::NoKey), Some((_, signature))) => {
                said.push(format!("no TXT record was found at {}", signature.key_name));
            }
            _ => {}
        }
        said
    }

    /// What is to be said of the key, and of a field that cannot be read.
    pub(crate) fn remarks(&self, message: &Message<'_>) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(key) = &self.key {
            if key.testing {
                said.push("the domain says that it is testing DKIM (t=y)".to_owned());
            }
            if key.records > 1 {
                said.push(format!(
                    "{} TXT records stand at {}, where one is expected; those that fit are tried in turn",
                    key.records, key.name
                ));
            }
        }
        if let DkimResult::PermError(PermReason::Signature(SignatureError::Syntax(error))) = &self.result {
            let own = message.header().fields().get(self.field_index);
            let rest = own.and_then(|own| own.raw().get(error.error.offset..)).unwrap_or_default();
            said.push(match rest.trim_ascii() {
                [] => "the signature field ends there".to_owned(),
                _ => format!("the signature field goes on there with \"{}\"", shown(rest)),
            });
        }
        said
    }

    /// Header changes that undo themselves: tried with the key of the report.
    fn header_changes(&self, signature: &Signature, own: HeaderField<'_>, header: &Header<'_>) -> Vec<String> {
        let mut said = Vec::new();
        let Some((algorithm, key)) = self.verifying_key(signature) else { return said };
        let index = FieldIndex::new(header);
        let names = || signature.signed_fields.iter().map(|name| name.as_bytes());
        let verifies = |canonicalization, change: &dyn Fn(HeaderField<'_>) -> Option<Vec<u8>>| {
            let mut hasher = HeaderHasher::new(canonicalization, algorithm.hash());
            for field in index.select(names(), self.field_index) {
                match change(field) {
                    Some(raw) => HeaderField::parse(&raw).into_iter().for_each(|field| hasher.field(field)),
                    None => hasher.field(field),
                }
            }
            key.verify(hasher.finish(own, &signature.data_span.0).as_bytes(), &signature.data()).is_ok()
        };
        let named = signature.canonicalization.header;
        let other = other(named);
        if verifies(other, &|_| None) {
            said.push(format!("with the header canonicalization \"{other}\" it would verify, but c= says \"{named}\""));
        }
        if verifies(named, &without_subject_tag) {
            said.push(
                "it verifies without the tag in brackets at the start of Subject, which was added after signing"
                    .to_owned(),
            );
        }
        said
    }

    /// The key of the report, once more.
    fn verifying_key(&self, signature: &Signature) -> Option<(&'static dyn SignatureAlgorithm, Arc<dyn VerifyingKey>)> {
        let record = KeyRecord::parse(self.key.as_ref()?.text.as_bytes()).ok()?;
        let algorithm = KNOWN.iter().copied().find(|algorithm| algorithm.name() == &*signature.algorithm)?;
        Some((algorithm, algorithm.decode_key(&record.key).ok()?))
    }
}

fn other(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::Simple => Algorithm::Relaxed,
        Algorithm::Relaxed => Algorithm::Simple,
    }
}

/// Which other body would have matched `bh=`.
fn body_changes(signature: &Signature, body: &[u8]) -> Vec<String> {
    let mut said = Vec::new();
    let Some(algorithm) = KNOWN.iter().find(|algorithm| algorithm.name() == &*signature.algorithm) else { return said };
    let named = signature.canonicalization.body;
    let matches = |canonicalization, body: &[u8]| {
        let wanted = Wanted { canonicalization, hash: algorithm.hash(), length: signature.body_length };
        let mut hasher = BodyHasher::new([wanted]);
        hasher.update(body);
        matches!(hasher.finish().of(&wanted),
            Some(BodyHash::Computed { digest, .. }) if is_in_base64(&digest, &signature.body_hash))
    };
    let other = other(named);
    if matches(other, body) {
        said.push(format!("with the body canonicalization \"{other}\" it would match, but c= says \"{named}\""));
    }
    let converted = to_crlf(body);
    if *converted != *body {
        if matches(named, &converted) {
            said.push("the body has bare LF line ends; with CRLF it would match".to_owned());
        } else {
            said.push("the body has bare LF line ends; even with CRLF it would not match".to_owned());
        }
    }
    if matches(named, b"") {
        said.push("an empty body was signed".to_owned());
    } else if signature.body_length.is_none() {
        said.extend(appended_text(named, algorithm.hash(), body, &signature.body_hash));
    }
    said
}

/// Whether the body matches without its last lines.
fn appended_text(
    canonicalization: Algorithm,
    hash: crate::crypto::HashAlgorithm,
    body: &[u8],
    body_hash: &str,
) -> Option<String> {
    let mut canonical = Vec::with_capacity(body.len());
    canonicalization.canonicalize_body(body, |text| canonical.extend_from_slice(text));
    // A canonical body ends with one line end; the last one is that of the whole body, which is known not to match.
    let ends = memchr::memmem::find_iter(&canonical, b"\r\n").map(|at| at as u64 + 2);
    let ends: Vec<u64> = ends.take(MAX_LINES + 1).collect();
    if ends.len() > MAX_LINES {
        return None;
    }
    let wanted = |length: &u64| Wanted { canonicalization, hash, length: Some(*length) };
    let mut hasher = BodyHasher::new(ends.iter().map(wanted));
    hasher.update(body);
    let hashes = hasher.finish().by_length(canonicalization, hash);
    let signed = hashes.iter().find(|(_, digest)| is_in_base64(digest, body_hash))?.0;
    let lines = ends.iter().filter(|end| **end > signed).count();
    Some(format!("it matches without its last {lines} lines, which were appended after signing"))
}

/// The Subject field without a tag in brackets, as mailing lists put one there.
fn without_subject_tag(field: HeaderField<'_>) -> Option<Vec<u8>> {
    let text = field.raw();
    let open = memchr::memchr(b'[', text)?;
    let close = open + memchr::memchr(b']', text.get(open..)?)?;
    let before = text.get(..open)?;
    let is_first = before.strip_suffix(b" ").unwrap_or(before).ends_with(b":");
    let after = text.get(close + 1..)?;
    let after = after.strip_prefix(b" ").unwrap_or(after);
    (field.is("Subject") && is_first).then(|| [before, after].concat())
}

/// Fields that differ from their copies in `z=` (RFC 6376 §3.5).
fn copied_fields(own: HeaderField<'_>, header: &Header<'_>) -> Vec<String> {
    let tags = Tags::read(list_text(own.value())).unwrap_or_default();
    let copies = tags.tag("z").and_then(|tag| parse::sig_z_tag(&tag).ok()).unwrap_or_default();
    let relaxed = |name: &[u8], value: &[u8]| {
        let mut text = Vec::new();
        header_field(Algorithm::Relaxed, name, [list_text(value)], &mut text);
        text
    };
    let mut present: Vec<Vec<u8>> = header.fields().iter().map(|field| relaxed(field.name(), field.value())).collect();
    present.sort_unstable();
    copies
        .iter()
        .filter(|copy| present.binary_search(&relaxed(&copy.name, &copy.value)).is_err())
        .take(MAX_COPIES)
        .map(|copy| format!("z= says that {} was \"{}\" when it was signed", shown(&copy.name), shown(&copy.value)))
        .collect()
}

/// The start of a text of strangers.
fn shown(text: &[u8]) -> String {
    let start = String::from_utf8_lossy(text.get(..MAX_SHOWN).unwrap_or(text));
    let more = if text.len() > MAX_SHOWN { "..." } else { "" };
    format!("{}{more}", Printable(start.trim()))
}
