//! What holds of every verdict: no result is better than the truth, and nothing that strangers wrote gets out unescaped.

use super::{assert_clean, assert_one_field, invented};
use invented::signer::{SignOptions, seal, sign};
use mailverdict::{
    Message, Session, Verdict,
    arc::ArcResult,
    authentication_results::{AuthenticationResults, MAX_OCTETS},
    dkim::{DkimResult, SignatureReport},
    dmarc::{self, DmarcReport, DmarcResult, Mechanism},
    name::Domain,
    received_spf::ReceivedSpf,
    spf::{Explanation, Qualifier, SpfReport, SpfResult},
};

pub(super) fn assert_spf(report: &SpfReport, session: &Session) {
    let SpfReport { result, dns_lookups, void_lookups, .. } = report;
    // RFC 7208 §4.6.4; the answer that exceeds the limit is counted as well.
    assert!(*dns_lookups <= 10 && *void_lookups <= 3, "{report:?}");
    let qualifier = result.matched().map(|matched| matched.directive().qualifier);
    let expected = match result {
        SpfResult::Pass(_) => Some(Qualifier::Pass),
        SpfResult::Fail(..) => Some(Qualifier::Fail),
        SpfResult::SoftFail(_) => Some(Qualifier::SoftFail),
        SpfResult::Neutral(_) if qualifier.is_some() => Some(Qualifier::Neutral),
        SpfResult::Neutral(_) | SpfResult::None(_) | SpfResult::TempError(_) | SpfResult::PermError(_) => None,
    };
    assert_eq!(qualifier, expected, "{report:?}");
    // An include matches where the inner record passes, and nowhere else.
    let inner = result.matched().into_iter().flat_map(|matched| matched.path().skip(1));
    inner.for_each(|at| assert_eq!(at.directive().qualifier, Qualifier::Pass));
    if let SpfResult::Fail(_, Explanation::Published(text)) = result {
        assert_clean(text);
    }
    assert_clean(report);
    assert_clean(result);
    let field = ReceivedSpf::new(report, session).to_header_field();
    assert_one_field(&field, "Received-SPF");
    assert!(field["Received-SPF: ".len()..].starts_with(result.keyword()));
}

/// All that holds of a verdict on `message`.
pub(super) fn assert_verdict(verdict: &Verdict, raw: &[u8], message: &Message<'_>, session: &Session) {
    for report in verdict.spf.helo.iter().chain(&verdict.spf.mail_from) {
        assert_spf(report, session);
    }
    let fields = message.header().fields();
    let signatures: Vec<usize> = (0..fields.len()).filter(|at| fields[*at].is("DKIM-Signature")).collect();
    let mut reported: Vec<usize> = verdict.dkim.iter().map(|report| report.field_index).collect();
    if !message.header().malformations().is_empty() {
        // Signatures that only some readers see are told at the place of what holds them.
        let mut missed = signatures.iter().peekable();
        reported.retain(|at| missed.next_if_eq(&at).is_some());
    }
    assert_eq!(reported, signatures);
    for report in &verdict.dkim {
        assert_clean(&report.result);
        if let Some(key) = &report.key {
            assert_clean(&key.text);
        }
        assert_signature(report, raw, message);
    }
    for report in std::iter::once(&verdict.dmarc).chain(&verdict.dmarc_rfc7489) {
        assert_dmarc(report, verdict);
    }
    verdict.oddities.iter().for_each(assert_clean);
    // What reads two ways never passes.
    let passes = verdict.dkim.iter().any(|report| report.result == DkimResult::Pass)
        || matches!(verdict.arc.result, ArcResult::Pass { .. });
    let lf_throughout = !raw.windows(2).any(|two| two == b"\r\n");
    assert!(!passes || lf_throughout || invented::is_plain(&completed(raw)), "passes: {}", raw.escape_ascii());
    assert_clean(&verdict.arc.result);
    if let ArcResult::Pass { .. } = verdict.arc.result {
        assert_chain(verdict, raw);
    }

    #[cfg(feature = "serde")]
    assert_json(verdict);
    let results = AuthenticationResults::new("mx.example.org", verdict);
    let field = results.to_header_field();
    assert_eq!(field, verdict.to_header_field("mx.example.org"));
    assert_one_field(&field, "Authentication-Results");
    assert!(field.is_ascii() && field.len() <= MAX_OCTETS, "{field}");
    assert!(field.starts_with(&format!(
        "Authentication-Results: mx.example.org;\r\n    dmarc={}",
        verdict.dmarc.result.keyword()
    )));
    let again = AuthenticationResults::parse(&field.as_bytes()["Authentication-Results:".len()..]).expect("it reads");
    assert_eq!(again, results);
    // What strangers wrote makes no result that was not there.
    let passes = |method: &str| again.of_method(method).filter(|result| &*result.result == "pass").count();
    let passed = verdict.dkim.iter().filter(|report| report.result == DkimResult::Pass).count();
    let last = results.results.last().expect("there is DMARC's");
    let is_whole = !last.comments.iter().any(|comment| comment.starts_with("left out: "));
    assert!(if is_whole { passes("dkim") == passed } else { passes("dkim") <= passed }, "{field}");
    assert_eq!(passes("dmarc"), usize::from(matches!(verdict.dmarc.result, DmarcResult::Pass(_))));
}

