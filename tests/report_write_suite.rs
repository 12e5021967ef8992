//! Reports of what was seen here: rows of verdicts, added up, written, and read again.
#![cfg(feature = "reports")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/ready.rs"]
mod ready;
#[path = "support/report.rs"]
mod report;
#[path = "support/skip.rs"]
mod skip;

use mailverdict::{
    Authenticator, Message, Policy, Session,
    dmarc::{self, Disposition, Editions, SuffixList},
    dns::{LookupError, RecordType, Zone},
    name::{Domain, Name},
    report::{
        Aggregate, Aggregator, Aligned, Applied, DkimRow, DkimWord, FailureReporter, Observation, ReadLimits, Reason,
        ReasonType, Report, Reporter, Row, Scope, SpfRow, SpfWord, Topic, WrittenReport, read,
    },
    time::UnixTime,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Cursor},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::Command,
    sync::Arc,
};

/// A folder of its own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("mailverdict-report-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ZONE: &str = "contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
    _dmarc.contoso.com. TXT \"v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:r@contoso.com; fo=1:d; zz=1; aspf=x\"\n\
    testing.example. TXT \"v=spf1 -all\"\n_dmarc.testing.example. TXT \"v=DMARC1; p=reject; t=y\"\n\
    none.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc.none.example. TXT \"v=DMARC1; p=none; rua=mailto:a@b.example\"\n\
    pct.example. TXT \"v=spf1 -all\"\n_dmarc.pct.example. TXT \"v=DMARC1; p=reject; pct=0\"\nbounce.example. TXT \"v=spf1 ?all\"\n";

fn seen(from: &str, mail_from: &str, ip: [u8; 4], more: &str, older: bool) -> Option<Observation> {
    let mut zone = Zone::parse(ZONE, "zone").unwrap();
    zone.plant(&Name::parse("_dmarc.dead.example").unwrap(), RecordType::Txt, LookupError::ServerFailure);
    let mut policy = Policy::default();
    if older {
        policy.dmarc = dmarc::Policy::by(Editions::Rfc7489(Arc::new(SuffixList::parse("com\nexample"))));
    }
    let raw = format!("{more}From: {from}\r\n\r\nHello\r\n");
    let session = Session::new(Ipv4Addr::from(ip)).with_mail_from(mail_from).with_helo("mx.contoso.com");
    let message = Message::parse(raw.as_bytes()).unwrap();
    let verdict = Authenticator::new(zone).with_policy(policy).authenticate_at_once(&message, session.clone());
    Observation::of(&verdict, &session)
}

const OWN: [u8; 4] = [192, 0, 2, 1];
const OTHER: [u8; 4] = [192, 0, 2, 66];

#[test]
fn rows_tell_what_the_verdict_says() {
    for (from, mail_from, ip, expected) in [
        (
            "a@contoso.com",
            "a@contoso.com",
            OWN,
            "contoso.com: 192.0.2.1 1 pass fail pass contoso.com contoso.com -; ; contoso.com/mfrom=pass; ",
        ),
        (
            "a@contoso.com",
            "a@contoso.com",
            OTHER,
            "contoso.com: 192.0.2.66 1 reject fail fail contoso.com contoso.com -; ; contoso.com/mfrom=fail; ",
        ),
        // The policy of subdomains, and the null reverse-path, for which the HELO name stands.
        (
            "a@mail.contoso.com",
            "<>",
            OTHER,
            "contoso.com: 192.0.2.66 1 quarantine fail fail mail.contoso.com <> -; ; mx.contoso.com/mfrom=none; ",
        ),
        (
            "a@contoso.com",
            "x@bounce.example",
            OTHER,
            "contoso.com: 192.0.2.66 1 reject fail fail contoso.com bounce.example -; ; bounce.example/mfrom=neutral; ",
        ),
        // A pass under a policy that asks for nothing is no action.
        (
            "a@none.example",
            "a@none.example",
            OWN,
            "none.example: 192.0.2.1 1 none fail pass none.example none.example -; ; none.example/mfrom=pass; ",
        ),
        (
            "a@none.example",
            "a@none.example",
            OTHER,
            "none.example: 192.0.2.66 1 none fail fail none.example none.example -; ; none.example/mfrom=fail; ",
        ),
        (
            "a@testing.example",
            "a@testing.example",
            OTHER,
            "testing.example: 192.0.2.66 1 quarantine fail fail testing.example testing.example -; ; testing.example/mfrom=fail; policy_test_mode",
        ),
        (
            "a@contoso.com, b@contoso.com",
            "a@contoso.com",
            OWN,
            "contoso.com: 192.0.2.1 1 pass fail pass contoso.com contoso.com -; ; contoso.com/mfrom=pass; ",
        ),
    ] {
        let seen = seen(from, mail_from, ip, "", false).unwrap();
        assert_eq!(format!("{}: {}", seen.policy_domain, report::line(&seen.row)), expected);
        // As `batch` writes it, and it is read.
        let json = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Observation>(&json).unwrap(), seen, "{json}");
    }
    // No record applies; the DNS is open; there is no author; nobody knows the client.
    assert_eq!(seen("a@nothing.example", "a@contoso.com", OWN, "", false), None);
    assert_eq!(seen("a@dead.example", "a@contoso.com", OWN, "", false), None);
    assert_eq!(seen("nobody", "a@contoso.com", OWN, "", false), None);
}

