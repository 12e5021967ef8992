//! Keeps the house as docs/architecture.md draws it: imports point downward, files do not import from each
//! other, the DNS is asked in few places, no file grows out of hand, and nothing outside tests can panic by design.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "architecture/circles.rs"]
mod circles;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Rooms by floor, from the ground up; a room may import from rooms on lower floors alone.
const FLOORS: [&[&str]; 12] = [
    // The last one for unit tests alone.
    &["lex", "ready"],
    &["name", "text", "time", "mime"],
    &["message", "session", "dns", "crypto"],
    &["budget"],
    &["known"],
    &["spf", "dkim", "authentication_results", "received"],
    &["arc", "dmarc"],
    &["policy", "verdict"],
    &["evaluation", "registered_methods", "received_spf", "reply", "report", "finding", "change", "sign"],
    &["driver", "json"],
    &["authenticator", "evidence", "lint", "fuzzing"],
    &["preflight"],
];

/// The rooms that may name the `Resolver`: the one that makes it, the one that asks it, those that hand it on, and the one that answers
/// from a file.
const RESOLVER_ROOMS: [&str; 6] = ["dns", "driver", "authenticator", "lint", "evidence", "preflight"];

/// The rooms of the rules, which are pure functions of what is known.
const RULES: [&str; 5] = ["spf", "dkim", "arc", "dmarc", "report"];

/// Lines a file may have, unit tests included.
const MAX_LINES: usize = 450;

/// docs/architecture.md draws the floors as they are here.
#[test]
fn the_document_draws_these_floors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = fs::read_to_string(path).unwrap();
    let drawn = text.lines().filter_map(|line| {
        let (number, rooms) = line.trim_start().split_once(' ')?;
        let rooms = rooms.split('(').next()?.split_whitespace();
        Some((number.parse::<usize>().ok()?, rooms.collect::<Vec<_>>()))
    });
    let drawn: BTreeMap<_, _> = drawn.collect();
    for (number, floor) in FLOORS.iter().enumerate() {
        let mut rooms: Vec<_> = floor.iter().copied().filter(|room| !["ready", "fuzzing"].contains(room)).collect();
        let mut drawn = drawn.get(&number).cloned().unwrap_or_default();
        rooms.sort_unstable();
        drawn.sort_unstable();
        assert_eq!(drawn, rooms, "floor {number}");
    }
    assert_eq!(drawn.len(), FLOORS.len());
}

/// One source file: its path below `src`, its text, and its text without comments and literals.
struct Source {
    path: String,
    text: String,
    code: String,
}

impl Source {
    /// The room, which is the top-level module; none for `lib.rs`.
    fn room(&self) -> Option<&str> {
        let room = self.path.split('/').next().unwrap().trim_end_matches(".rs");
        (room != "lib").then_some(room)
    }

    /// How many `super` lead from the file's own module to the crate.
    fn depth(&self) -> usize {
        let path = self.path.trim_end_matches(".rs");
        path.strip_suffix("/mod").unwrap_or(path).split('/').count()
    }

    /// The code before the unit tests.
    fn product_code(&self) -> &str {
        if self.path.ends_with("/tests.rs") { "" } else { self.code.split("#[cfg(test)]").next().unwrap() }
    }
}

/// Those of the library.
fn sources() -> Vec<Source> {
    sources_of("src")
}

/// The crates beside the library.
const CRATES: [&str; 3] = [COMMAND_LINE, "crates/mailverdict-crypto/src", "crates/milter/src"];
const COMMAND_LINE: &str = "crates/cli/src";

/// Those of the library and of the crates beside it.
fn all_sources() -> Vec<Source> {
    sources().into_iter().chain(CRATES.into_iter().flat_map(sources_beside)).collect()
}

/// Those of a crate beside the library.
fn sources_beside(root: &str) -> Vec<Source> {
    let sources = sources_of(root);
    assert!(sources.len() >= 10, "only {} files of {root} were seen: the test is blind", sources.len());
    sources
}

fn sources_of(root: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut folders = vec![root.clone()];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = without_comments_and_literals(&text);
        Source { path: path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"), text, code }
    };
    paths.iter().map(read).collect()
}

