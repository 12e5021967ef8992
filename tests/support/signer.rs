//! Signs messages for tests. Written apart from the library, plainly and slowly: nothing here is shared with what it tests.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer as _;
use rsa::{
    Pkcs1v15Sign, RsaPrivateKey,
    pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _},
    pkcs8::EncodePublicKey as _,
};
use sha2::Digest as _;

/// A key made for the tests.
pub(crate) enum Key {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl Key {
    /// The key `tests/data/keys/<name>.pem`, such as `rsa2048` or `ed25519`.
    pub(crate) fn named(name: &str) -> Self {
        let path = format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        let pem = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        if pem.contains("BEGIN RSA PRIVATE KEY") {
            Self::Rsa(Box::new(RsaPrivateKey::from_pkcs1_pem(&pem).unwrap()))
        } else {
            // PKCS #8 of Ed25519 (RFC 8410 §7) ends with the 32 octets of the secret key.
            let der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
            let secret: [u8; 32] = der[der.len() - 32..].try_into().unwrap();
            Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&secret)))
        }
    }

    /// The octets of `p=` as the world publishes them: SubjectPublicKeyInfo for RSA, the bare key for Ed25519.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der().unwrap().into_vec(),
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
        }
    }

    /// The octets of `p=` as RFC 6376 §3.6.1 says: RSAPublicKey.
    pub(crate) fn public_pkcs1(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.to_public_key().to_pkcs1_der().unwrap().into_vec(),
            Self::Ed25519(_) => self.public(),
        }
    }

    /// The key record.
    pub(crate) fn record(&self) -> String {
        let key_type = match self {
            Self::Rsa(_) => "rsa",
            Self::Ed25519(_) => "ed25519",
        };
        format!("v=DKIM1; k={key_type}; p={}", STANDARD.encode(self.public()))
    }

    pub(crate) fn sign(&self, hash: Hash, digest: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let (len, prefix) = match hash {
                    Hash::Sha1 => (20, "3021300906052b0e03021a05000414"),
                    Hash::Sha256 => (32, "3031300d060960864801650304020105000420"),
                };
                let octet = |at: usize| u8::from_str_radix(&prefix[at..at + 2], 16).unwrap();
                let prefix = (0..prefix.len()).step_by(2).map(octet).collect();
                key.sign(Pkcs1v15Sign { hash_len: Some(len), prefix }, digest).unwrap()
            }
            Self::Ed25519(key) => key.sign(digest).to_bytes().to_vec(),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn of(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(data).to_vec(),
        }
    }
}

/// The name of a field and the template of its value: every tag as it shall stand in the message, with `{bh}` and `{b}` where the
/// body hash and the signature go. What is to be signed is read from the tags `a`, `c`, `h` and `l` of the template.
///
/// `v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=k1; h=from:to; bh={bh}; b={b}`
pub(crate) struct SignOptions<'t> {
    pub(crate) field_name: &'t str,
    pub(crate) template: &'t str,
}

impl<'t> SignOptions<'t> {
    pub(crate) fn dkim(template: &'t str) -> Self {
        Self { field_name: "DKIM-Signature", template }
    }
}

/// The value of a tag, all white space dropped.
fn tag(template: &str, name: &str) -> Option<String> {
    template.split(';').find_map(|spec| {
        let (found, value) = spec.split_once('=')?;
        (found.trim() == name).then(|| value.chars().filter(|c| !c.is_ascii_whitespace()).collect())
    })
}

fn hash_of(template: &str) -> Hash {
    if tag(template, "a").is_some_and(|a| a.ends_with("-sha1")) { Hash::Sha1 } else { Hash::Sha256 }
}

/// Signs a message (header, empty line, body, with CRLF line ends); gives the whole field with its CRLF, to be put on top.
pub(crate) fn sign(message: &[u8], options: &SignOptions<'_>, key: &Key) -> Vec<u8> {
    let template = options.template;
    let c = tag(template, "c").unwrap_or_default();
    let (header_algorithm, body_algorithm) = c.split_once('/').unwrap_or((&c, "simple"));
    let (fields, body) = split(message);

    let mut body = canonical_body(body, body_algorithm == "relaxed");
    if let Some(length) = tag(template, "l").and_then(|l| l.parse().ok()) {
        body.truncate(length);
    }
    let template = template.replace("{bh}", &STANDARD.encode(hash_of(template).of(&body)));

    let mut unsigned: Vec<Option<Vec<u8>>> = fields.into_iter().map(Some).collect();
    let mut signed = Vec::new();
    for name in tag(&template, "h").unwrap_or_default().split(':') {
        let is_named = |field: &Option<Vec<u8>>| {
            field.as_ref().is_some_and(|field| field_name(field).eq_ignore_ascii_case(name.as_bytes()))
        };
        if let Some(at) = unsigned.iter().rposition(is_named) {
            signed.push(unsigned[at].take().unwrap());
        }
    }
    finish(&signed, options.field_name, &template, header_algorithm == "relaxed", key)
}