#[test]
fn signatures_are_told_in_their_order_and_errors_of_the_record_as_well() {
    let signature =
        |domain: &str| format!("DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=s1; h=from; bh=AAAA; b=BBBB\r\n");
    let many = [signature("esp.example"), "DKIM-Signature: junk\r\n".to_owned(), signature("contoso.com")].concat();
    let row = seen("a@contoso.com", "a@contoso.com", OWN, &many, false).unwrap().row;
    let told: Vec<_> = row.dkim_results.iter().map(|dkim| dkim.domain.as_deref().unwrap()).collect();
    // None passes: the order is that of the message; a field without `d=` was not verified.
    assert_eq!(told, ["esp.example", "contoso.com"]);
    assert!(row.dkim_results.iter().all(|dkim| dkim.selector.as_deref() == Some("s1")));
    let hundred = signature("esp.example").repeat(150);
    assert_eq!(seen("a@contoso.com", "a@contoso.com", OWN, &hundred, false).unwrap().row.dkim_results.len(), 100);
    let about = seen("a@contoso.com", "a@contoso.com", OWN, "", false).unwrap();
    assert_eq!(about.errors, ["\"aspf=x\": the value is malformed".into()]);
    assert_eq!(about.rua, ["mailto:r@contoso.com".into()]);
    assert_eq!(
        serde_json::to_value(&about.policy).unwrap(),
        serde_json::json!({"p": "reject", "sp": "quarantine", "np": "quarantine", "adkim": "s", "aspf": "r", "fo": "1:d",
            "testing": "n", "discovery_method": "treewalk", "pct": null})
    );
}

/// Passing signatures first, those of the author's own domain before all.
#[test]
fn signatures_that_pass_come_first() {
    let zone = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/microsoft365/zone.db")).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/microsoft365/01-sent-by-the-service.eml");
    let raw = fs::read(path).unwrap();
    let bad = b"DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=x; h=from; bh=AAAA; b=BBBB\r\n";
    let raw = [&bad[..], &raw].concat();
    let message = Message::parse(&raw).unwrap();
    let session = Session::new(Ipv4Addr::from(OTHER)).received_at(UnixTime(1_759_738_505));
    let verdict =
        Authenticator::new(Zone::parse(zone, "zone").unwrap()).authenticate_at_once(&message, session.clone());
    let row = Row::of(&verdict, &session);
    let told: Vec<_> =
        row.dkim_results.iter().map(|dkim| (dkim.domain.as_deref().unwrap(), dkim.result.unwrap())).collect();
    assert_eq!(told[0], ("contoso.com", DkimWord::Pass));
    assert_eq!(told.last().unwrap().0, "other.example");
}

#[test]
fn editions_and_what_a_receiver_does_are_told() {
    let older = seen("a@pct.example", "a@pct.example", OTHER, "", true).unwrap();
    let policy = serde_json::to_value(&older.policy).unwrap();
    assert_eq!(
        (&policy["discovery_method"], &policy["np"], &policy["testing"]),
        (&"psl".into(), &().into(), &().into())
    );
    assert!(
        report::line(&older.row).ends_with("; other(not among the 0 percent of pct)"),
        "{}",
        report::line(&older.row)
    );
    let refused = seen("a@contoso.com", "a@contoso.com", OTHER, "", false).unwrap();
    assert_eq!(refused.clone().handled(Disposition::Reject), refused);
    let milder = refused.handled(Disposition::None);
    assert!(report::line(&milder.row).ends_with("; local_policy"), "{}", report::line(&milder.row));
    assert_eq!(milder.row.disposition, Some(Applied::None));
    let passed = seen("a@contoso.com", "a@contoso.com", OWN, "", false).unwrap();
    assert_eq!(passed.clone().handled(Disposition::None), passed);
    let to = passed.to(&Domain::parse("mx.example").unwrap());
    assert_eq!(to.row.envelope_to.as_deref(), Some("mx.example"));
}

