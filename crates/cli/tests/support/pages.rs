//! Messages of which pages are written: those of the data, and hostile ones.
#![allow(dead_code, unreachable_pub)]

use super::{PROGRAM, ROOT, batch::Folder, story};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// A command whose page is looked at.
pub struct Case {
    pub name: String,
    pub arguments: Vec<String>,
}

impl Case {
    fn new(name: &str, arguments: &[&str]) -> Self {
        Self { name: name.to_owned(), arguments: arguments.iter().map(|word| (*word).to_owned()).collect() }
    }

    pub fn run(&self, more: &[&str]) -> Output {
        Command::new(PROGRAM).args(&self.arguments).args(more).current_dir(ROOT).output().unwrap()
    }

    /// What is printed; a verdict was reached.
    pub fn told(&self, more: &[&str]) -> String {
        let output = self.run(more);
        let status = output.status.code();
        assert!(status == Some(0) || status == Some(1) && self.arguments[0] == "replay", "{}: {output:?}", self.name);
        assert!(output.stderr.is_empty(), "{}: {output:?}", self.name);
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn page(&self) -> String {
        self.told(&["--html", "-"])
    }
}

/// Each story, each message that was changed, and evidence that is kept.
pub fn of_the_data() -> Vec<Case> {
    let at = "--at=2025-10-06T10:15:05Z";
    let mut cases: Vec<Case> = story::stories()
        .iter()
        .map(|story| {
            let message = format!("tests/data/microsoft365/{}", story.message);
            let ip = story.ip.to_string();
            let client = ["--ip", &ip, "--helo", &story.helo, "--mail-from", &story.mail_from, "--dmarc=both"];
            let arguments = ["check", &message, "--zone=tests/data/microsoft365/zone.db", at];
            Case::new(&story.title, &[&arguments[..], &client].concat())
        })
        .collect();
    for path in messages("tests/data/change").into_iter().chain(messages("tests/data/cli")) {
        let zone = path.replace(".eml", ".db");
        let zone = if Path::new(ROOT).join(&zone).exists() { zone } else { "tests/data/cli/contoso.db".to_owned() };
        cases.push(Case::new(&path, &["check", &path, "--zone", &zone, at, "--authserv-id=mx.example.net"]));
    }
    let sealed = ["check", "tests/data/arc/filtered.eml", "--zone=tests/data/arc/zone.db", at];
    cases.push(Case::new("a chain", &sealed));
    for kept in ["version-1", "version-1-redacted"] {
        let path = format!("tests/data/evidence/{kept}.json");
        cases.push(Case::new(kept, &["replay", &path]));
        cases.push(Case::new(&format!("{kept}, later"), &["replay", &path, "--at=2020-01-01T00:00:00Z"]));
    }
    assert!(cases.len() >= 30, "{}", cases.len());
    cases
}

/// What receivers report: a month, and a report in which each text is the payload.
pub fn of_reports(folder: &Folder) -> Vec<Case> {
    let payload = String::from_utf8_lossy(&payload()).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let row = |place: u32| {
        format!(
            "<record><row><source_ip>192.0.2.{place}</source_ip><count>{}</count><policy_evaluated><dkim>{}</dkim><spf>fail</spf><reason>\
             <type>local_policy</type><comment>{payload}</comment></reason></policy_evaluated></row><identifiers><header_from>{payload}\
             </header_from></identifiers><auth_results><dkim><domain>{payload}</domain><selector>{payload}</selector><result>pass</result>\
             </dkim><spf><domain>{payload}{place}</domain><result>softfail</result></spf></auth_results></record>",
            u64::MAX / 3,
            if place.is_multiple_of(2) { "pass" } else { "fail" }
        )
    };
    let rows: String = (0..250).map(row).collect();
    let report = |domain: &str| {
        format!(
            "<feedback><report_metadata><org_name>{payload}</org_name><report_id>{payload}</report_id><date_range><begin>0</begin><end>\
             18446744073709551615</end></date_range></report_metadata><policy_published><domain>{domain}{payload}</domain>\
             </policy_published>{rows}</feedback>"
        )
    };
    let (one, other) = (folder.file("hostile.xml", &report("")), folder.file("other.xml", &report("b")));
    let bare = folder.file("bare.xml", "<feedback></feedback>");
    vec![
        Case::new("a month of reports", &["report", "read", "tests/data/report_read/month.mbox"]),
        Case::new("hostile reports", &["report", "read", &one, &other]),
        Case::new("a report of nothing", &["report", "read", &bare]),
    ]
}

fn messages(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| name.ends_with(".eml")).map(|name| format!("{folder}/{name}")).collect();
    names.sort();
    names
}

/// Markup that would do something, or end what it stands in.
pub const MARKUP: &str = "\"><script>alert(1)</script></style></title></textarea><img src=http://tracker.example/x onerror=alert(2)>\
    ' onmouseover='alert(3) --><!--<svg/onload=alert(4)>]]>&#60;b&#62;&lt;b&gt;&amp;<a href=javascript:alert(5)>x</a>";

