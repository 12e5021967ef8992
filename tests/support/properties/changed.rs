//! What is said of messages that were changed: the same twice, in bounds, printable, and true where it is called proven.

use super::{
    assert_clean,
    evaluation::key_zone,
    invented::{self, NOW, signer},
    now,
};
use arbitrary::Unstructured;
use mailverdict::{
    Authenticator, Message, Session,
    change::{Changes, Settings, changes},
    dkim::{Change, ChangePart, DkimResult},
    dns::Zone,
    message::to_crlf,
    spf::Observers,
};

/// Text that lists and gateways add, and octets that mean something to those who undo it.
const PIECES: [&[u8]; 16] = [
    b"\r\n",
    b"--b\r\nContent-Type: text/html\r\n\r\n<body>",
    b"--b--\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Subject: [a] =?utf-8?q?=C3=BC?= b\r\n",
    b"Reply-To: A via B <a@example.com>\r\n",
    b"X-Original-From: a@example.com\r\n",
    b"Authentication-Results: mx.example.net; dkim=pass header.d=example.com\r\n",
    b"Received: from a by mx.example.net; Mon, 6 Oct 2025 08:15:05 +0000\r\n",
    b">From ..",
    b"=\r\n=3D",
    b"</body></html>",
    b"https://a.safelinks.protection.outlook.com/?url=%41&",
    b"\xc3\xbc \t",
    b"\r",
];

/// A message that was signed, and then changed; and any message and zone.
pub(crate) fn change(data: &[u8]) {
    let mut u = Unstructured::new(data);
    if u.ratio(1, 4).unwrap_or(false) {
        if let Some((zone, session, raw)) = invented::scene(&mut u) {
            hold(&zone, &session, &raw);
        }
        return;
    }
    let (Ok(raw), Ok((template, key))) = (invented::message(&mut u), invented::signature(&mut u)) else { return };
    let raw = [b"From: a@example.com\r\n", &raw[..]].concat();
    if !invented::is_plain(&raw) {
        return;
    }
    let mut changed = [signer::sign(&raw, &signer::SignOptions::dkim(&template), &key), raw].concat();
    for _ in 0..u.int_in_range(1..=3_u8).unwrap_or(1) {
        let (Ok(at), Ok(piece)) = (u.int_in_range(0..=changed.len()), u.choose(&PIECES)) else { break };
        let end = (at + u.int_in_range(0..=20_usize).unwrap_or_default()).min(changed.len());
        match u.int_in_range(0..=2).unwrap_or(0) {
            0 => drop(changed.splice(at..at, piece.iter().copied())),
            1 => drop(changed.drain(at..end)),
            _ => drop(changed.splice(at..end, piece.iter().copied())),
        }
    }
    hold(&key_zone(&key), &Session::without_peer().received_at(NOW), &changed);
}

fn hold(zone: &Zone, session: &Session, raw: &[u8]) {
    let Ok(message) = Message::parse(raw) else { return };
    let authenticator = Authenticator::new(zone);
    let mut nobody = Observers { helo: (), mail_from: () };
    let (verdict, log) = now(authenticator.explain(&message, session.clone(), &mut nobody));
    let mut settings = Settings::default();
    settings.work = 300_000;
    let found = changes(&verdict, &message, session, &log, &settings);
    assert_eq!(changes(&verdict, &message, session, &log, &settings), found, "not the same twice");
    let Changes { dkim, message_signatures, .. } = &found;
    assert_eq!(dkim.len(), verdict.dkim.len());
    for (report, changes) in verdict.dkim.iter().zip(dkim) {
        assert!(report.result != DkimResult::Pass || changes.is_empty());
        assert_list(changes, &message);
        if let Some(body) = undone(changes, &message) {
            let header_len = raw.len() - message.body().len();
            let undone = [&raw[..header_len], &body].concat();
            let message = Message::parse(&undone).expect("it has a header");
            let again = authenticator.authenticate_at_once(&message, session.clone());
            let own = again.dkim.iter().find(|other| other.field_index == report.field_index).expect("it stands there");
            let is_body_fit = !own.result.to_string().contains("the body was changed");
            assert!(is_body_fit, "{changes:#?}: {}", undone.escape_ascii());
        }
    }
    message_signatures.iter().for_each(|set| assert_list(&set.changes, &message));
}

fn assert_list(changes: &[Change], message: &Message<'_>) {
    assert!(changes.len() <= 30, "{changes:#?}");
    assert!(changes.windows(2).all(|two| two[0].is_proven || !two[1].is_proven), "the proven ones come first");
    let body = to_crlf(message.body());
    for change in changes {
        assert_clean(change);
        change.field.iter().for_each(assert_clean);
        assert!(change.to_string().len() <= 2500, "{change}");
        assert!(change.is_proven || change.undo.is_none());
        for span in change.undo.iter().flat_map(|undo| &undo.removed) {
            let is_within = match &change.field {
                None => span.of(&body).is_some(),
                Some(name) => message.header().named(name).any(|field| span.of(field.raw()).is_some()),
            };
            assert!(is_within, "{change:?}");
        }
    }
}

/// The body without what was added, where all that was done to it was to add text.
fn undone(changes: &[Change], message: &Message<'_>) -> Option<Vec<u8>> {
    let of_body: Vec<&Change> =
        changes.iter().filter(|change| change.part == ChangePart::Body && change.is_proven).collect();
    let mut ranges = Vec::new();
    for change in &of_body {
        ranges.extend(change.undo.as_ref()?.removed.iter().map(|span| span.range()));
    }
    ranges.sort_by_key(|range| range.start);
    let mut body = to_crlf(message.body()).into_owned();
    ranges.iter().rev().for_each(|range| drop(body.drain(range.clone())));
    (!ranges.is_empty()).then_some(body)
}