fn reporter() -> Reporter {
    let submitter = Domain::parse("mx.example.net").unwrap();
    let mut reporter = Reporter::new(
        submitter,
        "Example & Söhne <x>",
        "dmarc@example.net",
        UnixTime(1_700_000_000),
        UnixTime(1_700_086_399),
    );
    reporter.extra_contact_info = Some("https://example.net/?a&b".to_owned());
    reporter
}

/// Each report, as it is written.
fn written(observations: &[Observation], most: usize) -> Vec<(Topic, WrittenReport, Vec<u8>)> {
    let folder = Folder::new(&format!("rows-{most}-{}", observations.len()));
    let mut aggregator = Aggregator::new(folder.0.clone(), most);
    for observation in observations {
        aggregator.add(observation.clone()).unwrap();
    }
    let mut reports = Vec::new();
    aggregator
        .finish(|topic, rows| {
            let mut xml = Cursor::new(Vec::new());
            let report = reporter().write(topic, rows, &mut xml)?;
            reports.push((topic.clone(), report, xml.into_inner()));
            Ok::<(), io::Error>(())
        })
        .unwrap();
    assert_eq!(folder.files(), 0, "files stayed");
    reports
}

fn read_again(xml: &[u8]) -> (Aggregate, Vec<Row>) {
    let found = read(&xml, ReadLimits::default());
    let Ok(Report::Aggregate(report)) = &found[0].report else { panic!("{found:?}") };
    assert_eq!(report.findings, [], "{}", String::from_utf8_lossy(xml));
    (report.about.clone(), report.rows().unwrap())
}

/// Texts that need escapes, without white space around them.
fn text() -> impl Strategy<Value = Box<str>> {
    let piece = select(
        &["a", "b.example", "<", ">", "&", "\"", "'", "]]>", "&amp;", "é", "\u{1f4e7}", " ", "<b>", "--", "="][..],
    );
    vec(piece, 1..5).prop_map(|pieces| format!("x{}x", pieces.concat()).into())
}

