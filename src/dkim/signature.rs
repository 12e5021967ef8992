//! The DKIM-Signature field, RFC 6376 §3.5; the ARC-Message-Signature field is read here as well (RFC 8617 §4.1.2).

use super::{
    SignatureError,
    canonicalize::{Algorithm, Canonicalization},
    field_names::FieldNames,
    parse::{self, Gaps},
    result::SignatureSummary,
    tag_error::TagError,
};
use crate::{
    lex::{
        Origin, SyntaxError, TagSpan, TagSpans,
        tag_list::{Tag, TagListError, Tags},
    },
    message::HeaderField,
    name::{Domain, DomainText, Joined, Name},
    text::{Stretch, Text, Texts},
    time::UnixTime,
};
use std::ops::Range;

/// A DKIM-Signature field whose every known tag follows the rules of RFC 6376 §3.5.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// `a=`, such as `rsa-sha256`; known or not.
    pub algorithm: Text,
    /// `b=`, base64 without white space.
    pub signature_data: Text,
    /// `bh=`, base64 without white space.
    pub body_hash: Text,
    /// `c=`.
    pub canonicalization: Canonicalization,
    /// `d=`, with A-labels.
    pub domain: Domain,
    /// `s=`, with A-labels.
    pub selector: Name,
    /// `h=`, as written, in its order; never empty.
    pub signed_fields: FieldNames,
    /// `i=`, decoded; without `i=`, `@` and the signing domain.
    pub identity: Text,
    /// The domain of the identity, at or below the signing domain.
    pub identity_domain: Domain,
    /// `l=`; what does not fit into 64 bits is `u64::MAX`.
    pub body_length: Option<u64>,
    /// `t=`.
    pub timestamp: Option<UnixTime>,
    /// `x=`, later than `t=`.
    pub expiration: Option<UnixTime>,
    /// `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1).
    pub key_name: Name,
    /// Both names of the canonicalization, for reports.
    canonicalization_text: Text,
    /// Where the value of `b=` stands in the value of the field, white space around it included.
    pub(crate) data_span: Origin<Range<usize>>,
    spans: Origin<TagSpans<14>>,
}

/// The tags of RFC 6376 §3.5, in the order in which signers mostly write them.
const TAGS: [&str; 14] = ["v", "a", "c", "d", "s", "t", "h", "bh", "b", "i", "q", "x", "l", "z"];

/// Which field is read: the rules differ in `v=` and `i=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// DKIM-Signature.
    Dkim,
    /// ARC-Message-Signature, RFC 8617 §4.1.2: `v=` is ignored, and `i=` is the instance, which is not judged here.
    ArcMessageSignature,
}

impl Signature {
    /// Reads the value of a DKIM-Signature field: all after the colon, folded as it is, with or without the final CRLF.
    ///
    /// # Errors
    /// [`SignatureError`] says which rule was broken first. Offsets count from the octet after the colon.
    ///
    /// ```
    /// use mailverdict::dkim::Signature;
    /// let value = b" v=1; a=rsa-sha256; d=example.com; s=k1;\r\n h=From : To; bh=AAAA; b=BBBB\r\n";
    /// let signature = Signature::parse(value)?;
    /// assert_eq!(signature.key_name.as_str(), "k1._domainkey.example.com");
    /// assert_eq!(&*signature.identity, "@example.com");
    /// # Ok::<(), mailverdict::dkim::SignatureError>(())
    /// ```
    pub fn parse(field_value: &[u8]) -> Result<Self, SignatureError> {
        Self::read(field_value, Form::Dkim)
    }

    /// Reads the value of an ARC-Message-Signature field in the same way (RFC 8617 §4.1.2): a `v=` is ignored, and `i=`, the instance, is
    /// not judged here. The identity is always `@` and the signing domain.
    ///
    /// # Errors
    /// As those of [`parse`](Self::parse).
    ///
    /// ```
    /// use mailverdict::dkim::Signature;
    /// let value = b" i=1; a=rsa-sha256; d=example.com; s=k1;\r\n h=From : To; bh=AAAA; b=BBBB\r\n";
    /// let signature = Signature::parse_arc_message_signature(value)?;
    /// let instance = signature.span_of("i").and_then(|tag| tag.value().of(value));
    /// assert_eq!(instance, Some(&b"1"[..]));
    /// # Ok::<(), mailverdict::dkim::SignatureError>(())
    /// ```
    pub fn parse_arc_message_signature(field_value: &[u8]) -> Result<Self, SignatureError> {
        Self::read(field_value, Form::ArcMessageSignature)
    }

    fn read(field_value: &[u8], form: Form) -> Result<Self, SignatureError> {
        let list = list_text(field_value);
        let signature = Tags::read(list).map_err(list_error).and_then(|tags| Self::of_tags(&tags, form));
        signature.map_err(|error| error.quoting(list))
    }

