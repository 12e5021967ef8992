//! Pages of HTML: what they hold, and that nothing of a stranger's text is more than text there.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{prelude::*, test_runner::Config};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, fs, time::Instant};
use support::{
    batch::Folder,
    html::{Document, words},
    pages::{self, Case},
};

/// Octets that no page exceeds.
const MAX_PAGE: usize = 2 << 20;

const ELEMENTS: &str = "html head meta title style body header nav main section footer h1 h2 h3 h4 p ul ol li a dl dt dd table thead tbody \
    tr th td details summary pre code strong small span mark ins del svg rect";
const ATTRIBUTES: &str = "lang charset http-equiv content name id class href aria-label aria-labelledby scope value viewBox \
    preserveAspectRatio aria-hidden focusable x y width height";

/// What a page is about.
struct Kind {
    /// How its title begins, or ends.
    title: fn(&str) -> bool,
    sections: &'static [&'static str],
    /// Those that stand among them where there is something to say.
    at_times: &'static [&'static str],
}

const OF_A_MESSAGE: Kind = Kind {
    title: |title| title.starts_with("DMARC: "),
    sections: &["results", "findings", "way", "spf", "dkim", "arc", "dmarc", "fields", "dns"],
    at_times: &["recorded", "changes"],
};
const OF_A_LOOK: Kind = Kind {
    title: |title| title.ends_with(" - mailverdict") && title.contains(": "),
    sections: &["spf", "dmarc", "dkim", "mx", "findings", "dns"],
    at_times: &["senders", "texts", "corrections"],
};

const OF_REPORTS: Kind = Kind {
    title: |title| title.starts_with("Mail ") && title.ends_with(" - mailverdict"),
    sections: &["result", "days", "sources", "reasons"],
    at_times: &["failures", "tls"],
};

/// A page that does nothing, and that everybody can read.
fn assert_sound(name: &str, page: &str) -> Document {
    assert_sound_as(&OF_A_MESSAGE, name, page)
}

fn assert_sound_as(kind: &Kind, name: &str, page: &str) -> Document {
    let document = Document::of(page);
    assert_eq!(document.errors, Vec::<String>::new(), "{name}");
    assert_eq!(document.comments, 0, "{name}");
    assert!(page.len() <= MAX_PAGE, "{name}: {}", page.len());
    let is_active = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert_eq!(page.chars().find(|c| is_active(*c)), None, "{name}");

    let elements: BTreeSet<&str> = ELEMENTS.split_whitespace().collect();
    let attributes: BTreeSet<&str> = ATTRIBUTES.split_whitespace().collect();
    let mut ids = BTreeSet::new();
    for element in &document.elements {
        assert!(elements.contains(&*element.name), "{name}: {element:?}");
        for (attribute, value) in &element.attributes {
            assert!(attributes.contains(&**attribute), "{name}: {element:?}");
            assert!(attribute != "id" || ids.insert(value.clone()), "{name}: {value} twice");
        }
    }
    for element in &document.elements {
        let leads_to = element.attribute("href").map(|target| target.strip_prefix('#').unwrap());
        for target in leads_to.into_iter().chain(element.attribute("aria-labelledby")) {
            assert!(ids.contains(target), "{name}: {target}");
        }
    }
    assert_structure(kind, name, &document);
    assert_policy(name, &document);
    document
}

/// Headings in their order, landmarks once, tables with headings, pictures with words beside them.
fn assert_structure(kind: &Kind, name: &str, document: &Document) {
    let headings = document.elements.iter().filter_map(|element| element.name.strip_prefix('h')?.parse::<u8>().ok());
    let mut level = 0;
    for heading in headings {
        assert!(heading <= level + 1 && (heading > 1 || level == 0), "{name}: h{heading} below h{level}");
        level = heading;
    }
    for once in ["html", "head", "title", "body", "header", "nav", "main", "footer", "h1", "style"] {
        assert_eq!(document.all(once).count(), 1, "{name}: {once}");
    }
    assert_eq!(document.all("html").next().unwrap().attribute("lang"), Some("en"), "{name}");
    assert!(document.all("title").all(|title| (kind.title)(&title.text)), "{name}");
    assert!(document.all("th").all(|cell| cell.attribute("scope").is_some()), "{name}");
    assert!(document.all("svg").all(|picture| picture.attribute("aria-hidden") == Some("true")), "{name}");
    let sections: Vec<&str> = document.all("section").filter_map(|section| section.attribute("id")).collect();
    let sections: Vec<&str> = sections.into_iter().filter(|id| !kind.at_times.contains(id)).collect();
    assert_eq!(sections, kind.sections, "{name}");
    assert_eq!(document.all("section").count(), document.all("h2").count(), "{name}");
}

