//! Parsers: what is read can be written, and reads the same again.

use super::{assert_clean, spans};
use mailverdict::{
    arc::Seal,
    authentication_results::{self, AuthenticationResults, strip_forged},
    dkim::{KeyRecord, Signature},
    dmarc,
    dns::Zone,
    message::{LineEndings, Message, to_crlf},
    name::{Domain, MAX_LABEL_LEN, MAX_NAME_LEN, Name},
    spf::{self, DomainSpec, MacroString},
};

/// Faults are told exactly where a record cannot be read; each is a term of it.
pub(crate) fn spf_faults(data: &[u8]) {
    let faults = spf::faults(data);
    let is_broken = spf::Record::has_version(data) && spf::Record::parse(data).is_err();
    assert_eq!(!faults.is_empty(), is_broken, "{faults:?}");
    let mut end = 0;
    for fault in &faults {
        assert_clean(fault);
        assert!(fault.to_string().len() < 1000);
        let span = fault.span().expect("a short text");
        let term = span.of(data).expect("of this text");
        assert!(span.offset() > end && !term.is_empty() && !term.contains(&b' '), "{fault:?}");
        end = span.range().end;
        assert!((span.offset()..=end).contains(&fault.offset), "{fault:?}");
        if let Some(meant) = &fault.meant {
            assert!(spf::Record::parse(format!("v=spf1 {meant}").as_bytes()).is_ok(), "{fault:?}");
        }
    }
}

pub(crate) fn spf_record(data: &[u8]) {
    spf_faults(data);
    match spf::Record::parse(data) {
        Ok(record) => {
            assert!(spf::Record::has_version(data));
            spans::spf_terms(data, &record);
            let text = record.to_string();
            assert_clean(&text);
            assert_eq!(spf::Record::parse(text.as_bytes()).as_ref(), Ok(&record), "{text:?}");
            for directive in &record.directives {
                let text = directive.to_string();
                assert_eq!(text.parse().as_ref(), Ok(directive), "{text:?}");
            }
        }
        Err(error) => {
            assert!(error.offset <= data.len() && !error.expected.is_empty());
            assert_clean(error);
        }
    }
}

pub(crate) fn macro_string(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<MacroString>() {
        // The text form keeps everything that was written.
        Ok(string) => {
            let written = string.to_string();
            assert_clean(&written);
            assert_eq!(written.parse().as_ref(), Ok(&string), "{written:?}");
        }
        Err(error) => assert!(error.offset <= text.len() && !error.expected.is_empty()),
    }
    if let Ok(spec) = text.parse::<DomainSpec>() {
        let written = spec.to_string();
        assert_eq!(written.parse().as_ref(), Ok(&spec), "{written:?}");
        assert_eq!(Ok(spec.macro_string()), text.parse::<MacroString>().as_ref());
    }
}

pub(crate) fn dkim_signature(data: &[u8]) {
    let read = Signature::parse(data);
    match &read {
        Ok(signature) => {
            spans::tags(data, &spans::SIGNATURE_TAGS, |name| signature.span_of(name));
            assert!(signature.identity_domain.is_at_or_below(&signature.domain));
            assert!(signature.signed_fields.iter().any(|name| name.eq_ignore_ascii_case("from")));
            assert!(!signature.data().is_empty() && !signature.body_hash.is_empty());
            assert!(signature.timestamp.is_none_or(|t| signature.expiration.is_none_or(|x| x > t)));
            assert_eq!(
                signature.key_name.as_str(),
                format!("{}._domainkey.{}", signature.selector.as_str(), signature.domain.as_str())
            );
            // A final semicolon more or less is the same list.
            if !data.trim_ascii_end().ends_with(b";") && !data.ends_with(b"\n") {
                assert_eq!(Signature::parse(&[data, b";"].concat()).as_ref(), Ok(signature));
            }
        }
        Err(error) => assert_clean(error),
    }
    // The line end of the field is not part of the list.
    if !data.ends_with(b"\r\n") {
        assert_eq!(Signature::parse(&[data, b"\r\n"].concat()), read);
    }
    if let Ok(signature) = Signature::parse_arc_message_signature(data) {
        spans::tags(data, &spans::SIGNATURE_TAGS, |name| signature.span_of(name));
    }
    if let Ok(seal) = Seal::parse(data) {
        spans::tags(data, &spans::SEAL_TAGS, |name| seal.span_of(name));
        assert_eq!(seal.has_field_list, seal.span_of("h").is_some());
    }
}