fn row() -> impl Strategy<Value = Row> {
    let ip = prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<u16>().prop_map(|low| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, low]))
    ];
    let applied = select(&[Applied::None, Applied::Pass, Applied::Quarantine, Applied::Reject][..]);
    let aligned = || select(&[Aligned::Pass, Aligned::Fail][..]);
    let kinds = [
        ReasonType::LocalPolicy,
        ReasonType::MailingList,
        ReasonType::Other,
        ReasonType::PolicyTestMode,
        ReasonType::TrustedForwarder,
    ];
    let reason =
        (select(kinds.to_vec()), option::of(text())).prop_map(|(kind, comment)| Reason { kind: Some(kind), comment });
    let dkim_words = [
        DkimWord::None,
        DkimWord::Pass,
        DkimWord::Fail,
        DkimWord::Policy,
        DkimWord::Neutral,
        DkimWord::TempError,
        DkimWord::PermError,
    ];
    let dkim = (text(), text(), select(dkim_words.to_vec()), option::of(text())).prop_map(
        |(domain, selector, result, human_result)| DkimRow {
            domain: Some(domain),
            selector: Some(selector),
            result: Some(result),
            human_result,
        },
    );
    let spf_words = [
        SpfWord::None,
        SpfWord::Pass,
        SpfWord::Fail,
        SpfWord::SoftFail,
        SpfWord::Policy,
        SpfWord::Neutral,
        SpfWord::TempError,
        SpfWord::PermError,
    ];
    let spf = (text(), option::of(Just(Scope::MailFrom)), select(spf_words.to_vec()), option::of(text())).prop_map(
        |(domain, scope, result, human_result)| SpfRow {
            domain: Some(domain),
            scope,
            result: Some(result),
            human_result,
        },
    );
    let mail_from = option::of(prop_oneof![Just(Box::from("")), text()]);
    (
        (ip, 1_u64..9, applied, aligned(), aligned(), vec(reason, 0..3)),
        (text(), mail_from, option::of(text()), vec(dkim, 0..3), option::of(spf)),
    )
        .prop_map(
            |(
                (source_ip, count, disposition, dkim, spf, reasons),
                (header_from, envelope_from, envelope_to, dkim_results, spf_results),
            )| Row {
                source_ip: Some(source_ip),
                count,
                disposition: Some(disposition),
                dkim: Some(dkim),
                spf: Some(spf),
                reasons,
                header_from: Some(header_from),
                envelope_from,
                envelope_to,
                dkim_results,
                spf_results: spf_results.into_iter().collect(),
                extensions: Vec::new(),
            },
        )
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let like: Vec<Observation> = ["a@contoso.com", "a@none.example", "a@testing.example"]
        .map(|from| seen(from, from, OTHER, "", false).unwrap())
        .to_vec();
    vec((select(like), row(), any::<bool>()), 1..20).prop_map(|seen| {
        let mut observations: Vec<Observation> = Vec::new();
        for (mut observation, row, again) in seen {
            observation.row = row;
            observations.push(observation.clone());
            if again {
                observations.insert(0, observation);
            }
        }
        observations
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written and read is what was seen, whatever the order, and however much stood in files.
    #[test]
    fn what_is_written_is_read_again(observations in observations(), most in 1_usize..30) {
        let reports = written(&observations, 1000);
        let mut reversed = observations.clone();
        reversed.reverse();
        prop_assert_eq!(&reports, &written(&reversed, most));
        let mut expected: BTreeMap<(Box<str>, Row), u64> = BTreeMap::new();
        for observation in &observations {
            let row = Row { count: 0, ..observation.row.clone() };
            *expected.entry((observation.policy_domain.clone(), row)).or_default() += observation.row.count;
        }
        let mut found: BTreeMap<(Box<str>, Row), u64> = BTreeMap::new();
        for (topic, report, xml) in &reports {
            let (about, rows) = read_again(xml);
            prop_assert_eq!(about.domain.as_deref(), Some(&*topic.domain));
            prop_assert_eq!(&about.policy, &topic.policy);
            prop_assert_eq!(about.report_id.as_deref(), Some(&*report.report_id));
            prop_assert_eq!(about.errors.join("; "), topic.errors.join("; "));
            prop_assert_eq!((about.org_name.as_deref(), about.email.as_deref()), (Some("Example & Söhne <x>"), Some("dmarc@example.net")));
            prop_assert_eq!((about.begin, about.end), (Some(UnixTime(1_700_000_000)), Some(UnixTime(1_700_086_399))));
            prop_assert_eq!(report.rows, u64::try_from(rows.len()).unwrap());
            prop_assert_eq!(report.messages, rows.iter().map(|row| row.count).sum::<u64>());
            for row in rows {
                let count = row.count;
                let before = found.insert((topic.domain.clone(), Row { count: 0, ..row }), count);
                prop_assert_eq!(before, None);
            }
        }
        prop_assert_eq!(found, expected);
    }
}

/// Some reports with all that may stand in one.
fn samples() -> Vec<(Topic, WrittenReport, Vec<u8>)> {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    (0..20).flat_map(|_| written(&observations().new_tree(&mut runner).unwrap().current(), 1000)).collect()
}

/// By another implementation (`xmllint`), where the schema is at hand (`MAILVERDICT_REPORT_SCHEMA`).
#[test]
fn what_is_written_is_valid_by_the_schema() {
    let Ok(schema) = env::var("MAILVERDICT_REPORT_SCHEMA") else {
        return skip::skipped("MAILVERDICT_REPORT_SCHEMA is not set: no report was held to the schema of RFC 9990");
    };
    if Command::new("xmllint").arg("--version").output().is_err() {
        return skip::skipped("there is no xmllint: no report was held to the schema of RFC 9990");
    }
    let folder = Folder::new("schema");
    let paths: Vec<PathBuf> = samples()
        .iter()
        .map(|(_, report, xml)| {
            let path = folder.0.join(&report.file_name);
            fs::write(&path, xml).unwrap();
            path
        })
        .collect();
    let valid = |paths: &[PathBuf]| {
        Command::new("xmllint").args(["--noout", "--schema", &schema]).args(paths).output().unwrap()
    };
    let output = valid(&paths);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("{} reports are valid", paths.len());
    assert!(paths.len() >= 20);
    // And one that is none would be told.
    let broken = folder.0.join("broken.xml");
    let xml = String::from_utf8(samples().remove(0).2).unwrap();
    fs::write(&broken, xml.replacen("<disposition>", "<disposition>x", 1)).unwrap();
    assert!(!valid(&[broken]).status.success());
}

/// No text of a stranger ends an element, nor is it anything that XML does not have.
#[test]
fn what_xml_does_not_have_is_replaced() {
    let mut observation = seen("a@contoso.com", "a@contoso.com", OTHER, "", false).unwrap();
    observation.row.header_from = Some("a\0\u{1b}[2J\r\n</header_from>\u{85}\u{ffff}]]>&#0;".into());
    let xml = written(&[observation], 10).remove(0).2;
    let (_, rows) = read_again(&xml);
    assert_eq!(
        rows[0].header_from.as_deref(),
        Some("a\u{fffd}\u{fffd}[2J\u{fffd}\n</header_from>\u{fffd}\u{fffd}]]>&#0;")
    );
}

#[test]
fn names_and_mails_are_as_rfc_9990_has_them() {
    let folder = Folder::new("mail");
    let (topic, report, xml) = samples().into_iter().find(|(topic, ..)| &*topic.domain == "contoso.com").unwrap();
    // §3.5.2: receiver "!" policy-domain "!" begin-timestamp "!" end-timestamp [ "!" unique-id ] "." extension
    let (id, submitter) = report.report_id.split_once('@').unwrap();
    assert!(id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_alphanumeric()));
    assert_eq!(submitter, "mx.example.net");
    assert_eq!(report.file_name, format!("mx.example.net!contoso.com!1700000000!1700086399!{id}.xml"));
    let write = |to: &str| {
        let mut mail = Vec::new();
        reporter().write_mail(&topic, &report, to, &xml[..], &mut mail).map(|()| mail)
    };
    let mail = write("r@contoso.com").unwrap();
    assert_eq!(mail, write("r@contoso.com").unwrap());
    let message = Message::parse(&mail).unwrap();
    let field = |name: &str| {
        let fields: Vec<_> = message.header().fields().iter().filter(|field| field.is(name)).collect();
        assert_eq!(fields.len(), 1, "{name}");
        String::from_utf8(fields[0].value().to_vec()).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        field("Subject"),
        format!("Report Domain: contoso.com Submitter: mx.example.net Report-ID: <{id}@mx.example.net>")
    );
    assert_eq!(field("Message-ID"), format!("<{id}@mx.example.net>"));
    assert_eq!((field("From"), field("To")), ("dmarc@example.net".to_owned(), "r@contoso.com".to_owned()));
    assert_eq!(field("Date"), "Wed, 15 Nov 2023 22:13:19 +0000");
    let text = String::from_utf8(mail.clone()).unwrap();
    assert!(text.contains(&format!("Content-Type: application/gzip;\r\n name=\"{}.gz\"\r\n", report.file_name)));
    assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains('\n')));
    assert_eq!(text.bytes().find(|octet| !octet.is_ascii()), None);
    // The reader finds it, and what it finds is the same.
    let found = read(&mail, ReadLimits::default());
    let Ok(Report::Aggregate(read)) = &found[0].report else { panic!("{found:?}") };
    assert_eq!(found[0].name, format!("{}.gz", report.file_name));
    assert_eq!(read.rows().unwrap(), read_again(&xml).1);
    for bad in ["a@b.example\r\nBcc: c@d.example", "a b@c.example", "ä@b.example"] {
        assert!(write(bad).is_err(), "{bad}");
    }
    drop(folder);
}