/// The charset first, then what may be done, which is nothing but this style.
fn assert_policy(name: &str, document: &Document) {
    let metas: Vec<_> = document.all("meta").collect();
    assert_eq!(metas[0].attribute("charset"), Some("utf-8"), "{name}");
    assert_eq!(metas[1].attribute("http-equiv"), Some("Content-Security-Policy"), "{name}");
    let style = &document.all("style").next().unwrap().text;
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    assert_eq!(metas[1].attribute("content"), Some(&*policy), "{name}");
    assert_eq!(metas.iter().filter(|meta| meta.attribute("http-equiv").is_some()).count(), 1, "{name}");
    assert_eq!((metas[2].attribute("name"), metas[2].attribute("content")), (Some("referrer"), Some("no-referrer")));
    for reaching_out in ["url(", "@import", "expression("] {
        assert!(!style.contains(reaching_out), "{reaching_out}");
    }
}

/// The sentences of `check --json` or `replay --json`.
fn sentences(json: &Value) -> Vec<String> {
    let mut said = Vec::new();
    let mut add = |value: &Value| said.extend(value.as_str().map(|text| words(&text.replace('\u{2026}', "..."))));
    for finding in json["findings"].as_array().unwrap() {
        ["id", "severity", "says", "advice", "reference"].iter().for_each(|member| add(&finding[member]));
    }
    let changes =
        json["dkim"].as_array().unwrap().iter().flat_map(|signature| signature["changes"].as_array()).flatten();
    for change in changes {
        ["kind", "says", "advice"].iter().for_each(|member| add(&change[member]));
    }
    for report in [&json["spf"]["helo"], &json["spf"]["mail_from"], &json["arc"]] {
        ["result", "reason"].iter().for_each(|member| add(&report[member]));
    }
    said
}

/// The page says what the text says.
#[test]
fn pages_say_all_that_is_said() {
    let (mut marked, mut inserted, mut deleted, mut bars) = (0, 0, 0, 0);
    let mut told = 0;
    let has = |document: &Document, id| document.all("section").any(|section| section.attribute("id") == Some(id));
    for case in pages::of_the_data() {
        let document = assert_sound(&case.name, &case.page());
        let shown = document.words();
        // Of the result, the title and the conclusion.
        let text = case.told(&[]);
        let conclusion = text.split("\n\n").next().unwrap();
        let lines = conclusion.lines().filter(|line| !line.starts_with("DMARC: ")).collect::<Vec<_>>().join("\n");
        for part in words(&lines).split(" Disposition: ") {
            assert!(shown.contains(part), "{}: {part}", case.name);
        }
        let json: Value = serde_json::from_str(&case.told(&["--json"])).unwrap();
        for sentence in sentences(&json) {
            assert!(shown.contains(&sentence), "{}: {sentence}", case.name);
            told += 1;
        }
        assert_eq!(has(&document, "recorded"), case.arguments[0] == "replay", "{}", case.name);
        assert_eq!(has(&document, "changes"), text.contains("\nWHAT CHANGED\n"), "{}", case.name);
        marked += document.all("mark").count();
        inserted += document.all("ins").count();
        deleted += document.all("del").count();
        bars += document.all("svg").count();
    }
    assert!(marked > 10 && inserted > 3 && deleted > 3 && bars > 3, "{marked} {inserted} {deleted} {bars}");
    assert!(told > 300, "{told}");
}

/// Wherever a stranger writes.
#[test]
fn what_strangers_write_is_text() {
    let folder = Folder::new("html-hostile");
    let cases = pages::hostile(&folder);
    let mut seen = 0;
    for case in &cases {
        let document = assert_sound(&case.name, &case.page());
        seen += usize::from(document.words().contains("<script>alert(1)</script>"));
    }
    // All but what is never shown, such as tags that nobody reads.
    assert!(seen + 12 >= cases.len(), "{seen} of {}", cases.len());
    let change = cases.iter().find(|case| case.name == "changed").unwrap().page();
    let document = assert_sound("changed", &change);
    let added = &document.all("ins").next().unwrap().text;
    for part in [pages::MARKUP, r"\u{1b}[31m", r"\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{85}\t\xff\xfe\xc3"] {
        assert!(added.contains(part), "{part} is not in {added}");
    }
}