/// The message without a separator line of mbox at its start, and with an empty line where none ends its header.
fn completed(raw: &[u8]) -> Vec<u8> {
    let start =
        if raw.starts_with(b"From ") { raw.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1) } else { 0 };
    [&raw[start..], b"\r\n\r\n"].concat()
}

/// A signature passes where the signer, which shares nothing with the library, makes the same one of the same message.
fn assert_signature(report: &SignatureReport, raw: &[u8], message: &Message<'_>) {
    if !invented::is_plain(raw) || report.signature.algorithm.as_deref() != Some("ed25519-sha256") {
        return;
    }
    let passed = report.result == DkimResult::Pass;
    if !passed {
        return;
    }
    let field = message.header().fields()[report.field_index];
    let Ok(value) = std::str::from_utf8(field.value().strip_suffix(b"\r\n").unwrap_or(field.value())) else { return };
    // The signer puts a space behind the colon.
    let Some(value) = value.strip_prefix(' ') else { return };
    let again = made_again(value, raw, field.raw());
    assert!(again, "a pass that the signer does not confirm: {}", raw.escape_ascii());
}

/// Whether one of the keys of the invented zones makes this signature of this message.
fn made_again(value: &str, raw: &[u8], field: &[u8]) -> bool {
    let template = template(value);
    let at = field.as_ptr().addr() - raw.as_ptr().addr();
    let without = [&raw[..at], &raw[at + field.len()..]].concat();
    let name = std::str::from_utf8(&field[..field.len() - value.len() - 4]).unwrap_or_default();
    let options = SignOptions { field_name: name, template: &template };
    invented::keys().iter().any(|key| signature_data(&sign(&without, &options, key)) == signature_data(field))
}

/// The value of `b=`, without white space and without the padding, which is optional (RFC 6376 §2.10).
fn signature_data(field: &[u8]) -> Vec<u8> {
    let b = field.split(|octet| *octet == b';').find_map(|spec| spec.trim_ascii().strip_prefix(b"b="));
    b.unwrap_or_default().iter().copied().filter(|octet| !octet.is_ascii_whitespace() && *octet != b'=').collect()
}

