//! Authentication-Results fields: read, written, and those that must be removed; Received fields. Cases as data, and properties for
//! any input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/ready.rs"]
mod ready;

use mailverdict::{
    Authenticator, Message, Session,
    authentication_results::{
        AuthenticationResults, ForgedReason, MAX_OCTETS, MethodResult, Property, TrustBoundary, strip_forged,
    },
    dns::Zone,
    received,
    time::UnixTime,
};
use proptest::prelude::*;
use ready::now;
use saphyr::{LoadableYamlNode, Yaml};

fn text<'y>(case: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
    case.as_mapping_get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text")))
}

fn texts(case: &Yaml<'_>, key: &str) -> Vec<String> {
    let list = case.as_mapping_get(key).map(|list| list.as_vec().unwrap_or_else(|| panic!("{key} is no list")));
    list.into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn number(case: &Yaml<'_>, key: &str) -> Option<usize> {
    case.as_mapping_get(key).map(|value| usize::try_from(value.as_integer().unwrap()).unwrap())
}

/// The octets of a text, each `<…>` written `repeat` times where the case says so.
fn octets(case: &Yaml<'_>, text: &str) -> Vec<u8> {
    if case.as_mapping_get("latin1").is_some() {
        return text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    }
    repeated(case, text).into_bytes()
}

fn repeated(case: &Yaml<'_>, text: &str) -> String {
    let Some(times) = number(case, "repeat") else { return text.to_owned() };
    let parts: Vec<&str> = text.split(['<', '>']).collect();
    parts.iter().enumerate().map(|(at, part)| part.repeat(if at % 2 == 1 { times } else { 1 })).collect()
}

fn show(result: &MethodResult) -> String {
    let version = result.version.map(|version| format!("/{version}")).unwrap_or_default();
    let mut shown = format!("{}{version}={}", result.method, result.result);
    for comment in &result.comments {
        shown += &format!(" | ({comment})");
    }
    if let Some(reason) = &result.reason {
        shown += &format!(" | reason: {reason}");
    }
    for Property { ptype, property, value, .. } in &result.properties {
        shown += &format!(" | {ptype}.{property}: {value}");
    }
    for word in &result.not_understood {
        shown += &format!(" | ?{word}");
    }
    shown
}

/// The other way round.
fn make(shown: &str) -> MethodResult {
    let mut parts = shown.split(" | ");
    let (method, keyword) = parts.next().unwrap().split_once('=').unwrap();
    let mut result = MethodResult::new(method.to_owned(), keyword.to_owned());
    for part in parts {
        if let Some(word) = part.strip_prefix('?') {
            result.not_understood.push(word.into());
        } else if let Some(comment) = part.strip_prefix('(').and_then(|part| part.strip_suffix(')')) {
            result = result.with_comment(comment);
        } else {
            let (key, value) = part.split_once(": ").unwrap();
            match key.split_once('.') {
                None => result = result.with_reason(value),
                Some((ptype, property)) => result = result.with_property(ptype.to_owned(), property.to_owned(), value),
            }
        }
    }
    result
}

/// What is wrong with a field as it was written; whatever it reports, it must be one field.
fn not_one_field(field: &str) -> Option<String> {
    let content = field.strip_suffix("\r\n")?;
    let mut lines = content.split("\r\n");
    let starts = lines.next()?.starts_with("Authentication-Results: ");
    let folds = lines.all(|line| line.starts_with(' ') && !line.trim().is_empty());
    let clean = !content.replace("\r\n", "").contains(|c: char| c.is_control());
    (!(starts && folds && clean)).then(|| format!("not one field: {field:?}"))
}

fn again(field: &AuthenticationResults) -> Result<(), String> {
    let written = field.to_header_field();
    not_one_field(&written).map_or(Ok(()), Err)?;
    let value = written.strip_prefix("Authentication-Results:").unwrap();
    let read = AuthenticationResults::parse(value.as_bytes());
    let read = read.map_err(|error| format!("{error} in what was written: {written}"))?;
    if read == *field { Ok(()) } else { Err(format!("read {field:?}\n     again {read:?}\n   written {written}")) }
}

fn read_failures(case: &Yaml<'_>) -> Vec<String> {
    let mut failures = Vec::new();
    let mut check = |what: &str, got: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
        let (got, wanted) = (format!("{got:?}"), format!("{wanted:?}"));
        if got != wanted {
            failures.push(format!("{what}: {got}\n      wanted: {wanted}"));
        }
    };
    let value = octets(case, text(case, "value").unwrap());
    let field = match AuthenticationResults::parse(&value) {
        Ok(field) => field,
        Err(error) => {
            check("error", &Some(error.to_string()), &text(case, "error"));
            return failures;
        }
    };
    check("error", &None::<String>, &text(case, "error"));
    check("id", &&*field.authserv_id, &text(case, "id").unwrap_or("(none given)"));
    check("version", &field.version.map(|version| version as usize), &number(case, "version"));
    if let Some(count) = number(case, "results_count") {
        check("results", &field.results.len(), &count);
    } else {
        check("results", &field.results.iter().map(show).collect::<Vec<_>>(), &texts(case, "results"));
        check("comments", &field.comments, &texts(case, "comments"));
        check("kept", &field.not_understood, &texts(case, "kept"));
    }
    failures.extend(again(&field).err());
    failures
}

