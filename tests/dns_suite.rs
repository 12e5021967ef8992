//! Zones in memory: master files, wildcards, aliases, the two kinds of emptiness.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/ready.rs"]
mod ready;

use mailverdict::{
    dns::{Answer, AnyAnswer, AnyLookup, Lookup, LookupError, Question, RecordType, Resolver, Zone},
    name::Name,
};
use proptest::strategy::Strategy as _;
use ready::now;
use saphyr::{LoadableYamlNode, Yaml};
use std::sync::Arc;

fn show<T>(lookup: Lookup<T>, record: impl Fn(&T) -> String) -> String {
    match lookup {
        Ok(Answer::NoData(_)) => "nodata".into(),
        Ok(Answer::NxDomain(_)) => "nxdomain".into(),
        Ok(Answer::Records(records)) => records.iter().map(record).collect::<Vec<_>>().join(" | "),
        Err(error) => error.to_string(),
    }
}

fn ask(zone: &Zone, question: &str) -> String {
    let (name, record_type) = question.rsplit_once(' ').unwrap();
    if record_type == "PTR" {
        return show(now(zone.ptr(name.parse().unwrap())), ToString::to_string);
    }
    let name = Name::parse(name).unwrap();
    match record_type {
        "TXT" => show(now(zone.txt(&name)), |text| text.escape_ascii().to_string()),
        "A" => show(now(zone.a(&name)), ToString::to_string),
        "AAAA" => show(now(zone.aaaa(&name)), ToString::to_string),
        "MX" => show(now(zone.mx(&name)), |mx| format!("{} {}", mx.preference, mx.exchange)),
        other => panic!("unknown type {other}"),
    }
}

fn text<'y>(case: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
    case.as_mapping_get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text")))
}

/// What is wrong with a case; nothing where all is well.
fn failures(case: &Yaml<'_>) -> Vec<String> {
    let mut file = text(case, "file").unwrap().to_owned();
    if let Some(repeat) = case.as_mapping_get("repeat") {
        let times = repeat.as_mapping_get("times").unwrap().as_integer().unwrap();
        file = file.replace("<>", &text(repeat, "part").unwrap().repeat(usize::try_from(times).unwrap()));
    }
    let zone = match (Zone::parse(&file, "zone.db"), text(case, "error")) {
        (Ok(zone), None) => zone,
        (Ok(_), Some(error)) => return vec![format!("read, but wanted: {error}")],
        (Err(error), wanted) if wanted == Some(&error.to_string()) => return Vec::new(),
        (Err(error), wanted) => return vec![format!("error: {error}\n      wanted: {}", wanted.unwrap_or("none"))],
    };
    let mut failures = Vec::new();
    let mut asked = 0;
    for (question, wanted) in case.as_mapping_get("answers").and_then(Yaml::as_mapping).into_iter().flatten() {
        let (question, wanted) = (question.as_str().unwrap(), wanted.as_str().unwrap());
        let answer = ask(&zone, question);
        if answer != wanted {
            failures.push(format!("{question}: {answer}\n      wanted: {wanted}"));
        }
        asked += 1;
    }
    for (name, wanted) in case.as_mapping_get("text_len").and_then(Yaml::as_mapping).into_iter().flatten() {
        let answer = now(zone.txt(&Name::parse(name.as_str().unwrap()).unwrap())).unwrap();
        let len = answer.records()[0].len();
        if i64::try_from(len).unwrap() != wanted.as_integer().unwrap() {
            failures.push(format!("{len} octets"));
        }
        asked += 1;
    }
    if asked == 0 {
        failures.push("nothing was asked".into());
    }
    failures
}