/// Two policies of one domain are two reports (RFC 9990 §3.1).
#[test]
fn each_policy_has_its_own_report() {
    let first = seen("a@contoso.com", "a@contoso.com", OTHER, "", false).unwrap();
    let mut second = first.clone();
    second.policy.p = Some(Disposition::None);
    let reports = written(&[first.clone(), second, first], 10);
    assert_eq!(reports.iter().map(|(_, report, _)| report.messages).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(reports[0].1.file_name, reports[1].1.file_name);
}

const PRIVATE: &str = "Received: from x (x [192.0.2.66]) by mx.example.net for <victim.person@mx.example.net>; Mon, 6 Oct 2025 08:15:05 +0000\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; d=contoso.com; s=s1; i=alice.private@contoso.com; h=from; z=Subject:secret; bh=AAAA; b=BBBB\r\n\
    To: Victim Person <victim.person@mx.example.net>\r\nSubject: secret\r\nX-Secret: secret\r\nMessage-ID: <1.alice.private@contoso.com>\r\n\
    From: Alice Private <alice.private@contoso.com>\r\n";

/// The mails of so many equal messages, each received so many seconds after the one before.
fn failures(ruf: &str, mail_from: &str, count: u64, step: u64, most: u64) -> Vec<Option<String>> {
    let zone = format!(
        "contoso.com. TXT \"v=spf1 ip4:192.0.2.1 include:spf.contoso.com include:a.contoso.com include:b.contoso.com -all\"\n\
         spf.contoso.com. TXT \"v=spf1 -all\"\na.contoso.com. TXT \"v=spf1 -all\"\nb.contoso.com. TXT \"v=spf1 -all\"\n\
         other.example. TXT \"v=spf1 -all\"\n_dmarc.contoso.com. TXT \"v=DMARC1; p=reject; {ruf}\"\n"
    );
    let authenticator = Authenticator::new(Zone::parse(zone, "zone").unwrap());
    let raw = format!("{PRIVATE}\r\nsecret\r\n");
    let message = Message::parse(raw.as_bytes()).unwrap();
    let mut reporter = FailureReporter::new(Domain::parse("mx.example.net").unwrap(), "dmarc@example.net", most);
    (0..count)
        .map(|number| {
            let at = UnixTime(1_759_738_505 + number * step);
            let session = Session::new(Ipv4Addr::from(OTHER)).received_at(at).with_mail_from(mail_from);
            let mut nobody = mailverdict::spf::Observers { helo: (), mail_from: () };
            let (verdict, log) = ready::now(authenticator.explain(&message, session.clone(), &mut nobody));
            let report = reporter.report(&verdict, &session, &log, message.header())?;
            Some(report.mail("f@contoso.com").unwrap())
        })
        .collect()
}

/// RFC 9991 §4 and §7.
#[test]
fn failure_reports_tell_what_helps_and_nothing_private() {
    let mail = failures("ruf=mailto:f@contoso.com", "alice.private@contoso.com", 1, 0, 10).remove(0).unwrap();
    for private in ["alice", "Alice", "secret", "victim", "Victim", "z="] {
        assert!(!mail.contains(private), "{private}: {mail}");
    }
    for told in [
        "\r\nContent-Type: multipart/report; report-type=feedback-report;\r\n",
        "\r\nAuth-Failure: dmarc\r\n",
        "\r\nIdentity-Alignment: dkim, spf\r\n",
        "\r\nDKIM-Domain: contoso.com\r\n",
        "\r\nDKIM-Selector: s1\r\n",
        "\r\nSPF-DNS: txt : contoso.com : \"v=spf1 ip4:192.0.2.1 include:spf.contoso.com\r\n include:a.contoso.com",
        "\r\nFrom: <redacted@contoso.com>\r\n",
        "\r\nReceived: from x (x [192.0.2.66]) by mx.example.net for <redacted",
    ] {
        assert!(mail.contains(told), "{told}: {mail}");
    }
    assert!(mail.split("\r\n").all(|line| line.len() <= 998 && line.is_ascii() && !line.contains('\n')));
    // Our reader has nothing to say.
    let mail = mail.into_bytes();
    let found = read(&mail, ReadLimits::default());
    let Ok(Report::Failure(report)) = &found[0].report else { panic!("{found:?}") };
    assert_eq!(report.findings, []);
    assert_eq!(
        (&report.identity_alignment[..], report.source_ip),
        (&["dkim".into(), "spf".into()][..], Some(OTHER.into()))
    );
    assert_eq!(report.arrival, Some(UnixTime(1_759_738_505)));
}

#[test]
fn failure_reports_are_made_for_those_who_ask_and_not_too_many() {
    // Without `ruf`, with `fo` that asks for other reports, for the record of a public suffix.
    for none in ["fo=1", "ruf=mailto:f@contoso.com; fo=d", "ruf=mailto:f@contoso.com; psd=y"] {
        assert_eq!(failures(none, "a@contoso.com", 1, 0, 10), [None], "{none}");
    }
    let mails = failures("ruf=mailto:f@contoso.com", "a@other.example", 12, 600, 2);
    let told: Vec<_> = mails
        .iter()
        .map(|mail| {
            let mail = mail.as_ref()?;
            assert!(!mail.contains("SPF-DNS"), "SPF failed for another domain: {mail}");
            let (_, rest) = mail.split_once("Incidents: ").unwrap_or(("", "1\r\n"));
            rest.split("\r\n").next()?.parse::<u64>().ok()
        })
        .collect();
    // Six in an hour: two are reported, the first of the next hour tells of four more.
    let hour = |first| [Some(first), Some(1), None, None, None, None];
    assert_eq!(told, [hour(1), hour(5)].concat());
}
