//! A signer of its own, plain and slow: it shares no line with any contender.

use crate::keys::Key;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// When everything was signed; long past, and never expiring.
const SIGNED_AT: u64 = 1_700_000_000;

/// What most senders sign.
const SIGNED_FIELDS: [&str; 8] =
    ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Canonicalization {
    Simple,
    Relaxed,
}

impl Canonicalization {
    fn keyword(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// RFC 6376 §3.4.3 and §3.4.4.
    fn body(self, body: &str) -> String {
        let mut lines: Vec<String> = body.split("\r\n").map(str::to_owned).collect();
        if self == Self::Relaxed {
            for line in &mut lines {
                *line = squeeze(line).trim_end_matches(' ').to_owned();
            }
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        match (lines.is_empty(), self) {
            (true, Self::Relaxed) => String::new(),
            _ => lines.join("\r\n") + "\r\n",
        }
    }
}

/// RFC 6376 §3.4.2, without the line end.
fn relaxed_field(name: &str, value: &str) -> String {
    format!("{}:{}", name.trim_end().to_ascii_lowercase(), squeeze(&value.replace("\r\n", "")).trim_matches(' '))
}

/// Each run of spaces and tabs becomes one space.
fn squeeze(text: &str) -> String {
    let mut squeezed = String::new();
    for character in text.chars().map(|character| if character == '\t' { ' ' } else { character }) {
        if character != ' ' || !squeezed.ends_with(' ') {
            squeezed.push(character);
        }
    }
    squeezed
}

/// The fields of a header, unfolded from nothing: name and value as written, without the final line end.
fn fields(header: &str) -> Vec<(&str, &str)> {
    let mut ends: Vec<usize> = header
        .match_indices("\r\n")
        .map(|(at, _)| at)
        .filter(|at| !header[at + 2..].starts_with([' ', '\t']))
        .collect();
    ends.retain(|end| *end > 0);
    let mut start = 0;
    let mut found = Vec::new();
    for end in ends {
        found.push(header[start..end].split_once(':').expect("every field has a colon"));
        start = end + 2;
    }
    found
}

/// The message with one more DKIM-Signature on top (relaxed header canonicalization).
pub fn dkim(message: &str, key: &Key, body: Canonicalization) -> String {
    let tags = format!(
        " v=1; a={}; c=relaxed/{}; d={}; s={};\r\n\tt={SIGNED_AT}; h={};\r\n\t",
        key.algorithm(),
        body.keyword(),
        key.domain,
        key.selector,
        SIGNED_FIELDS.join(":"),
    );
    let value = message_signature(message, key, body, &tags, "DKIM-Signature");
    format!("DKIM-Signature:{value}\r\n{message}")
}

fn message_signature(message: &str, key: &Key, body: Canonicalization, tags: &str, name: &str) -> String {
    let (header, content) = message.split_once("\r\n\r\n").expect("an empty line ends the header");
    let header = format!("{header}\r\n");
    let body_hash = STANDARD.encode(Sha256::digest(body.body(content)));
    let unsigned = format!("{tags}bh={body_hash};\r\n\tb=");
    let mut signed = String::new();
    for wanted in SIGNED_FIELDS {
        if let Some((name, value)) = fields(&header).iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) {
            signed += &(relaxed_field(name, value) + "\r\n");
        }
    }
    signed += &relaxed_field(name, &unsigned);
    unsigned + &folded(&key.sign(signed.as_bytes()))
}

/// The message with one more ARC set on top (RFC 8617 §5.1); `instance` counts from 1.
pub fn arc(message: &str, key: &Key, instance: usize) -> String {
    let results = format!(
        " i={instance}; mx{instance}.example.org; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com"
    );
    let tags = format!(
        " i={instance}; a={}; c=relaxed/relaxed; d={}; s={};\r\n\tt={SIGNED_AT}; h={};\r\n\t",
        key.algorithm(),
        key.domain,
        key.selector,
        SIGNED_FIELDS.join(":"),
    );
    let signature = message_signature(message, key, Canonicalization::Relaxed, &tags, "ARC-Message-Signature");
    let seal = format!(
        " i={instance}; a={}; cv={}; d={}; s={};\r\n\tt={SIGNED_AT}; b=",
        key.algorithm(),
        if instance == 1 { "none" } else { "pass" },
        key.domain,
        key.selector,
    );
    let sealed = format!("ARC-Message-Signature:{signature}\r\nARC-Authentication-Results:{results}\r\n{message}");
    let (header, _) = sealed.split_once("\r\n\r\n").expect("an empty line ends the header");
    let header = format!("{header}\r\n");
    let fields = fields(&header);
    let mut data = String::new();
    for set in 1..=instance {
        for wanted in ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"] {
            let of_set = |(name, value): &&(&str, &str)| *name == wanted && value.starts_with(&format!(" i={set};"));
            if let Some((name, value)) = fields.iter().find(of_set) {
                data += &(relaxed_field(name, value) + "\r\n");
            }
        }
    }
    data += &relaxed_field("ARC-Seal", &seal);
    format!("ARC-Seal:{seal}{}\r\n{sealed}", folded(&key.sign(data.as_bytes())))
}

/// Base64 in lines, as it travels.
fn folded(base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(72).map(|line| std::str::from_utf8(line).expect("base64")).collect();
    lines.join("\r\n\t ")
}