#[test]
fn master_files() {
    let cases = Yaml::load_from_str(include_str!("data/dns/master_files.yml")).unwrap();
    let mut failed = String::new();
    for case in &cases {
        for failure in failures(case) {
            failed += &format!("  {}: {failure}\n", text(case, "name").unwrap());
        }
    }
    println!("{} master files", cases.len());
    assert!(failed.is_empty(), "\n{failed}");
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn several_files_make_one_zone_and_a_bad_one_spoils_it() {
    let zone = Zone::parse("a. A 192.0.2.1", "a.db").unwrap().with("a. A 192.0.2.2\nb. CNAME a.", "b.db").unwrap();
    assert_eq!(ask(&zone, "b A"), "192.0.2.1 | 192.0.2.2");
    let error = zone.with("\nb. A 192.0.2.3", "c.db").unwrap_err();
    assert_eq!(error.to_string(), "c.db:2: a CNAME record stands alone, but b has other data");
}

#[test]
fn files_are_read_from_disk_and_their_names_are_told() {
    let files = [concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dns/small.db"), "/nonexistent/zone.db"];
    assert_eq!(ask(&Zone::read(&files[..1]).unwrap(), "mail.example.com A"), "192.0.2.1");
    let error = Zone::read(files).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/zone.db: cannot be read: "), "{error}");
}

#[test]
fn zones_are_made_in_code_and_failures_planted() {
    let mut zone = Zone::new();
    zone.add_txt(&name("a.example"), *b"text")
        .add_a(&name("a.example"), [192, 0, 2, 1].into())
        .add_aaaa(&name("a.example"), "2001:db8::1".parse().unwrap())
        .add_mx(&name("a.example"), 10, name("a.example"))
        .add_ptr([192, 0, 2, 1].into(), name("a.example"))
        .add_cname(&name("b.example"), name("a.example"))
        .add_name(&name("c.example"));
    for (question, wanted) in [
        ("b.example TXT", "text"),
        ("b.example A", "192.0.2.1"),
        ("b.example AAAA", "2001:db8::1"),
        ("b.example MX", "10 a.example"),
        ("192.0.2.1 PTR", "a.example"),
        ("c.example A", "nodata"),
        ("d.example A", "nxdomain"),
    ] {
        assert_eq!(ask(&zone, question), wanted, "{question}");
    }
    zone.plant(&name("a.example"), RecordType::A, LookupError::Timeout)
        .plant(&name("a.example"), RecordType::Mx, LookupError::Timeout)
        .plant(&name("a.example"), RecordType::Mx, LookupError::ServerFailure)
        .plant(&name("e.example"), RecordType::Txt, LookupError::Refused);
    for (question, wanted) in [
        ("b.example A", "no answer in time"),
        ("b.example TXT", "text"),
        ("a.example MX", "the server failed (SERVFAIL)"),
        ("e.example TXT", "the server refused to answer (REFUSED)"),
        ("e.example A", "nodata"),
    ] {
        assert_eq!(ask(&zone, question), wanted, "{question}");
    }
    // Records that are added after the first answer are seen.
    zone.add_txt(&name("a.example"), *b"more");
    assert_eq!(ask(&zone, "a.example TXT"), "text | more");
}

/// What is told of an answer beside it: the names that aliases led to, and the TTL.
fn told(zone: &Zone, name: &str, record_type: RecordType) -> String {
    let question = Question { name: Name::parse(name).unwrap(), record_type };
    let answer = zone.at_hand(&question).unwrap().unwrap();
    let aliases: Vec<_> = answer.details().aliases().iter().map(ToString::to_string).collect();
    format!("{} {}", aliases.join(","), answer.details().ttl().map_or("-".to_owned(), |ttl| ttl.to_string()))
}

#[test]
fn aliases_and_the_shortest_ttl_are_told() {
    let file = "$ORIGIN example.\n\
        text 60 TXT \"a\"\n\
        text 50 TXT \"b\"\n\
        text    A 192.0.2.1 ; has the last TTL that was stated (RFC 1035 \u{a7}5.1)\n\
        two 40 CNAME one\n\
        one 70 CNAME text\n\
        $TTL 1h ; from here on the TTL of all that state none (RFC 2308 \u{a7}4)\n\
        text AAAA 2001:db8::1\n\
        lost CNAME out\n\
        out CNAME nowhere\n\
        *.wild 30 CNAME two\n\
        zero 0 MX 10 text\n";
    let mut zone = Zone::parse("none. TXT \"without a TTL\"\nalias. CNAME none.\n", "a.zone")
        .unwrap()
        .with(file, "b.zone")
        .unwrap();
    zone.add_cname(&name("code.example"), name("two.example")).add_a(&name("code.example.net"), [192, 0, 2, 1].into());
    for (at, record_type, wanted) in [
        ("text.example", RecordType::Txt, " 50"),
        ("text.example", RecordType::A, " 50"),
        ("text.example", RecordType::Aaaa, " 3600"),
        ("zero.example", RecordType::Mx, " 0"),
        ("two.example", RecordType::Txt, "one.example,text.example 40"),
        ("one.example", RecordType::Aaaa, "text.example 70"),
        // Emptiness has no TTL without an SOA record.
        ("text.example", RecordType::Mx, " -"),
        ("two.example", RecordType::Mx, "one.example,text.example -"),
        ("lost.example", RecordType::Txt, "out.example,nowhere.example -"),
        ("gone.example", RecordType::Txt, " -"),
        ("x.wild.example", RecordType::Txt, "two.example,one.example,text.example 30"),
        ("none", RecordType::Txt, " -"),
        ("alias", RecordType::Txt, "none -"),
        // Made in code.
        ("code.example", RecordType::Txt, "two.example,one.example,text.example 40"),
        ("code.example.net", RecordType::A, " -"),
    ] {
        assert_eq!(told(&zone, at, record_type), wanted, "{at} {record_type}");
    }
}

#[test]
fn a_zone_has_at_hand_what_it_answers() {
    let text = "$ORIGIN example.\na TXT \"text\"\n  A 192.0.2.1\n  AAAA 2001:db8::1\n  MX 10 a\nb CNAME a\n*.c TXT \"wild\"\n\
                1.2.0.192.in-addr.arpa. PTR a\nloop CNAME loop\n";
    let mut zone = Zone::parse(text, "a.zone").unwrap();
    zone.plant(&name("f.example"), RecordType::Txt, LookupError::Timeout);
    let names = ["a", "b", "x.c", "c", "d", "loop", "f"].map(|label| name(&format!("{label}.example")));
    let types = [RecordType::Txt, RecordType::A, RecordType::Aaaa, RecordType::Mx];
    let of = |name: &Name| types.map(|record_type| Question { name: name.clone(), record_type });
    let questions = names.iter().flat_map(of).chain([Question::ptr([192, 0, 2, 1].into())]);
    for question in questions {
        let Question { name, record_type } = &question;
        let asked = match record_type {
            RecordType::Txt => now(zone.txt(name)).map(AnyAnswer::Txt),
            RecordType::A => now(zone.a(name)).map(AnyAnswer::A),
            RecordType::Aaaa => now(zone.aaaa(name)).map(AnyAnswer::Aaaa),
            RecordType::Mx => now(zone.mx(name)).map(AnyAnswer::Mx),
            RecordType::Ptr => now(zone.ptr([192, 0, 2, 1].into())).map(AnyAnswer::Ptr),
        };
        let at_hand = zone.at_hand(&question).unwrap();
        assert_eq!(at_hand, asked, "{question}");
        let details = |answer: &AnyLookup| answer.as_ref().ok().map(|answer| answer.details().clone());
        assert_eq!(details(&at_hand), details(&asked), "{question}");
        assert_eq!(Resolver::at_hand(&Arc::new(&zone), &question), Some(asked));
    }
}

proptest::proptest! {
    /// Whatever the octets: a zone or an error with a line of the file, and the same again.
    #[test]
    fn any_octets_are_a_master_file_or_have_an_error_in_a_line(
        text in proptest::collection::vec(
            proptest::prelude::prop_oneof![
                4 => proptest::sample::select(&b"a@.*\\\"() ;\n\t0129$"[..]).prop_map(|octet| vec![octet]),
                2 => proptest::sample::select(vec!["TXT ", "A 192.0.2.1", "MX 1 m", "CNAME ", "$ORIGIN ", "$TTL ", "IN ", "\n  "])
                    .prop_map(|word| word.as_bytes().to_vec()),
                1 => proptest::arbitrary::any::<u8>().prop_map(|octet| vec![octet]),
            ],
            0..60,
        )
    ) {
        let text = text.concat();
        match Zone::parse(&text, "f") {
            Ok(zone) => {
                for question in ["a TXT", "a A", "a.a MX", "192.0.2.1 PTR"] {
                    assert_eq!(ask(&zone, question), ask(&Zone::parse(&text, "f").unwrap(), question));
                }
            }
            Err(error) => {
                let lines = text.iter().filter(|octet| **octet == b'\n').count() + 1;
                assert!((1..=lines).contains(&error.line.unwrap()), "{error}");
                assert!(error.to_string().chars().all(|c| c == '…' || (' '..='~').contains(&c)), "{error}");
            }
        }
    }
}