/// However much a stranger writes.
#[test]
fn pages_have_bounds() {
    let folder = Folder::new("html-large");
    for case in pages::large(&folder) {
        let page = case.page();
        println!("{}: {} octets", case.name, page.len());
        let document = assert_sound(&case.name, &page);
        let shown = document.words();
        let more = match case.name.as_str() {
            "10,000 Received" => "and 9950 more",
            "100 signatures" => "and 80 more",
            "names" => "more",
            _ => "",
        };
        assert!(shown.contains(more), "{}", case.name);
    }
}

/// A message of 10 MB with 40,000 fields: its page costs little beside its evaluation.
#[test]
fn a_large_message_has_its_page_soon() {
    let folder = Folder::new("html-time");
    let fields: String = (0..40_000).map(|number| format!("X-{number}: {}\r\n", "a".repeat(200))).collect();
    let names: String = (0..2000).map(|number| format!(":X-{}", number * 7)).collect();
    let signature = format!("DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from{names}; bh=AAAA; b=BBBB\r\n");
    let message =
        [fields, signature.repeat(20), "From: a@a.example\r\n\r\n".to_owned(), "Hello\r\n".repeat(100_000)].concat();
    let path = folder.file("message.eml", &message);
    let zone = folder.file("a.zone", "a.example. TXT \"v=spf1 -all\"\n");
    let case = |html: &'static str| {
        let out = folder.path("page.html");
        let started = Instant::now();
        let output = std::process::Command::new(support::PROGRAM)
            .args(["check", &path, "--zone", &zone])
            .args((!html.is_empty()).then_some(["--html", &out]).into_iter().flatten())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        started.elapsed()
    };
    let (without, with) = (case(""), case("page"));
    println!("{} octets: {without:?} without the page, {with:?} with it", message.len());
    assert_sound("large", &fs::read_to_string(folder.path("page.html")).unwrap());
    assert!(with < without * 2 + std::time::Duration::from_secs(2), "{without:?} {with:?}");
}

/// A file is written beside what is printed, as evidence is; `-` is printed in its place.
#[test]
fn the_page_goes_to_a_file_or_is_printed() {
    let folder = Folder::new("html-file");
    let path = folder.path("page.html");
    let message = "tests/data/microsoft365/01-sent-by-the-service.eml";
    let arguments = ["check", message, "--zone=tests/data/microsoft365/zone.db"].map(str::to_owned).to_vec();
    let case = Case { name: "a message".to_owned(), arguments };
    let text = case.told(&[]);
    // What stood in the file is replaced.
    for _ in 0..2 {
        assert_eq!(case.told(&["--html", &path]), text);
        assert_eq!(fs::read_to_string(&path).unwrap(), case.page());
    }
    let json = case.told(&["--json", "--html", &path]);
    assert!(json.starts_with('{'), "{json}");
    for (more, line) in [
        (&["--html", "-", "--json"][..], "mailverdict: --html - and --json both write to standard output\n"),
        (&["--html", "-", message], "mailverdict: --html is of one message, and here are several\n"),
        (
            &["--html", "/nowhere/page.html"],
            "mailverdict: cannot write /nowhere/page.html: no such file or directory\n",
        ),
    ] {
        let output = case.run(more);
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(2), line));
    }
}

/// The commands that the documents show for it.
#[test]
fn the_documents_show_commands_that_work() {
    let folder = Folder::new("html-documents");
    let copy = |from: &str, to: &str| fs::write(folder.path(to), support::read(from)).unwrap();
    copy("tests/data/evidence/version-1.json", "evidence.json");
    // A message from nobody: the network has nothing to be asked.
    folder.file("message.eml", "Subject: s\n\nHello\n");
    let text = String::from_utf8(support::read("docs/command-line.md")).unwrap();
    let commands: Vec<&str> =
        text.lines().filter(|line| line.starts_with("mailverdict ") && line.contains(" --html page.html ")).collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let mut words = command.split_whitespace().skip(1).map(str::to_owned);
        let mut program = std::process::Command::new(support::PROGRAM);
        let output = program.args(&mut words).current_dir(&folder.0).output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty() && !output.stdout.is_empty(),
            "{command}: {output:?}"
        );
        assert_sound(command, &fs::read_to_string(folder.path("page.html")).unwrap());
        fs::remove_file(folder.path("page.html")).unwrap();
    }
}