    /// Reads tags that follow the grammar and have no duplicates.
    pub(crate) fn of_tags(tags: &Tags<'_>, form: Form) -> Result<Self, SignatureError> {
        if form == Form::Dkim {
            // RFC 6376 §3.5: "1", and no other spelling of it.
            if required(tags, "v")?.value != b"1" {
                return Err(SignatureError::Version);
            }
        }
        let mut texts = Texts::default();
        let algorithm = texts.add(parse::sig_a_tag_alg(&required(tags, "a")?)?);
        let data_tag = required(tags, "b")?;
        let data = parse::base64_text(&data_tag, &mut texts)?;
        let body_hash = parse::base64_text(&required(tags, "bh")?, &mut texts)?;
        let canonicalization = tags.tag("c").map_or(Ok(Canonicalization::default()), |tag| canonicalization(&tag))?;
        let domain = parse::domain_name(&required(tags, "d")?)?;
        // The grammar has no empty names. What sealers write has, and the public suite of ARC (`ams_fields_h_mis_hdr`) wants it
        // accepted: such a name is that of no field, and signs nothing.
        let gaps = if form == Form::ArcMessageSignature { Gaps::Allowed } else { Gaps::Forbidden };
        let signed_fields = parse::hdr_names(&required(tags, "h")?, gaps, &mut texts)?;
        let selector = parse::selector(&required(tags, "s")?)?;
        let (identity, other_domain) = match (form, tags.tag("i")) {
            (Form::Dkim, Some(tag)) => parse::sig_i_tag(&tag, Some(&domain), &mut texts)?,
            (Form::Dkim, None) | (Form::ArcMessageSignature, _) => (identity_of(&domain, &mut texts), None),
        };
        let body_length = tags.tag("l").map(|tag| parse::digits(&tag, 76, "1*76DIGIT")).transpose()?;
        let answerable = tags.tag("q").map_or(Ok(true), |tag| parse::sig_q_tag(&tag))?;
        let timestamp = tags.tag("t").map(|tag| parse::timestamp(&tag)).transpose()?;
        let expiration = tags.tag("x").map(|tag| parse::timestamp(&tag)).transpose()?;
        tags.tag("z").map(|tag| parse::sig_z_tag(&tag)).transpose()?;

        // RFC 6376 §3.5, q=: methods that are not known are ignored; here none is left.
        if !answerable {
            return Err(SignatureError::UnknownQueryMethod);
        }
        // RFC 6376 §3.5, x=: "MUST be greater than the value of the t= tag".
        if let (Some(timestamp), Some(expiration)) = (timestamp, expiration)
            && expiration <= timestamp
        {
            return Err(SignatureError::ExpirationNotAfterTimestamp);
        }
        // RFC 6376 §6.1.1.
        if other_domain.as_ref().is_some_and(|other| !domain.is_at_or_above(other)) {
            return Err(SignatureError::DomainMismatch);
        }
        let canonicalization_text = canonicalization.write(&mut texts);
        let texts = texts.share();
        let signed_fields = FieldNames(texts.text(signed_fields));
        if !signed_fields.octets().any(|name| name.eq_ignore_ascii_case(b"from")) {
            return Err(SignatureError::FromNotSigned);
        }
        let Joined { whole: key_name, first: selector, last: domain } = key_name(&selector, &domain)?;
        Ok(Self {
            algorithm: texts.text(algorithm),
            signature_data: texts.text(data),
            body_hash: texts.text(body_hash),
            canonicalization_text: texts.text(canonicalization_text),
            canonicalization,
            identity_domain: other_domain.unwrap_or_else(|| domain.clone()),
            domain,
            selector,
            signed_fields,
            identity: texts.text(identity),
            body_length,
            timestamp,
            expiration,
            key_name,
            data_span: Origin(data_tag.raw_start..data_tag.raw_end),
            spans: Origin(TagSpans::of(&TAGS, tags)),
        })
    }

    /// Where the tag of this name, such as `bh`, stands in the value that was read. `None` where there is none, or RFC 6376 §3.5 does
    /// not define it.
    pub fn span_of(&self, tag: &str) -> Option<TagSpan> {
        self.spans.0.named(tag)
    }

    /// The summary for reports.
    pub(crate) fn into_summary(self) -> SignatureSummary {
        SignatureSummary {
            domain: Some(self.domain),
            selector: Some(self.selector),
            algorithm: Some(self.algorithm),
            identity: Some(self.identity),
            canonicalization: Some(self.canonicalization_text),
            signed_fields: self.signed_fields,
            body_length: self.body_length,
            timestamp: self.timestamp,
            expiration: self.expiration,
            signature_data: self.signature_data,
        }
    }

    /// `b=`, decoded.
    pub fn data(&self) -> Vec<u8> {
        parse::with_decoded(&self.signature_data, |octets| octets.unwrap_or_default().to_vec())
    }
}

impl SignatureSummary {
    /// Where the key record is asked for, `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1); known as well where nothing was found
    /// there. `None` where the field names no domain or no selector, or where the name grows too long.
    pub fn key_name(&self) -> Option<Name> {
        let selector = self.selector.as_ref()?.as_str();
        self.domain.as_ref()?.as_name().prepend(&format!("{selector}._domainkey")).ok()
    }