/// Signs header fields alone, in the order given, canonicalized as "relaxed": an ARC-Seal, for one.
pub(crate) fn seal(fields: &[Vec<u8>], options: &SignOptions<'_>, key: &Key) -> Vec<u8> {
    finish(fields, options.field_name, options.template, true, key)
}

fn finish(signed: &[Vec<u8>], field_name: &str, template: &str, relaxed: bool, key: &Key) -> Vec<u8> {
    let mut data = Vec::new();
    for field in signed {
        data.extend(canonical_field(field, relaxed));
    }
    // The value of b= is taken for empty, and so is the white space around it.
    let (before, after) = template.split_once("{b}").unwrap_or((template, ""));
    let own = format!("{field_name}: {}{}\r\n", before.trim_end(), after.trim_start());
    let own = canonical_field(own.as_bytes(), relaxed);
    data.extend_from_slice(own.strip_suffix(b"\r\n").unwrap());
    let hash = hash_of(template);
    let signature = STANDARD.encode(key.sign(hash, &hash.of(&data)));
    format!("{field_name}: {}\r\n", template.replace("{b}", &signature)).into_bytes()
}

/// The message with the signature on top.
pub(crate) fn signed(message: &[u8], options: &SignOptions<'_>, key: &Key) -> Vec<u8> {
    [sign(message, options, key), message.to_vec()].concat()
}

fn field_name(field: &[u8]) -> &[u8] {
    field.split(|octet| *octet == b':').next().unwrap().trim_ascii()
}

/// The fields, each with its CRLF, and the body.
fn split(message: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let line_len = rest.windows(2).position(|two| two == b"\r\n").map_or(rest.len(), |at| at + 2);
        let (line, after) = rest.split_at(line_len);
        rest = after;
        if line == b"\r\n" {
            break;
        }
        match fields.last_mut() {
            Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => field.extend(line),
            _ => fields.push(line.to_vec()),
        }
    }
    (fields, rest)
}

fn canonical_field(field: &[u8], relaxed: bool) -> Vec<u8> {
    if !relaxed {
        return field.to_vec();
    }
    let colon = field.iter().position(|octet| *octet == b':').unwrap();
    let mut canonical = field[..colon].trim_ascii().to_ascii_lowercase();
    canonical.push(b':');
    canonical.extend(trim(&reduce(&replace(&field[colon + 1..], b"\r\n", b""))));
    canonical.extend(b"\r\n");
    canonical
}

fn canonical_body(body: &[u8], relaxed: bool) -> Vec<u8> {
    let mut canonical = body.to_vec();
    if relaxed {
        let mut reduced = reduce(body);
        loop {
            let trimmed = replace(&reduced, b" \r\n", b"\r\n");
            if trimmed == reduced {
                break;
            }
            reduced = trimmed;
        }
        canonical = reduced.strip_suffix(b" ").unwrap_or(&reduced).to_vec();
    }
    while canonical.ends_with(b"\r\n") {
        canonical.truncate(canonical.len() - 2);
    }
    if !(relaxed && canonical.is_empty()) {
        canonical.extend(b"\r\n");
    }
    canonical
}

/// Every run of white space made one space.
fn reduce(text: &[u8]) -> Vec<u8> {
    let mut reduced: Vec<u8> = Vec::new();
    for &octet in text {
        match octet {
            b' ' | b'\t' if reduced.last() == Some(&b' ') => {}
            b' ' | b'\t' => reduced.push(b' '),
            _ => reduced.push(octet),
        }
    }
    reduced
}

fn trim(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    text.strip_suffix(b" ").unwrap_or(text)
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(from) {
            replaced.extend(to);
            rest = after;
        } else {
            replaced.push(rest[0]);
            rest = &rest[1..];
        }
    }
    replaced
}