/// The field for the verdict on a message, without any answer of the DNS but that there is nothing.
fn verdict_failures(case: &Yaml<'_>, message: &str) -> Vec<String> {
    let raw = repeated(case, message).replace('\n', "\r\n");
    let message = Message::parse(raw.as_bytes()).unwrap();
    let verdict = now(Authenticator::new(Zone::new()).authenticate(&message, Session::without_peer()));
    let max_octets = number(case, "within").unwrap_or(MAX_OCTETS);
    let field = AuthenticationResults::within("mx.example.org", &verdict, max_octets);
    let written = verdict.to_header_field_within("mx.example.org", None, max_octets);
    let mut failures: Vec<String> = not_one_field(&written).into_iter().collect();
    failures.extend(again(&field).err());
    if field.to_header_field() != written {
        failures.push(format!("two ways, two fields:\n{}{written}", field.to_header_field()));
    }
    if written.len() > max_octets.max(1024 + 40) {
        failures.push(format!("{} octets of {max_octets}", written.len()));
    }
    let results = field.results.iter().map(|result| format!("{}={}", result.method, result.result));
    let results: Vec<_> = results.collect();
    if results.first().is_none_or(|first| !first.starts_with("dmarc=")) {
        failures.push(format!("begins with {:?}", results.first()));
    }
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for result in &results {
        match counted.last_mut().filter(|(last, _)| last == result) {
            Some((_, count)) => *count += 1,
            None => counted.push((result, 1)),
        }
    }
    let counted: Vec<_> = counted.into_iter().map(|(result, count)| format!("{count} {result}")).collect();
    if counted != texts(case, "results") {
        failures.push(format!("results {counted:?}"));
    }
    let last = field.results.last().unwrap();
    let left_out = last.comments.iter().find_map(|comment| comment.strip_prefix("left out: "));
    if left_out != text(case, "left_out") {
        failures.push(format!("left out {left_out:?}"));
    }
    let longest = field.results.iter().filter_map(|result| Some(result.reason.as_ref()?.len())).max();
    if let Some(wanted) = number(case, "longest_reason")
        && longest != Some(wanted)
    {
        failures.push(format!("longest reason {longest:?}"));
    }
    failures
}

fn write_failures(case: &Yaml<'_>) -> Vec<String> {
    if let Some(message) = text(case, "message") {
        return verdict_failures(case, message);
    }
    let mut field = AuthenticationResults::none(text(case, "id").unwrap());
    field.version = number(case, "version").map(|version| u32::try_from(version).unwrap());
    field.results = texts(case, "results").iter().map(|shown| make(&repeated(case, shown))).collect();
    field.not_understood = texts(case, "kept").iter().map(|text| text.as_str().into()).collect();
    let written = field.to_header_field();
    let mut failures: Vec<String> = not_one_field(&written).into_iter().collect();
    if let Some(wanted) = text(case, "field")
        && written.replace("\r\n", "\n") != wanted
    {
        failures.push(format!("written:\n{written}wanted:\n{wanted}"));
    }
    let longest = written.split("\r\n").map(|line| line.chars().count()).max().unwrap();
    if number(case, "longest_line").is_some_and(|wanted| longest > wanted) {
        failures.push(format!("a line has {longest} columns"));
    }
    if number(case, "lines").is_some_and(|wanted| written.lines().count() != wanted) {
        failures.push(format!("{} lines", written.lines().count()));
    }
    if case.as_mapping_get("again").is_none() {
        failures.extend(again(&field).err());
    }
    failures
}