    /// What can be read of a field that is no valid signature: each tag by its own rule, whatever the others say. What a tag that is
    /// absent stands for is not known unless these `are_all`.
    pub(crate) fn salvage(tags: &Tags<'_>, are_all: bool) -> Self {
        let mut texts = Texts::default();
        let domain = tags.tag("d").and_then(|tag| parse::domain_name(&tag).ok());
        let identity = match tags.tag("i") {
            Some(tag) => parse::sig_i_tag(&tag, domain.as_ref(), &mut texts).ok().map(|(identity, _)| identity),
            None => domain.as_ref().filter(|_| are_all).map(|domain| identity_of(domain, &mut texts)),
        };
        let algorithm = tags.tag("a").and_then(|tag| parse::sig_a_tag_alg(&tag).map(|text| texts.add(text)).ok());
        let canonicalization = tags
            .tag("c")
            .filter(|tag| parse::sig_c_tag(tag).is_ok())
            .and_then(|tag| std::str::from_utf8(tag.value).map(|text| texts.add(text)).ok());
        let signed_fields = tags.tag("h").and_then(|tag| parse::hdr_names(&tag, Gaps::Forbidden, &mut texts).ok());
        let signature_data = tags.tag("b").and_then(|tag| parse::base64_text(&tag, &mut texts).ok());
        let texts = texts.share();
        let text = |stretch: Option<Stretch>| stretch.map(|stretch| texts.text(stretch));
        Self {
            selector: tags.tag("s").and_then(|tag| parse::selector(&tag).ok()).map(|name| name.to_domain().into()),
            algorithm: text(algorithm),
            identity: text(identity),
            canonicalization: text(canonicalization),
            signed_fields: FieldNames(text(signed_fields).unwrap_or_default()),
            body_length: tags.tag("l").and_then(|tag| parse::digits(&tag, 76, "").ok()),
            timestamp: tags.tag("t").and_then(|tag| parse::timestamp(&tag).ok()),
            expiration: tags.tag("x").and_then(|tag| parse::timestamp(&tag).ok()),
            signature_data: text(signature_data).unwrap_or_default(),
            domain: domain.map(|domain| domain.to_domain()),
        }
    }
}

/// The identity of a signature without `i=` (RFC 6376 §3.5).
fn identity_of(domain: &DomainText<'_>, texts: &mut Texts) -> Stretch {
    let start = texts.len();
    texts.push("@");
    texts.push(domain.as_str());
    texts.stretch(start)
}

impl Canonicalization {
    fn write(self, texts: &mut Texts) -> Stretch {
        let start = texts.len();
        texts.push(self.header.name());
        texts.push("/");
        texts.push(self.body.name());
        texts.stretch(start)
    }
}

/// The tag list of a field value, without the line end of the field.
pub(crate) fn list_text(field_value: &[u8]) -> &[u8] {
    field_value.strip_suffix(b"\r\n").unwrap_or(field_value)
}

/// The error of a list that cannot be read.
pub(crate) fn list_error(error: TagListError<'_>) -> SignatureError {
    match error {
        TagListError::Syntax(error) => error.into(),
        // A tag name is ASCII by its grammar.
        TagListError::Duplicate(name) => SignatureError::DuplicateTag(String::from_utf8_lossy(name).into()),
    }
}

/// The tag, which must be there.
pub(crate) fn required<'t>(tags: &Tags<'t>, name: &'static str) -> Result<Tag<'t>, SignatureError> {
    tags.tag(name).ok_or(SignatureError::MissingTag(name.into()))
}

/// `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1), of which selector and domain are parts.
pub(crate) fn key_name(selector: &DomainText<'_>, domain: &DomainText<'_>) -> Result<Joined, SignatureError> {
    Joined::of(selector, "_domainkey", domain).map_err(|_| SignatureError::KeyNameTooLong)
}

fn canonicalization(tag: &Tag<'_>) -> Result<Canonicalization, SignatureError> {
    let (header, body) = parse::sig_c_tag(tag)?;
    let algorithm = |name: &[u8]| match name {
        b"simple" => Ok(Algorithm::Simple),
        b"relaxed" => Ok(Algorithm::Relaxed),
        // RFC 6376 §3.4: signatures that use another one are to be ignored.
        _ => Err(SignatureError::UnknownCanonicalization),
    };
    // RFC 6376 §3.5: one name alone is that of the header, and then the body is "simple".
    Ok(Canonicalization { header: algorithm(header)?, body: body.map_or(Ok(Algorithm::Simple), algorithm)? })
}

/// Without the tag, which is added where the field is at hand.
impl From<SyntaxError> for SignatureError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(Box::new(TagError { error, tag: Box::default() }))
    }
}

impl SignatureError {
    /// With the tag of `list` that it stands in.
    pub(crate) fn quoting(self, list: &[u8]) -> Self {
        match self {
            Self::Syntax(tag) => Self::Syntax(Box::new(TagError::of(tag.error, list))),
            other => other,
        }
    }

    /// Of the value of `field`, counted from the first octet of the field's name.
    pub(crate) fn in_field(self, field: HeaderField<'_>) -> Self {
        match self {
            Self::Syntax(tag) => Self::Syntax(Box::new(tag.in_field(field))),
            other => other,
        }
    }
}
