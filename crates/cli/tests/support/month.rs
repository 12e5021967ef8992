//! A month of reports on a domain as domains are: its own service, a newsletter that signs from the twelfth day on, forwarders, a machine that
//! somebody forgot, and strangers with a wave on the twentieth.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, GzBuilder};
use mailverdict::{
    name::Domain,
    report::{Aggregator, Observation, Reporter},
    time::UnixTime,
};
use serde_json::json;
use std::{
    io::{self, Cursor, Write as _},
    net::IpAddr,
};

/// The first day: 2026-10-01.
const FIRST: u64 = 1_790_812_800;
const DAYS: u64 = 31;
const REPORTERS: [(&str, &str, u64); 2] =
    [("large.example", "Large Mail", 10), ("university.example", "University", 3)];

/// The reports in mails, as they come to a mailbox; one of them twice.
pub(crate) fn mailbox() -> String {
    let mut mailbox = String::new();
    for day in 0..DAYS {
        for reporter in REPORTERS {
            let mail = mail(day, reporter);
            mailbox.push_str(&mail);
            if (day, reporter.0) == (8, "large.example") {
                mailbox.push_str(&mail);
            }
        }
    }
    mailbox
}

fn mail(day: u64, (domain, name, share): (&str, &str, u64)) -> String {
    let (begin, end) = (FIRST + day * 86_400, FIRST + day * 86_400 + 86_399);
    let email = format!("dmarc@{domain}");
    let reporter = Reporter::new(Domain::parse(domain).unwrap(), name, &email, UnixTime(begin), UnixTime(end));
    let mut aggregator = Aggregator::new(std::env::temp_dir(), usize::MAX);
    for observation in observations(day, share) {
        aggregator.add(observation).unwrap();
    }
    let mut mail = String::new();
    aggregator
        .finish(|topic, rows| {
            let mut xml = Cursor::new(Vec::new());
            let report = reporter.write(topic, rows, &mut xml)?;
            let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
            packed.write_all(&xml.into_inner())?;
            let base64 = STANDARD.encode(packed.finish()?);
            let lines: Vec<&str> = base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
            mail = format!(
                "From {email} Thu Oct  1 00:00:00 2026\nFrom: {email}\nTo: r@contoso.com\nSubject: Report Domain: contoso.com\n \
                 Submitter: {domain}\n Report-ID: <{}>\nMIME-Version: 1.0\nContent-Type: application/gzip\n\
                 Content-Disposition: attachment;\n filename=\"{}.gz\"\nContent-Transfer-Encoding: base64\n\n{}\n\n",
                report.report_id,
                report.file_name,
                lines.join("\n")
            );
            Ok::<(), io::Error>(())
        })
        .unwrap();
    mail
}

/// What one reporter saw on one day; at the weekend it is less.
fn observations(day: u64, share: u64) -> Vec<Observation> {
    let less = if (day + 3) % 7 >= 5 { 4 } else { 1 };
    let some = |most: u64| most * share / less + day * share % 7;
    let own = ("contoso.com", "selector1", "pass");
    let mut seen = vec![
        row("198.51.100.17", some(40), "pass", "pass", "contoso.com", &[own], ("contoso.com", "pass")),
        row("198.51.100.99", some(12), "pass", "pass", "contoso.com", &[own], ("contoso.com", "pass")),
        // Somebody has their mail forwarded.
        row("203.0.113.40", some(3), "pass", "fail", "contoso.com", &[own], ("contoso.com", "fail")),
    ];
    let esp = ("esp.example", "k1", "pass");
    seen.push(if day < 12 {
        row("192.0.2.81", some(25), "fail", "fail", "bounce.esp.example", &[esp], ("bounce.esp.example", "pass"))
    } else {
        let both = [("contoso.com", "news", "pass"), esp];
        row("192.0.2.81", some(25), "pass", "fail", "bounce.esp.example", &both, ("bounce.esp.example", "pass"))
    });
    if day.is_multiple_of(3) {
        seen.push(row("2001:db8:7::25", 2, "fail", "fail", "contoso.com", &[], ("contoso.com", "fail")));
    }
    if day % 5 == 1 {
        // A list that adds a footer.
        seen.push(row(
            "203.0.113.7",
            share,
            "fail",
            "fail",
            "lists.example",
            &[("contoso.com", "selector1", "fail")],
            ("lists.example", "pass"),
        ));
    }
    if day == 19 {
        for host in 0..4 {
            seen.push(row(
                &format!("192.0.{host}.66"),
                90 * share,
                "fail",
                "fail",
                "contoso.com",
                &[],
                ("contoso.com", "fail"),
            ));
        }
    }
    seen
}

fn row(
    ip: &str,
    count: u64,
    dkim: &str,
    spf: &str,
    mail_from: &str,
    signatures: &[(&str, &str, &str)],
    (domain, result): (&str, &str),
) -> Observation {
    let ip: IpAddr = ip.parse().unwrap();
    let signatures: Vec<_> = signatures
        .iter()
        .map(|(domain, selector, result)| json!({"domain": domain, "selector": selector, "result": result}))
        .collect();
    serde_json::from_value(json!({
        "policy_domain": "contoso.com", "discovery_method": "treewalk", "rua": ["mailto:r@contoso.com"], "errors": [],
        "policy": {"p": "none", "sp": "none", "np": "none", "adkim": "r", "aspf": "r", "fo": "0", "testing": "n",
            "discovery_method": "treewalk", "pct": null},
        "source_ip": ip, "count": count.max(1), "disposition": "none", "dkim": dkim, "spf": spf, "reasons": [],
        "header_from": "contoso.com", "envelope_from": mail_from, "envelope_to": null, "dkim_results": signatures,
        "spf_results": [{"domain": domain, "scope": "mfrom", "result": result}],
    }))
    .unwrap()
}