/// WCAG 2.2, success criterion 1.4.3: 4.5 to 1, in the light, in the dark and on paper.
#[test]
fn colours_can_be_told_apart() {
    let page = pages::of_the_data()[0].page();
    let style = Document::of(&page).all("style").next().unwrap().text.clone();
    let palettes: Vec<&str> = style.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    assert_eq!(palettes.len(), 3);
    for palette in palettes {
        let colour = |name: &str| {
            let (_, rest) = palette.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("{name}"));
            u32::from_str_radix(&rest[..6], 16).unwrap()
        };
        let on = [("ink", "paper"), ("muted", "paper"), ("link", "paper"), ("ink", "box"), ("marked", "on-marked")];
        let words = ["good", "bad", "doubtful", "broken", "plain"].map(|word| (word, format!("on-{word}")));
        let on = on.map(|(text, behind)| (text, behind.to_owned())).into_iter().chain(words);
        for (text, behind) in on {
            let found = contrast(colour(text), colour(&behind));
            assert!(found >= 4.5, "{text} on {behind}: {found}");
        }
    }
}

fn contrast(one: u32, other: u32) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: u32) -> f64 {
    let of = |shift: u32| {
        let part = f64::from(colour >> shift & 0xff) / 255.0;
        if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * of(16) + 0.7152 * of(8) + 0.0722 * of(0)
}

proptest! {
    #![proptest_config(Config { cases: 40, failure_persistence: None, ..Config::default() })]

    /// Octets of any kind, with what HTML acts on among them.
    #[test]
    fn random_octets_are_text(
        parts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..20),
                prop::sample::select(vec!["<", ">", "\"", "'", "&", "<script>", "</style>", "-->", "\u{202e}", "\r\n", ": ", ";", "="])
                    .prop_map(|text| text.as_bytes().to_vec()),
                prop::sample::select(vec!["Received", "DKIM-Signature", "ARC-Seal", "From", "Subject", "d=", "h=", "i=", "from ", "by "])
                    .prop_map(|text| text.as_bytes().to_vec()),
            ],
            0..60,
        )
    ) {
        let folder = Folder::new("html-random");
        let path = folder.path("message.eml");
        let random = parts.concat();
        fs::write(&path, [b"Subject: ", &*random, b"\r\nFrom: a@a.example\r\n\r\n", &random].concat()).unwrap();
        let zone = folder.file("a.zone", "a.example. TXT \"v=spf1 -all\"\n");
        let arguments = ["check", &path, "--zone", &zone, "--raw"].map(str::to_owned).to_vec();
        assert_sound("random octets", &Case { name: "random octets".to_owned(), arguments }.page());
    }
}

/// Texts of strangers: markup, quotes, controls, and what turns a line round.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\\\"><img src=x onerror=alert(1)>",
    "</pre></code></table><!--",
    "\\027[31m\\226\\128\\174",
    "&lt;&amp;&#60;",
    "javascript:alert(1)",
];