pub(crate) fn key_record(data: &[u8]) {
    match KeyRecord::parse(data) {
        Ok(record) => {
            spans::tags(data, &spans::KEY_TAGS, |name| record.span_of(name));
            assert_eq!(record.is_revoked(), record.key.is_empty());
            let flags = [record.testing.then_some("y"), record.strict_identity.then_some("s")];
            let flags: Vec<&str> = flags.into_iter().flatten().collect();
            let mut text =
                format!("v=DKIM1;k={};s={};p={}", record.key_type, record.services.join(":"), base64(&record.key));
            if !flags.is_empty() {
                text += &format!(";t={}", flags.join(":"));
            }
            if let Some(hashes) = &record.hash_algorithms {
                text += &format!(";h={}", hashes.join(" : "));
            }
            assert_eq!(KeyRecord::parse(text.as_bytes()).as_ref(), Ok(&record), "{text:?}");
        }
        Err(error) => assert_clean(error),
    }
}

fn base64(octets: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(octets)
}

pub(crate) fn dmarc_record(data: &[u8]) {
    match dmarc::Record::parse(data) {
        Ok(record) => {
            assert!(record.percent <= 100);
            spans::dmarc_parts(data, &record);
            for ignored in &record.ignored {
                assert_clean(&ignored.text);
                assert_clean(ignored.why);
            }
            let uris = record.aggregate_reports.iter().chain(&record.failure_reports);
            for uri in uris {
                // The text form is the URI alone, without the size that may be published behind it.
                let text = uri.to_string();
                assert_clean(&text);
                let again = dmarc::ReportUri::parse(text.as_bytes()).expect("a URI is one");
                assert_eq!((again.host(), again.to_string()), (uri.host(), text));
            }
            // What comes behind cannot take back what was said: the first of a kind counts.
            let longer =
                [data, b"; p=none; sp=none; np=none; adkim=s; aspf=s; psd=y; t=y; rua=mailto:a@example.com"].concat();
            let longer = dmarc::Record::parse(&longer).expect("it has its version still");
            if record.policy != dmarc::Request::Absent {
                assert_eq!(longer.policy, record.policy);
            }
            assert!(longer.aggregate_reports.starts_with(&record.aggregate_reports));
            // And a tag nobody knows changes nothing but the list of those.
            let mut stranger = dmarc::Record::parse(&[data, b"; zz=1"].concat()).expect("it has its version still");
            assert!(stranger.ignored.len() > record.ignored.len() || data.ends_with(b"v=DMARC1"));
            stranger.ignored.clone_from(&record.ignored);
            assert_eq!(stranger, record);
        }
        Err(error) => assert!(error.offset <= data.len()),
    }
}