fn strip_failures(case: &Yaml<'_>) -> Vec<String> {
    let mut header = octets(case, text(case, "header").unwrap());
    header.extend_from_slice(b"\r\nbody\r\n");
    let message = Message::parse(&header).unwrap();
    let forged = match (text(case, "own"), texts(case, "more"), text(case, "below")) {
        (Some(own), more, None) if more.is_empty() => strip_forged(message.header(), own),
        (own, more, below) => {
            let boundary = own
                .iter()
                .copied()
                .chain(more.iter().map(String::as_str))
                .fold(TrustBoundary::default(), TrustBoundary::with);
            below.into_iter().fold(boundary, TrustBoundary::with_names_below).forged(message.header())
        }
    };
    let forged: Vec<String> = forged
        .iter()
        .map(|forged| {
            let reason = match forged.reason {
                ForgedReason::OwnAuthservId => "own",
                ForgedReason::UnknownVersion => "version",
                ForgedReason::Unreadable => "unreadable",
                _ => "unheard of",
            };
            format!("{} {reason}", forged.field_index)
        })
        .collect();
    let wanted = texts(case, "forged");
    if forged == wanted { Vec::new() } else { vec![format!("{forged:?}\n      wanted: {wanted:?}")] }
}

fn run(what: &str, cases: &str, failures: impl Fn(&Yaml<'_>) -> Vec<String>) {
    let cases = Yaml::load_from_str(cases).unwrap();
    let mut failed = String::new();
    for case in &cases {
        for failure in failures(case) {
            failed += &format!("  {}: {failure}\n", text(case, "name").unwrap());
        }
    }
    println!("{} {what}", cases.len());
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn fields_are_read() {
    run("fields read", include_str!("data/authentication_results/read.yml"), read_failures);
}

#[test]
fn fields_are_written() {
    run("fields written", include_str!("data/authentication_results/write.yml"), write_failures);
}

#[test]
fn forged_fields_are_found() {
    run("headers searched for forged fields", include_str!("data/authentication_results/strip.yml"), strip_failures);
}

#[test]
fn arc_fields_have_an_instance_before_all_else() {
    let read = |value: &str| AuthenticationResults::parse_arc(value.as_bytes());
    for value in
        ["i=1; a.example; spf=pass", " (x) i (y) = (z) 1 (w) ;a.example;spf=pass\r\n", "i=01;\r\n a.example;spf=pass;"]
    {
        let (instance, field) = read(value).unwrap();
        assert_eq!((instance, &*field.authserv_id, field.results.len()), (1, "a.example", 1), "{value}");
    }
    assert_eq!(read("i=50; a.example; none").unwrap().0, 50);
    for (value, error) in [
        ("a.example; i=1; spf=pass", "expected instance at octet 0"),
        ("i=; a.example", "expected instance at octet 2"),
        ("i=001; a.example", "expected instance at octet 2"),
        ("I=1; a.example", "expected instance at octet 0"),
        ("i=1 a.example", "expected \";\" at octet 4"),
        ("i=1x; a.example", "expected instance at octet 2"),
        ("i=1;", "expected authserv-id at octet 4"),
    ] {
        assert_eq!(read(value).unwrap_err().to_string(), error, "{value}");
    }
}

fn hop_failures(case: &Yaml<'_>) -> Vec<String> {
    let header = format!("{}\r\n", text(case, "header").unwrap().replace('\n', "\r\n"));
    let message = Message::parse(header.as_bytes()).unwrap();
    let hops = received::hops(message.header());
    let word = |word: &Option<Box<str>>| word.as_deref().unwrap_or("-").to_owned();
    let shown = hops.iter().map(|hop| {
        let address = hop.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        let time = hop.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let delay = hop.delay.map_or_else(|| "-".to_owned(), |delay| delay.to_string());
        let words = [&hop.from, &hop.reverse_name, &hop.by, &hop.with].map(word);
        format!("{} | {} | {address} | {} | {} | {time} | {delay}", words[0], words[1], words[2], words[3])
    });
    let mut failures = Vec::new();
    let (shown, wanted) = (shown.collect::<Vec<_>>(), texts(case, "hops"));
    if shown != wanted {
        failures.push(format!("{}\n      wanted: {}", shown.join("\n              "), wanted.join("\n              ")));
    }
    let own = texts(case, "own");
    if let Some(wanted) = case.as_mapping_get("border") {
        let border = received::client(&hops, |ip| own.contains(&ip.to_string()));
        let border = border.ok().map(|border| hops.iter().position(|hop| hop == border).unwrap() + 1);
        let border = border.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let wanted = wanted.as_integer().map_or_else(|| "-".to_owned(), |number| number.to_string());
        if border != wanted {
            failures.push(format!("border {border}, wanted {wanted}"));
        }
    }
    failures
}

fn date_failures(case: &Yaml<'_>) -> Vec<String> {
    let got = match received::date_time(text(case, "date").unwrap().as_bytes()) {
        Ok(time) => time.to_string(),
        Err(error) => error.to_string(),
    };
    let wanted = text(case, "is").unwrap();
    if got == wanted { Vec::new() } else { vec![format!("{got}\n      wanted: {wanted}")] }
}

#[test]
fn received_fields_become_hops() {
    run("headers with Received fields", include_str!("data/received/hops.yml"), hop_failures);
}

/// Each is a sentence of its own.
#[test]
fn why_there_is_no_client_is_said() {
    let why = |header: &str| {
        let message = Message::parse(header.as_bytes()).unwrap();
        let hops = received::hops(message.header());
        received::client(&hops, |_| false).unwrap_err().to_string()
    };
    assert_eq!(why("X: y\r\n"), "the message has no Received field");
    assert_eq!(why("Received: from a ([10.0.0.1]) by b\r\n"), "no Received field names a client from outside");
    assert_eq!(
        why("Received: from a by b\r\nReceived: from c ([192.0.2.1]) by a\r\n"),
        "a Received field names a client without an address that can be read: a"
    );
}

/// Minutes, if each word were to copy those before it.
#[test]
fn many_words_are_read_in_linear_time() {
    let words = "a ".repeat(500_000);
    let hop = received::Hop::parse(0, format!("by mx.a.example with {words}; 6 Oct 2025 08:15:00 -0000").as_bytes());
    assert_eq!(hop.with.as_deref(), Some(words.trim_end()));
    // Nor does looking for a date without a semicolon take longer.
    let hop = received::Hop::parse(0, format!("by mx.a.example with {words} 6 Oct 2025 08:15:00 -0000").as_bytes());
    assert_eq!(hop.time.map(|time| time.to_string()).as_deref(), Some("2025-10-06T08:15:00Z"));
}

#[test]
fn dates_are_read() {
    run("dates", include_str!("data/received/dates.yml"), date_failures);
}

/// Pieces from which fields are made that are nearly right.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "a.example",
            "none",
            "1",
            "2",
            ";",
            "; ",
            " ",
            "\t",
            "\r\n ",
            "\r\n",
            "\n",
            "\r",
            "\0",
            "(",
            ")",
            "\"",
            "\\",
            "=",
            ".",
            "/",
            "@",
            "spf=pass",
            "dkim",
            "header.d=",
            "smtp.",
            "reason=",
            "reason",
            "x=y",
            "\u{85}",
            "ö",
            "\u{202e}",
            " smtp.mailfrom= smtp.helo=x@y.example",
            "i=1",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..3),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn boxed() -> impl Strategy<Value = Box<str>> {
    prop_oneof![any::<String>(), "[ -~]{0,40}", "[a-z.@=\" ();\\\\\r\n\0]{0,30}"].prop_map(Into::into)
}

fn method_result() -> impl Strategy<Value = MethodResult> {
    let properties = prop::collection::vec(("[a-z]{1,8}", "[a-z-]{1,8}", boxed()), 0..3);
    let lists = (prop::collection::vec(boxed(), 0..3), prop::collection::vec(boxed(), 0..3));
    ("[a-z-]{1,8}", "[a-z]{1,8}", prop::option::of(boxed()), properties, lists).prop_map(
        |(method, keyword, reason, properties, (comments, words))| {
            let mut result = MethodResult::new(method, keyword);
            result.reason = reason.map(|reason| reason.as_ref().into());
            result.properties =
                properties.into_iter().map(|(ptype, name, value)| Property::new(ptype, name, &*value)).collect();
            result.comments = comments;
            result.not_understood = words;
            result
        },
    )
}

fn any_field() -> impl Strategy<Value = AuthenticationResults> {
    let lists = (prop::collection::vec(boxed(), 0..3), prop::collection::vec(boxed(), 0..3));
    (boxed(), prop::collection::vec(method_result(), 0..4), lists).prop_map(|(id, results, (comments, kept))| {
        let mut field = AuthenticationResults::none(&id);
        field.results = results;
        field.comments = comments;
        field.not_understood = kept;
        field
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_read_is_written_and_read_again_the_same(value in pieces()) {
        if let Ok(field) = AuthenticationResults::parse(&value) {
            prop_assert_eq!(again(&field), Ok(()));
        }
    }

    /// Escaping may change texts once; results, methods and properties stay in number and name, and nothing ends the field.
    #[test]
    fn whatever_a_field_holds_it_is_one_field_that_reads_back(field in any_field()) {
        let written = field.to_header_field();
        prop_assert_eq!(not_one_field(&written), None);
        let value = written.strip_prefix("Authentication-Results:").unwrap();
        let read = AuthenticationResults::parse(value.as_bytes()).unwrap();
        let names = |field: &AuthenticationResults| -> Vec<_> {
            let keys = |result: &MethodResult| -> Vec<_> {
                result.properties.iter().map(|property| (property.ptype.clone(), property.property.clone())).collect()
            };
            field.results.iter().map(|r| (r.method.clone(), r.result.clone(), r.reason.is_some(), keys(r))).collect()
        };
        prop_assert_eq!(names(&read), names(&field));
        prop_assert_eq!(again(&read), Ok(()));
    }

    #[test]
    fn every_second_until_the_year_9999_is_read_as_it_was_written(seconds in 0_u64..253_402_214_400, hours in -12_i64..=14) {
        let local = UnixTime(seconds.saturating_add_signed(hours * 3600)).to_string();
        let seconds = UnixTime(seconds.saturating_add_signed(hours * 3600).saturating_add_signed(-hours * 3600));
        let (year, month, day, time) = (&local[..4], &local[5..7], &local[8..10], &local[11..19]);
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = names[month.parse::<usize>().unwrap() - 1];
        let sign = if hours < 0 { '-' } else { '+' };
        let date = format!("{day} {month} {year} {time} {sign}{:02}00", hours.abs());
        prop_assert_eq!(received::date_time(date.as_bytes()), Ok(seconds), "{}", date);
    }

    #[test]
    fn no_received_field_is_too_odd(value in pieces(), date in "[A-Za-z0-9 :,+()-]{0,40}") {
        let hop = received::Hop::parse(0, &[&value[..], b";", date.as_bytes()].concat());
        prop_assert_eq!(hop.field_index, 0);
        let _ = received::date_time(&value);
    }

    #[test]
    fn no_header_is_too_odd_for_stripping(header in pieces(), own in "[a-z.]{0,12}") {
        let raw = [b"Authentication-Results:", &header[..], b"\r\n\r\n"].concat();
        let message = Message::parse(&raw).unwrap();
        for forged in strip_forged(message.header(), &own) {
            prop_assert!(message.header().fields()[forged.field_index].is("authentication-results"));
        }
    }
}