/// Replaces comments, strings and characters by spaces; enough of Rust's grammar for this source.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string_hashes(rest, &code) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
        } else if next == '"' {
            string_len(rest)
        } else if next == '\'' {
            char_len(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

fn raw_string_hashes(rest: &str, before: &str) -> Option<usize> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if before.ends_with(|c| word(c) && c != 'b') {
        return None;
    }
    let hashes = rest.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    hashes[count..].starts_with('"').then_some(count)
}

fn string_len(rest: &str) -> usize {
    let mut escaped = true; // The opening quote ends nothing.
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; 0 for a lifetime.
fn char_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(0, |end| end + 4),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

/// What stands right after each `crate::`, opening braces one level deep.
fn crate_imports(code: &str) -> Vec<String> {
    let mut imports = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') {
            continue;
        }
        let path = &code[at + "crate::".len()..];
        let Some(list) = path.strip_prefix('{') else {
            imports.push(first_word(path));
            continue;
        };
        let (mut depth, mut start) = (1, true);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => start = true,
                c if start && !c.is_whitespace() => {
                    imports.push(first_word(&list[at..]));
                    start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    imports
}

fn first_word(path: &str) -> String {
    path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The rooms behind the names that `lib.rs` re-exports, such as `Policy`.
fn reexports(lib: &Source) -> BTreeMap<String, String> {
    let mut rooms = BTreeMap::new();
    for statement in lib.code.split("pub use ").skip(1) {
        let (room, names) = statement.split(';').next().unwrap().split_once("::").unwrap();
        for name in names.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|name| !name.is_empty()) {
            rooms.insert(name.to_string(), room.to_string());
        }
    }
    rooms
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn assert_none(what: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{what}:\n  {}", offences.join("\n  "));
}

#[test]
fn imports_point_downward_only() {
    let sources = sources();
    let rooms = reexports(sources.iter().find(|source| source.path == "lib.rs").unwrap());
    let mut offences = Vec::new();
    let mut seen = 0;
    for source in &sources {
        let Some(room) = source.room() else { continue };
        let Some(here) = floor(room) else {
            offences.push(format!("{}: the room \"{room}\" is on no floor", source.path));
            continue;
        };
        for import in crate_imports(&source.code) {
            seen += 1;
            let target = rooms.get(&import).unwrap_or(&import);
            let downward = target == room || floor(target).is_some_and(|there| there < here);
            if !downward {
                offences.push(format!("{}: imports {import}, which is not on a lower floor", source.path));
            }
        }
    }
    assert!(seen > 30, "only {seen} imports were seen: the test is blind");
    assert_none("imports that do not point downward", &offences);
}

#[test]
fn super_does_not_climb_out_of_its_room() {
    let mut offences = Vec::new();
    for source in sources().iter().filter(|source| source.room().is_some()) {
        // Inside `mod tests { … }` one `super` more is needed.
        let product = source.product_code();
        for (code, free) in [(product, 0), (&source.code[product.len()..], 1)] {
            let climb = "super::".repeat(source.depth() + free);
            if code.contains(&climb) {
                offences.push(format!("{}: {climb}", source.path));
            }
        }
    }
    assert_none("write crate:: for what is outside the room", &offences);
}

#[test]
fn few_rooms_know_the_resolver() {
    let mut offences = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        if source.product_code().contains("Resolver") && !RESOLVER_ROOMS.contains(&room) {
            offences.push(format!("{}: names the Resolver", source.path));
        }
    }
    assert_none("the rules ask at the door of known, and one place asks the Resolver", &offences);
}

/// No memory, no waiting, no time, no lock. What was read of an answer lives with the answer, and a key made ready with its record.
#[test]
fn the_rules_know_nothing_of_machinery() {
    let never = [
        "async ",
        ".await",
        "Future<",
        "Waker",
        "Instant",
        "Mutex",
        "RwLock",
        "Atomic",
        "AtHand",
        "Log",
        "HashMap<Question",
    ];
    let mut offences = Vec::new();
    let mut seen = 0;
    for source in sources() {
        if !source.room().is_some_and(|room| RULES.contains(&room)) {
            continue;
        }
        // What reads and writes reports stands around a verdict, as findings do; it reads the log.
        if source.path.starts_with("report/read/") || source.path.starts_with("report/write/") {
            continue;
        }
        seen += 1;
        let code = source.product_code();
        offences
            .extend(never.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", source.path)));
        // Asking ahead is a walk of its own, which decides nothing.
        if !source.path.ends_with("/ahead.rs") && code.contains("Ahead") {
            offences.push(format!("{}: Ahead", source.path));
        }
        if code.contains("OnceLock") && source.path != "dkim/keys.rs" {
            offences.push(format!("{}: OnceLock", source.path));
        }
    }
    assert!(seen > 40, "only {seen} files were seen: the test is blind");
    assert_none("rules are pure functions of what is known", &offences);
}

#[test]
fn the_clock_is_read_in_one_place() {
    let offences: Vec<_> = sources()
        .iter()
        .filter(|source| source.room().is_some_and(|room| !["time", "dns", "driver"].contains(&room)))
        .filter(|source| ["SystemTime", "Instant::now"].iter().any(|clock| source.product_code().contains(clock)))
        .map(|source| source.path.clone())
        .collect();
    assert_none(
        "the evaluation is given a UnixTime; only dns (TTLs) and driver (time limits) may look at a clock",
        &offences,
    );
}

#[test]
fn nothing_outside_tests_panics_by_design() {
    let never = [
        ".unwrap()",
        ".expect(",
        "panic!",
        "todo!",
        "unimplemented!",
        "unreachable!",
        "dbg!",
        "allow(clippy::",
        "expect(clippy::",
        "unsafe ",
    ];
    let mut offences = Vec::new();
    for source in all_sources() {
        for word in never.iter().filter(|word| source.product_code().contains(**word)) {
            offences.push(format!("{}: {word}", source.path));
        }
    }
    assert_none("not outside tests", &offences);
}

#[test]
fn files_are_short_and_begin_with_what_they_are() {
    let mut offences = Vec::new();
    let sources = all_sources();
    for source in &sources {
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            offences.push(format!("{}: {lines} lines, {MAX_LINES} at most", source.path));
        }
        let says = source.text.starts_with("//!") || source.text.starts_with("#![doc = include_str!(");
        if !says {
            offences.push(format!("{}: the first line is no `//!` line", source.path));
        }
    }
    println!("{} files, {} lines", sources.len(), sources.iter().map(|s| s.text.lines().count()).sum::<usize>());
    assert_none("one noun per file", &offences);
}

#[test]
fn the_arithmetic_knows_no_mail() {
    let words =
        ["dkim", "dmarc", "spf", "dns", "header", "selector", "sender", "receiver", "mailbox", "rfc 6376", "rfc 8463"];
    let mut offences = Vec::new();
    for source in sources_beside("crates/mailverdict-crypto/src") {
        let text = source.text.to_lowercase();
        offences
            .extend(words.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", source.path)));
    }
    assert_none("mailverdict-crypto serves others as well", &offences);
}

#[test]
fn the_binary_stands_on_the_public_api() {
    let offences: Vec<_> = sources_beside(COMMAND_LINE)
        .iter()
        .filter(|source| source.text.contains("#[path") || source.text.contains("include!("))
        .map(|source| source.path.clone())
        .collect();
    assert_none("the binary includes no source of the library", &offences);
}

/// What is not escaped is one constant, in one file.
#[test]
fn markup_comes_from_templates_alone() {
    let offences: Vec<_> = sources_beside(COMMAND_LINE)
        .iter()
        .filter(|source| {
            let least = if source.path == "html/document.rs" { 2 } else { 0 };
            source.code.matches("PreEscaped").count() > least
        })
        .map(|source| source.path.clone())
        .collect();
    assert_none("maud::PreEscaped lets through what strangers wrote", &offences);
}

#[test]
fn the_scanner_sees_code_and_not_comments() {
    let code = without_comments_and_literals(
        "use crate::a; // crate::b\n/// crate::c\nlet s = \"crate::d \\\" crate::e\"; let c = '\"'; use crate::{f::{g, h}, i};\nlet r = r#\"crate::j \" \"#; fn k<'a>() {}",
    );
    assert_eq!(crate_imports(&code), ["a", "f", "i"]);
    assert!(code.contains("fn k<'a>() {}"));
}