/// What `lint` prints, in the folder of the repository.
fn looked(arguments: &[&str]) -> String {
    let output = support::run(&[&["lint"], arguments].concat(), b"");
    assert!(matches!(output.status.code(), Some(0 | 1)) && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The page of a look says what its JSON says, whoever wrote the records.
#[test]
fn pages_of_looks_say_all_that_is_said() {
    let folder = Folder::new("looks");
    let hostile = folder.path("hostile.db");
    let mut zone = String::from("a.example. MX 10 mx.a.example.\nmx.a.example. A 10.0.0.1\n");
    for (at, text) in HOSTILE.iter().enumerate() {
        zone += &format!("t{at}.example. TXT \"v=spf1 include:{text}.example a:{text} ip4:{text} -all\"\n");
        zone += &format!("_dmarc.t{at}.example. TXT \"v=DMARC1; p=none; x={text}; rua=mailto:{text}@b.example\"\n");
        zone += &format!("s._domainkey.t{at}.example. TXT \"v=DKIM1; k={text}; p={text}\"\n");
        zone += &format!("_smtp._tls.t{at}.example. TXT \"v=TLSRPTv1; rua={text}\"\n");
        zone += &format!("default._bimi.t{at}.example. TXT \"v=BIMI1; l={text}\"\n");
    }
    fs::write(&hostile, zone).unwrap();
    let hostile = format!("--zone={hostile}");
    let contoso = "--zone=tests/data/lint/contoso.db";
    let northwind = "--zone=tests/data/lint/northwind.db";
    let mut looks = vec![
        vec![contoso.to_owned(), "--selector=selector1".into(), "--sender-ip=1.2.3.4".into(), "contoso.example".into()],
        vec![contoso.to_owned(), "good.example".into()],
        vec![northwind.to_owned(), "--selector=selector1".into(), "northwind.example".into()],
        vec!["--zone=tests/data/microsoft365/zone.db".to_owned(), "fabrikam.org".into()],
        vec![contoso.to_owned(), "nothing.example".into()],
    ];
    looks.extend((0..HOSTILE.len()).map(|at| vec![hostile.clone(), "--selector=s".into(), format!("t{at}.example")]));
    let (mut told, mut marked) = (0, 0);
    for look in &looks {
        let arguments: Vec<&str> = look.iter().map(String::as_str).collect();
        let name = arguments.join(" ");
        let page = looked(&[&["--html=-"], &arguments[..]].concat());
        let document = assert_sound_as(&OF_A_LOOK, &name, &page);
        let shown = document.words();
        let json: Value = serde_json::from_str(&looked(&[&["--json"], &arguments[..]].concat())).unwrap();
        let mut said: Vec<&Value> = vec![&json["domain"], &json["dmarc"]["name"]];
        for finding in json["findings"].as_array().unwrap() {
            said.extend(["id", "severity", "says", "advice", "reference"].iter().map(|member| &finding[member]));
        }
        said.extend(json["corrections"].as_array().unwrap().iter().map(|line| &line["line"]));
        said.extend(json["dkim"].as_array().unwrap().iter().map(|key| &key["name"]));
        said.extend(json["mx"].as_array().unwrap().iter().map(|mx| &mx["host"]));
        for sentence in said.into_iter().filter_map(Value::as_str) {
            let sentence = words(&sentence.replace('\u{2026}', "..."));
            assert!(shown.contains(&sentence), "{name}: {sentence}\n{shown}");
            told += 1;
        }
        marked += document.all("mark").count();
    }
    assert!(told > 200 && marked > 30, "{told} sentences, {marked} marks");
}

/// Their text says the same.
#[test]
fn pages_of_reports_are_sound_and_say_what_the_text_says() {
    let folder = Folder::new("html-reports");
    for case in pages::of_reports(&folder) {
        let page = case.page();
        let document = assert_sound_as(&OF_REPORTS, &case.name, &page);
        let shown = document.words();
        let told = case.told(&[]);
        let sentences = told.lines().filter(|line| line.contains("messages: ") || line.contains("is to be done"));
        for sentence in sentences.map(words) {
            assert!(shown.contains(&sentence), "{}: {sentence}", case.name);
        }
        assert!(document.all("rect").count() >= 4 || case.name.contains("nothing"), "{}", case.name);
        println!("{}: {} octets", case.name, page.len());
    }
}

#[test]
fn a_page_of_a_look_stands_beside_the_text_or_in_its_place() {
    let folder = Folder::new("look");
    let file = folder.path("look.html");
    let arguments = ["--zone=tests/data/lint/contoso.db", "good.example"];
    let text = looked(&arguments);
    let both = looked(&[&[&*format!("--html={file}")], &arguments[..]].concat());
    assert_eq!(both, text);
    assert_sound_as(&OF_A_LOOK, "a file", &fs::read_to_string(&file).unwrap());
    for (arguments, said) in [
        (&["lint", "--html=-", "--json", "a.example"][..], "cannot be used with"),
        (&["lint", "--zone=tests/data/lint/contoso.db", "--html=x.html", "-"], "--html goes with one domain"),
        (&["lint", "--zone=tests/data/lint/contoso.db", "--html=/nowhere/x.html", "a.example"], "/nowhere/x.html"),
    ] {
        let output = support::run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}