/// What acts on what stands around it, hides, or is no character.
pub const ACTIVE: &[u8] =
    b"\x1b[31m\x07\x7f\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xa8\xc2\x85\t\xff\xfe\xc3";

/// Both, one after the other.
pub fn payload() -> Vec<u8> {
    [MARKUP.as_bytes(), ACTIVE, b"<script>alert(6)</script>"].concat()
}

const SOUND: &str = "From: a@a.example\r\nTo: b@b.example\r\nSubject: s\r\n";
const SIGNATURE: &str = "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from:to; bh=AAAA; b=BBBB";
const SET: [&str; 3] = [
    "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.example; s=s; b=BBBB",
    "ARC-Message-Signature: i=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAAA; b=BBBB",
    "ARC-Authentication-Results: i=1; mx.a.example; spf=pass",
];

/// Messages in which each place that a stranger writes has the payload, with a zone that has it as well.
pub fn hostile(folder: &Folder) -> Vec<Case> {
    let payload = payload();
    let of = |texts: &[&[u8]]| texts.concat();
    let date = b"; Mon, 6 Oct 2025 08:15:05 +0000\r\n";
    let mut messages: Vec<(String, Vec<u8>)> = vec![
        (
            "Received".to_owned(),
            of(&[
                b"Received: from ",
                &payload,
                b" (",
                &payload,
                b" [192.0.2.1]) by ",
                &payload,
                b" with ",
                &payload,
                date,
            ]),
        ),
        ("a name".to_owned(), b"X-\"><script>alert(1)</script></style><img/onerror=alert(2)/src=x>: x\r\n".to_vec()),
        ("no field".to_owned(), of(&[&payload, b"\r\n"])),
        ("NUL".to_owned(), of(&[b"Subject: \0", &payload, b"\0\r\n"])),
        (
            "bare line ends".to_owned(),
            of(&[b"Subject: ", &payload, b"\rFrom: ", &payload, b"\nX: ", &payload, b"\r\n"]),
        ),
    ];
    for name in ["Subject", "From", "To", "Date", "Message-ID", "Return-Path", "Authentication-Results", "Sender"] {
        messages.push((name.to_owned(), of(&[name.as_bytes(), b": ", &payload, b"\r\n"])));
        messages.push((
            format!("{name}, quoted"),
            of(&[name.as_bytes(), b": \"", &payload, b"\" <", &payload, b"@a.example>\r\n"]),
        ));
    }
    for tag in ["v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "z", "unknown"] {
        let start = format!("; {tag}=");
        // The tag stands there once.
        let others: Vec<&str> = SIGNATURE
            .split("; ")
            .filter(|part| !part.trim_start_matches("DKIM-Signature: ").starts_with(&format!("{tag}=")))
            .collect();
        let others = others.join("; ");
        let others = if others.starts_with("DKIM") { others } else { format!("DKIM-Signature: {others}") };
        messages.push((format!("signature {tag}="), of(&[others.as_bytes(), start.as_bytes(), &payload, b"\r\n"])));
    }
    for place in 0..SET.len() {
        let mut field = Vec::new();
        for (at, text) in SET.iter().enumerate() {
            field.extend_from_slice(text.as_bytes());
            if at == place {
                field.extend_from_slice(b"; ");
                field.extend_from_slice(&payload);
            }
            field.extend_from_slice(b"\r\n");
        }
        messages.push((format!("ARC {place}"), field));
    }
    let zone = folder.path("hostile.zone");
    fs::write(&zone, hostile_zone(&payload)).unwrap();
    let mut cases: Vec<Case> = messages
        .into_iter()
        .enumerate()
        .map(|(number, (name, fields))| {
            let message = of(&[&fields, SIGNATURE.as_bytes(), b"\r\n", SOUND.as_bytes(), b"\r\n", &payload, b"\r\n"]);
            let path = folder.path(&format!("{number}.eml"));
            fs::write(&path, message).unwrap();
            let arguments =
                ["check", &path, "--zone", &zone, "--ip=192.0.2.1", "--mail-from=c@a.example", "--dmarc=both"];
            Case::new(&format!("hostile {name}"), &arguments)
        })
        .collect();
    let in_arguments = String::from_utf8_lossy(&payload).into_owned();
    let sound = folder.file("sound.eml", &format!("{SOUND}\r\n"));
    for (name, mail_from) in
        [("envelope", format!("\"{in_arguments}\"@a.example")), ("sender", format!("a@{in_arguments}"))]
    {
        let session = ["--ip=192.0.2.1", "--helo", &in_arguments, "--mail-from", &mail_from];
        cases.push(Case::new(name, &[&["check", &sound, "--zone", &zone], &session[..]].concat()));
    }
    // A change that is proven, of which the page shows the text.
    let changed = String::from_utf8(super::read("tests/data/change/changed-before-seal.eml")).unwrap();
    let (header, body) = changed.split_once("\n\n").or_else(|| changed.split_once("\r\n\r\n")).unwrap();
    let (_, signed) = body.split_once('\n').unwrap();
    let text = [header.as_bytes(), b"\n\n", &payload, b"\n", signed.as_bytes()].concat();
    let path = folder.path("changed.eml");
    fs::write(&path, text).unwrap();
    cases.push(Case::new("changed", &["check", &path, "--zone=tests/data/change/changed-before-seal.db"]));
    cases
}

