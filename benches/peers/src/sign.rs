//! A signer of its own, plain and slow: it shares no line with any contender.

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

/// What signs: a key under its name.
pub trait Signer {
    fn domain(&self) -> &str;
    fn selector(&self) -> &str;
    /// The `a=` of signatures.
    fn algorithm(&self) -> &'static str;
    /// Signs data, already hashed as RFC 6376 §3.3 and RFC 8463 §3 have it; base64.
    fn sign(&self, data: &[u8]) -> String;
}

impl Canonicalization {
    fn keyword(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// The `bh=` of a body.
    pub fn hash_of(self, body: &str) -> String {
        STANDARD.encode(Sha256::digest(self.body(body)))
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
pub fn dkim(message: &str, key: &dyn Signer, body: Canonicalization) -> String {
    let (header, content) = split(message);
    dkim_field(&header, key, body, &body.hash_of(content)) + message
}

/// The DKIM-Signature field for this header, whose last field ends in a line end, and the hash of a body; with its line end.
pub fn dkim_field(header: &str, key: &dyn Signer, body: Canonicalization, body_hash: &str) -> String {
    let tags = format!(
        " v=1; a={}; c=relaxed/{}; d={}; s={};\r\n\tt={SIGNED_AT}; h={};\r\n\t",
        key.algorithm(),
        body.keyword(),
        key.domain(),
        key.selector(),
        SIGNED_FIELDS.join(":"),
    );
    format!("DKIM-Signature:{}\r\n", message_signature(header, key, body_hash, &tags, "DKIM-Signature"))
}

/// Header with the line end of its last field, and body.
fn split(message: &str) -> (String, &str) {
    let (header, content) = message.split_once("\r\n\r\n").expect("an empty line ends the header");
    (format!("{header}\r\n"), content)
}

fn message_signature(header: &str, key: &dyn Signer, body_hash: &str, tags: &str, name: &str) -> String {
    let unsigned = format!("{tags}bh={body_hash};\r\n\tb=");
    let mut signed = String::new();
    let fields = fields(header);
    for wanted in SIGNED_FIELDS {
        if let Some((name, value)) = fields.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) {
            signed += &(relaxed_field(name, value) + "\r\n");
        }
    }
    signed += &relaxed_field(name, &unsigned);
    unsigned + &folded(&key.sign(signed.as_bytes()))
}

/// The message with one more ARC set on top (RFC 8617 §5.1); `instance` counts from 1.
pub fn arc(message: &str, key: &dyn Signer, instance: usize) -> String {
    let (header, content) = split(message);
    arc_set(&header, key, instance, &Canonicalization::Relaxed.hash_of(content)) + message
}

/// The three fields of an ARC set for this header, whose last field ends in a line end, and the hash of a relaxed body.
pub fn arc_set(header: &str, key: &dyn Signer, instance: usize, body_hash: &str) -> String {
    let results = format!(
        " i={instance}; mx{instance}.example.org; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com"
    );
    let tags = format!(
        " i={instance}; a={}; c=relaxed/relaxed; d={}; s={};\r\n\tt={SIGNED_AT}; h={};\r\n\t",
        key.algorithm(),
        key.domain(),
        key.selector(),
        SIGNED_FIELDS.join(":"),
    );
    let signature = message_signature(header, key, body_hash, &tags, "ARC-Message-Signature");
    let seal = format!(
        " i={instance}; a={}; cv={}; d={}; s={};\r\n\tt={SIGNED_AT}; b=",
        key.algorithm(),
        if instance == 1 { "none" } else { "pass" },
        key.domain(),
        key.selector(),
    );
    let set = format!("ARC-Message-Signature:{signature}\r\nARC-Authentication-Results:{results}\r\n");
    let sealed = format!("{set}{header}");
    let fields = fields(&sealed);
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
    format!("ARC-Seal:{seal}{}\r\n{set}", folded(&key.sign(data.as_bytes())))
}

/// Base64 in lines, as it travels.
fn folded(base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(72).map(|line| std::str::from_utf8(line).expect("base64")).collect();
    lines.join("\r\n\t ")
}
