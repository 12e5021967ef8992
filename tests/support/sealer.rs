//! Adds ARC sets to messages for tests, by RFC 8617 §5.1. Written apart from the library, plainly and slowly.

use super::signer::{Key, SignOptions, seal, sign};

/// What a sealer writes. `{i}` in the texts stands for the instance, `{bh}` and `{b}` as in [`SignOptions`].
pub(crate) struct SetOptions<'t> {
    pub(crate) instance: usize,
    /// All after `i={i}; ` of ARC-Authentication-Results, or the whole value where it begins with `=`.
    pub(crate) results: &'t str,
    pub(crate) message_signature: &'t str,
    pub(crate) seal: &'t str,
    pub(crate) message_signature_key: &'t Key,
    pub(crate) seal_key: &'t Key,
}

/// The message with the set on top.
pub(crate) fn sealed(message: &[u8], options: &SetOptions<'_>) -> Vec<u8> {
    let instance = options.instance;
    let with_instance = |text: &str| text.replace("{i}", &instance.to_string());
    let results = match options.results.strip_prefix('=') {
        Some(whole) => with_instance(whole),
        None => format!("i={instance}; {}", with_instance(options.results)),
    };
    let results = format!("ARC-Authentication-Results: {results}\r\n").into_bytes();

    let template = with_instance(options.message_signature);
    let sign_options = SignOptions { field_name: "ARC-Message-Signature", template: &template };
    let message_signature = sign(message, &sign_options, options.message_signature_key);

    let mut covered = Vec::new();
    for earlier in 1..instance {
        for name in ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"] {
            covered.extend(fields(message).into_iter().filter(|field| is(field, name, earlier)));
        }
    }
    covered.extend([results.clone(), message_signature.clone()]);
    let template = with_instance(options.seal);
    let seal = seal(&covered, &SignOptions { field_name: "ARC-Seal", template: &template }, options.seal_key);
    [seal, message_signature, results, message.to_vec()].concat()
}

/// The message without the field of this name and instance.
pub(crate) fn without(message: &[u8], name: &str, instance: usize) -> Vec<u8> {
    let dropped: Vec<Vec<u8>> = fields(message).into_iter().filter(|field| is(field, name, instance)).collect();
    assert!(!dropped.is_empty(), "no {name} {instance}");
    let kept: Vec<Vec<u8>> = fields(message).into_iter().filter(|field| !is(field, name, instance)).collect();
    let header_len: usize = fields(message).iter().map(Vec::len).sum();
    [kept.concat(), message[header_len..].to_vec()].concat()
}

/// The field of this name and instance.
pub(crate) fn field(message: &[u8], name: &str, instance: usize) -> Vec<u8> {
    fields(message).into_iter().find(|field| is(field, name, instance)).unwrap()
}

fn is(field: &[u8], name: &str, instance: usize) -> bool {
    let text = String::from_utf8_lossy(field);
    let (found, value) = text.split_once(':').unwrap();
    let tag = format!("i={instance}");
    found.eq_ignore_ascii_case(name) && value.split(';').any(|spec| spec.trim() == tag)
}

fn fields(message: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        match fields.last_mut() {
            _ if line == b"\r\n" => break,
            Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => field.extend(line),
            _ => fields.push(line.to_vec()),
        }
    }
    fields
}
