//! What an SMTP server replies: for each result its reply, or none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mailverdict::{
    Authenticator, Message, Session, Verdict,
    dns::{LookupError, RecordType, Zone},
    name::Name,
    reply::Reply,
};
use std::net::Ipv4Addr;

const ZONE: &str = "a.example. TXT \"v=spf1 ip4:192.0.2.1 -all exp=why.a.example\"\n\
                    why.a.example. TXT \"see 550 mail\"\n\
                    _dmarc.a.example. TXT \"v=DMARC1; p=reject\"\n\
                    b.example. TXT \"v=spf1 ip4:192.0.2.66 -all\"\n\
                    _dmarc.b.example. TXT \"v=DMARC1; p=quarantine\"\n\
                    c.example. TXT \"v=spf1 -all\"";

fn verdict(from: &str, mail_from: &str, dead: Option<&str>) -> Verdict {
    let mut zone = Zone::parse(ZONE, "zone").unwrap();
    if let Some(dead) = dead {
        zone.plant(&Name::parse(dead).unwrap(), RecordType::Txt, LookupError::ServerFailure);
    }
    let raw = format!("From: {from}\r\n\r\nHello\r\n");
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 66)).with_mail_from(mail_from).with_helo("c.example");
    Authenticator::new(zone).authenticate_at_once(&Message::parse(raw.as_bytes()).unwrap(), session)
}

fn shown(reply: Option<Reply>) -> String {
    reply.map_or_else(|| "-".to_owned(), |reply| reply.to_string())
}

#[test]
fn each_result_has_its_reply_or_none() {
    for (from, mail_from, dmarc, spf) in [
        (
            "x@a.example",
            "x@a.example",
            "550 5.7.26 a.example asks to reject mail that is not authenticated: SPF failed for 192.0.2.66, no DKIM \
             signature (see RFC 9989)",
            "550 5.7.23 SPF failed: 192.0.2.66 is not allowed by -all of a.example; a.example explains: see 550 mail",
        ),
        (
            "x@b.example",
            "x@c.example",
            "550 5.7.26 b.example asks to distrust mail that is not authenticated: SPF failed for 192.0.2.66, no DKIM \
             signature (see RFC 9989)",
            "550 5.7.23 SPF failed: 192.0.2.66 is not allowed by -all of c.example",
        ),
        ("x@b.example", "x@b.example", "-", "-"),
        (
            "x@a.example",
            "x@b.example",
            "550 5.7.26 a.example asks to reject mail that is not authenticated: SPF passed for a domain that does not \
             align, no DKIM signature (see RFC 9989)",
            "-",
        ),
        ("x@c.example", "<>", "-", "550 5.7.23 SPF failed: 192.0.2.66 is not allowed by -all of c.example"),
    ] {
        let verdict = verdict(from, mail_from, None);
        assert_eq!(shown(Reply::of_dmarc(&verdict)), dmarc);
        assert_eq!(shown(Reply::of_spf(&verdict)), spf);
        assert_eq!((Reply::of_temporary_error(&verdict), Reply::of_authors(&verdict)), (None, None));
    }
}

#[test]
fn what_is_open_is_told_as_temporary() {
    let reply = |dead| shown(Reply::of_temporary_error(&verdict("x@a.example", "x@a.example", Some(dead))));
    assert_eq!(
        reply("a.example"),
        "451 4.7.24 try again later: SPF ended in temperror for a.example, which would align"
    );
    assert!(reply("_dmarc.a.example").starts_with("451 4.7.1 try again later: the DMARC record of a.example could"));
    let raw = verdict("x@a.example", "x@a.example", Some("_dmarc.a.example"));
    assert_eq!(Reply::of_dmarc(&raw), None);
}

#[test]
fn several_authors_are_refused_as_such() {
    let verdict = verdict("x@a.example, y@b.example", "x@a.example", None);
    assert!(shown(Reply::of_authors(&verdict)).starts_with("550 5.7.1 the author of this message is not clear: "));
    assert!(shown(Reply::of_dmarc(&verdict)).starts_with("550 5.7.26 "));
}

#[test]
fn a_reply_is_one_short_line() {
    // As long as a domain and an explanation can be.
    let long = format!("{}.example", ["x".repeat(60).as_str(); 3].join("."));
    let why = "x".repeat(250);
    let mut zone = String::new();
    for strings in [
        format!("{long}. TXT \"v=spf1 -all exp=why.{long}\""),
        format!("why.{long}. TXT \"{why}\""),
        format!("_dmarc.{long}. TXT \"v=DMARC1; p=reject\""),
    ] {
        zone.push_str(&strings.replace('%', "x"));
        zone.push('\n');
    }
    let raw = format!("From: x@{long}\r\n\r\n");
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 66)).with_mail_from(&format!("x@{long}"));
    let zone = Zone::parse(&zone, "zone").unwrap();
    let verdict = Authenticator::new(zone).authenticate_at_once(&Message::parse(raw.as_bytes()).unwrap(), session);
    for reply in [Reply::of_dmarc(&verdict).unwrap(), Reply::of_spf(&verdict).unwrap()] {
        assert!(reply.text().len() <= 450 && reply.text().bytes().all(|octet| (b' '..=b'~').contains(&octet)));
        assert!(reply.to_string().len() <= 510, "{reply}");
    }
    assert!(Reply::of_spf(&verdict).unwrap().text().ends_with("..."));
}

#[test]
fn each_permanent_reply_has_a_temporary_one() {
    let large = Reply::too_large("the header has more than 1 MiB");
    assert_eq!(large.to_string(), "552 5.3.4 the header has more than 1 MiB");
    assert_eq!(large.temporary().to_string(), "452 4.3.4 the header has more than 1 MiB");
    let failed = verdict("x@a.example", "x@a.example", None);
    assert!(Reply::of_dmarc(&failed).unwrap().temporary().to_string().starts_with("451 4.7.26 "));
    assert!(Reply::of_spf(&failed).unwrap().temporary().to_string().starts_with("451 4.7.23 "));
    let several = verdict("x@a.example, y@b.example", "x@a.example", None);
    assert!(Reply::of_authors(&several).unwrap().temporary().to_string().starts_with("451 4.7.1 "));
}