/// Records that hold the payload.
fn hostile_zone(payload: &[u8]) -> String {
    let text = |text: &[u8]| {
        let strings = text.chunks(200).map(|chunk| {
            let octets: String = chunk.iter().map(|octet| format!("\\{octet:03}")).collect();
            format!("\"{octets}\"")
        });
        strings.collect::<Vec<_>>().join(" ")
    };
    let record = |parts: &[&[u8]]| text(&parts.concat());
    [
        format!(
            "a.example. TXT {}",
            record(&[b"v=spf1 a:", payload, b" include:b.example exp=x.a.example ", payload, b" -all"])
        ),
        format!("b.example. TXT {}", record(&[b"v=spf1 -all exp=x.a.example"])),
        format!("x.a.example. TXT {}", record(&[payload])),
        format!(
            "s._domainkey.a.example. TXT {}",
            record(&[b"v=DKIM1; n=", payload, b"; k=", payload, b"; p=", payload])
        ),
        format!(
            "_dmarc.a.example. TXT {}",
            record(&[b"v=DMARC1; p=", payload, b"; rua=mailto:", payload, b"; ", payload])
        ),
    ]
    .join("\n")
        + "\n"
}

/// Messages that make much of everything, the first seven of what a page shows.
pub fn large(folder: &Folder) -> Vec<Case> {
    let received =
        "Received: from a.example (b.example [192.0.2.1]) by c.example with ESMTP; Mon, 6 Oct 2025 08:15:05 +0000\r\n";
    let long = "x".repeat(100_000);
    let names: String = (0..20_000).map(|number| format!(":x{number}")).collect();
    let mut terms = String::from("v=spf1");
    for number in 0..4000 {
        terms += &format!(" ip4:10.{}.{}.1", number / 250, number % 250);
    }
    let strings: Vec<String> = format!("{terms} -all")
        .as_bytes()
        .chunks(250)
        .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
        .collect();
    let zone = folder.file("large.zone", &format!("a.example. TXT {}\n", strings.join(" ")));
    // Characters that take six octets in a page.
    let quotes = "\"".repeat(900);
    let tags: String = "abdhistx".chars().map(|tag| format!("; {tag}={quotes}")).collect();
    let quoted: String = (0..100).map(|number| format!(":{number}{quotes}")).collect();
    let hop = format!(
        "Received: from {quotes} ({quotes} [192.0.2.1]) by {quotes} with {quotes}; Mon, 6 Oct 2025 08:15:05 +0000\r\n"
    );
    let quotes_everywhere = [
        hop.repeat(60),
        format!("{SIGNATURE}; i={quotes}@a.example; z={quotes}{tags}\r\n").repeat(30),
        format!("{SIGNATURE}{quoted}\r\n").repeat(30),
        format!("{SIGNATURE}; l={quotes}\r\n").repeat(30),
        format!("Subject: {quotes}\r\nReply-To: {quotes}\r\n").repeat(30),
        format!(
            "ARC-Authentication-Results: i=1; a.example{}\r\n",
            format!("; dkim=pass header.d={quotes}").repeat(30)
        ),
        format!("{}\r\n{}\r\n", SET[0], SET[1]),
    ];
    let messages = [
        ("quotes", quotes_everywhere.concat()),
        ("10,000 Received", received.repeat(10_000)),
        ("100 signatures", format!("{SIGNATURE}{names}\r\n").repeat(100)),
        ("100 sets", SET.map(|field| format!("{field}\r\n")).concat().repeat(100)),
        (
            "long values",
            format!(
                "Subject: {long}\r\nMessage-ID: {long}\r\nReceived: from {long} by {long} with {long}; {long}\r\n{SIGNATURE}; i={long}; {long}={long}\r\n"
            ),
        ),
        ("names", (0..40_000).map(|number| format!("X-{number}: a\r\n")).collect()),
        (
            "results",
            format!("ARC-Authentication-Results: i=1; a.example{}\r\n", "; spf=pass smtp.a=b".repeat(5000))
                + SET[0]
                + "\r\n"
                + SET[1]
                + "\r\n",
        ),
    ];
    let shapes = super::hostile_headers::shapes(200_000);
    let messages =
        messages.into_iter().map(|(name, fields)| (name, format!("{fields}{SOUND}\r\nHello\r\n").into_bytes()));
    messages
        .chain(shapes)
        .enumerate()
        .map(|(number, (name, octets))| {
            let path = folder.path(&format!("large-{number}.eml"));
            fs::write(&path, octets).unwrap();
            Case::new(name, &["check", &path, "--zone", &zone, "--ip=192.0.2.1", "--mail-from=c@a.example"])
        })
        .collect()
}