pub(crate) fn authentication_results(data: &[u8]) {
    if let Ok(read) = AuthenticationResults::parse(data) {
        let field = read.to_header_field();
        assert_eq!(field, format!("{}: {read}\r\n", authentication_results::FIELD_NAME));
        let value = &field[authentication_results::FIELD_NAME.len() + 1..];
        let again = AuthenticationResults::parse(value.as_bytes()).expect("what was written can be read");
        assert_eq!(again, read, "{field:?}");
        assert!(!value.trim_end_matches("\r\n").contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t')));
        for (at, _) in field.match_indices('\n') {
            assert!(field[..at].ends_with('\r') && (at + 1 == field.len() || field[at + 1..].starts_with([' ', '\t'])));
        }
    }
    if let Ok((instance, results)) = AuthenticationResults::parse_arc(data) {
        assert!(instance <= 99);
        assert_eq!(AuthenticationResults::parse(results.to_string().as_bytes()), Ok(results));
    }
    // As a field of a message, it is forged where it bears the receiver's name, and no other field is.
    let line_ends = |octet: &u8| matches!(octet, b'\r' | b'\n');
    let value: Vec<u8> = data.iter().copied().filter(|octet| !line_ends(octet)).collect();
    let raw = [b"Authentication-Results:", &value[..], b"\r\nFrom: a@example.com\r\n\r\n"].concat();
    let message = Message::parse(&raw).expect("it has a header");
    let forged = strip_forged(message.header(), "mx.example.org");
    assert!(forged.iter().all(|forged| forged.field_index == 0));
    let claims =
        AuthenticationResults::parse(&value).is_ok_and(|read| read.authserv_id.eq_ignore_ascii_case("mx.example.org"));
    assert!(!claims || forged.len() == 1);
}

pub(crate) fn message(data: &[u8]) {
    let endings = LineEndings::of(data);
    let converted = to_crlf(data);
    let after = LineEndings::of(&converted);
    // A bare CR may stand before an LF that was bare: then the two are one line end.
    assert_eq!(after.bare_lf, 0);
    assert_eq!(after.crlf, endings.crlf + endings.bare_lf);
    assert_eq!(after.bare_cr, endings.bare_cr);
    assert_eq!(to_crlf(&converted), converted);

    let Ok(message) = Message::parse(data) else { return };
    assert!(data.ends_with(message.body()));
    let header = &data[..data.len() - message.body().len()];
    let mut from = 0;
    for field in message.header().fields() {
        let raw = field.raw();
        // Fields follow one another; what lies between them is passed over, and noted.
        let at = raw.as_ptr().addr() - header.as_ptr().addr();
        assert!(at >= from && at + raw.len() <= header.len());
        assert!(at == from || !message.header().oddities().is_empty());
        from = at + raw.len();
        assert!(raw.starts_with(field.name()) && raw.ends_with(field.value()));
        assert!(!field.name().is_empty() && field.name().iter().all(u8::is_ascii_graphic));
        assert!(field.is(std::str::from_utf8(field.name()).unwrap()));
    }
    message.header().oddities().iter().for_each(assert_clean);
    // The header alone reads the same.
    let alone = Message::parse(header).expect("it is not empty");
    assert_eq!(alone.header().fields(), message.header().fields());
    assert!(alone.body().is_empty());
    let authors = message.header().authors();
    authors.oddities().iter().for_each(assert_clean);
    assert!(authors.possible().iter().all(|possible| !authors.domains().contains(possible)));
    assert!(authors.possible().is_empty() || authors.is_ambiguous());
    let froms = message.header().named("From").count();
    assert_eq!(authors.from_fields(), froms);
}

pub(crate) fn name(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(name) = Name::parse(text) {
        assert!(name.as_str().len() <= MAX_NAME_LEN && name.labels().all(|label| label.len() <= MAX_LABEL_LEN));
        if name != Name::root() {
            assert_eq!(Name::parse(name.as_str()).as_ref(), Ok(&name));
        }
        assert_eq!(name.rightmost(name.label_count()), name);
        let parents = std::iter::successors(Some(name.clone()), Name::parent);
        assert!(parents.clone().all(|parent| name.is_at_or_below(&parent)));
        assert_eq!(parents.count(), name.label_count() + 1);
    }
    if let Ok(domain) = Domain::parse(text) {
        assert_clean(&domain);
        assert_eq!(Domain::parse(domain.as_str()).as_ref(), Ok(&domain));
        assert_eq!(Name::parse(domain.as_str()).as_ref(), Ok(domain.as_name()));
    }
}

pub(crate) fn master_file(data: &[u8]) {
    let lines = data.iter().filter(|octet| **octet == b'\n').count() + 1;
    match Zone::parse(data, "a.zone") {
        Ok(zone) => {
            // Added to itself it is the same zone: a record that stands there twice counts once.
            let _ = zone.with(data, "b.zone").expect("nothing in it contradicts itself");
        }
        Err(error) => {
            assert!(error.line.is_some_and(|line| (1..=lines).contains(&line)), "{error}");
            let text = error.to_string().replace('…', "");
            assert_clean(text);
        }
    }
}