/// A chain passes where every seal, and the newest message signature, is what the signer makes of the same fields.
fn assert_chain(verdict: &Verdict, raw: &[u8]) {
    let fields = invented::arc_fields(raw);
    assert_eq!(fields.len(), 3 * verdict.arc.instances, "a chain of whole sets alone");
    assert!(!fields.is_empty());
    if !invented::is_plain(raw) {
        return;
    }
    let key = &invented::keys()[0];
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
    for (index, set) in fields.chunks(3).enumerate() {
        let Some(own) = text(&set[2]) else { return };
        assert!(own.contains(if index == 0 { "cv=none" } else { "cv=pass" }), "{own}");
        let Some((name, value)) = own.trim_end_matches("\r\n").split_once(": ") else { return };
        let options = SignOptions { field_name: name, template: &template(value) };
        let made = seal(&fields[..3 * index + 2], &options, key);
        assert_eq!(signature_data(&made), signature_data(&set[2]), "a seal that the signer does not confirm: {own}");
    }
    let newest = &fields[fields.len() - 2];
    let Some(own) = text(newest) else { return };
    let Some((name, value)) = own.trim_end_matches("\r\n").split_once(": ") else { return };
    let at = raw.windows(newest.len()).position(|window| window == newest).expect("it stands in the message");
    let without = [&raw[..at], &raw[at + newest.len()..]].concat();
    let made = sign(&without, &SignOptions { field_name: name, template: &template(value) }, key);
    assert_eq!(signature_data(&made), signature_data(newest), "a message signature that the signer does not confirm");
}

/// The value with the places of `bh=` and `b=` marked.
fn template(value: &str) -> String {
    let mut specs: Vec<String> = value.split(';').map(str::to_owned).collect();
    for spec in &mut specs {
        let (name, _) = spec.split_once('=').unwrap_or_default();
        match name.trim() {
            "bh" => *spec = format!("{name}={{bh}}"),
            "b" => *spec = format!("{name}={{b}}"),
            _ => {}
        }
    }
    specs.join(";")
}

fn assert_dmarc(report: &DmarcReport, verdict: &Verdict) {
    assert_clean(&report.result);
    report.identifiers.iter().for_each(assert_clean);
    report.authors.iter().for_each(|report| assert_dmarc(report, verdict));
    let (DmarcResult::Pass(reason), Some(record), Some(author)) =
        (&report.result, &report.record, &report.author_domain)
    else {
        assert!(!matches!(report.result, DmarcResult::Pass(_)), "a pass without record or author: {report:?}");
        return;
    };
    assert_eq!(report.disposition, dmarc::Disposition::None);
    assert_eq!(reason.author_domain, *author);
    let domain = reason.identifier.domain();
    let mode = match reason.identifier.mechanism() {
        Mechanism::Spf => {
            let report = verdict.spf.mail_from.as_ref().expect("SPF was evaluated");
            assert!(matches!(report.result, SpfResult::Pass(_)));
            assert_eq!(Domain::parse(report.domain()).as_ref(), Ok(domain));
            record.record.spf_alignment
        }
        Mechanism::Dkim => {
            let passed = |report: &SignatureReport| {
                report.result == DkimResult::Pass && report.signature.domain.as_ref() == Some(domain)
            };
            assert!(verdict.dkim.iter().any(passed));
            record.record.dkim_alignment
        }
    };
    match mode {
        dmarc::Mode::Strict => assert_eq!(domain, author),
        // RFC 9989 §3.2.10: a common organizational domain lies above both.
        dmarc::Mode::Relaxed => assert_eq!(domain.rightmost(1), author.rightmost(1)),
    }
    if domain != author
        && let Some(organization) = &report.organizational_domain
    {
        assert!(domain.is_at_or_below(organization) && author.is_at_or_below(organization));
    }
}

/// What is written as JSON is read back as it was, and its words are those of the results.
#[cfg(feature = "serde")]
fn assert_json(verdict: &Verdict) {
    let json = serde_json::to_value(verdict).expect("a verdict is JSON");
    for (written, report) in json["dkim"].as_array().expect("a list").iter().zip(&verdict.dkim) {
        assert_eq!(written["result"], report.result.keyword());
        assert_eq!(written["reason"], report.result.to_string());
    }
    assert_eq!(json["dmarc"]["result"], verdict.dmarc.result.keyword());
    assert_eq!(json["arc"]["reason"], verdict.arc.result.to_string());
    let text = json.to_string();
    let read: Verdict = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, *verdict, "{text}");
}
