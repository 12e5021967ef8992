//! Keeps what the documents say true where a machine can tell: links lead somewhere, commands name tests and benchmarks that there are,
//! each dependency has its reason, and what is promised of the documents' length holds. (The outputs that they show are tried by the
//! suite of the command line, their examples as tests of the documentation.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder with this ending, by paths from the root.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter(|name| name.to_str().unwrap().ends_with(ending)).map(|name| Path::new(folder).join(name)).collect()
}

/// Those at the root, in docs, and of the crates.
fn documents() -> Vec<PathBuf> {
    let mut documents = files("docs", ".md");
    documents.extend(["README.md", "CHANGELOG.md", "SECURITY.md", "benches/peers/README.md"].map(PathBuf::from));
    documents.extend(crates().map(|folder| folder.join("README.md")).filter(|path| root().join(path).exists()));
    assert!(documents.len() >= 16, "only {} documents were seen: the test is blind", documents.len());
    documents
}

/// The folders of the crates beside the library.
fn crates() -> impl Iterator<Item = PathBuf> {
    files("crates", "").into_iter().filter(|folder| root().join(folder).join("Cargo.toml").exists())
}

/// The lines outside of fences.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    })
}

/// What stands in `open`…`close`, wherever it does.
fn within<'t>(text: &'t str, open: &'t str, close: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close)).map(|(inner, _)| inner)
}

/// The anchor that a heading has where documents are shown as pages.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for document in documents() {
        let text = prose(&read(&document)).collect::<Vec<_>>().join("\n");
        for link in within(&text, "](", ")").filter(|link| !link.starts_with("https://")) {
            let (path, at) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(root().join(&target).exists(), "{}: {link} leads nowhere", document.display());
            let has_anchor = || prose(&read(&target)).any(|line| line.starts_with('#') && anchor(line) == at);
            assert!(at.is_empty() || has_anchor(), "{}: {link} has no such heading", document.display());
            links += 1;
        }
    }
    assert!(links >= 30, "only {links} links were seen: the test is blind");
}

#[test]
fn commands_name_tests_and_benchmarks_that_there_are() {
    let mut named = 0;
    for document in documents() {
        let text = read(&document);
        let words = text.split(|c: char| c.is_whitespace() || c == '`' || c == ')');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let targets = words.windows(2).filter_map(|pair| match pair {
            ["--test", name] => Some(format!("tests/{name}.rs")),
            ["--bench", name] => Some(format!("benches/{name}.rs")),
            _ => None,
        });
        let paths = words.iter().filter(|word| word.starts_with("tests/") && word.ends_with(".rs"));
        for path in targets.chain(paths.map(ToString::to_string)) {
            let folders = crates().chain([PathBuf::new()]).chain(document.parent().map(Path::to_path_buf));
            let exists = folders.map(|folder| root().join(folder).join(&path)).any(|path| path.exists());
            assert!(exists, "{} names {path}, which is not there", document.display());
            named += 1;
        }
    }
    assert!(named >= 15, "only {named} tests and benchmarks were seen: the test is blind");
}

/// The names in the tables of dependencies of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut is_of_dependencies = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if let Some(table) = line.strip_prefix('[') {
            is_of_dependencies = table.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| is_of_dependencies && !line.starts_with('#')) {
            names.insert(name.split('.').next().unwrap().trim().to_owned());
        }
    }
    names
}

#[test]
fn each_dependency_has_its_reason() {
    let text = read("docs/dependencies.md");
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")).filter_map(|row| row.split_once(" |"));
    let explained: BTreeSet<String> =
        cells.flat_map(|(cell, _)| cell.split('`').skip(1).step_by(2)).map(ToOwned::to_owned).collect();
    let manifests = crates().map(|folder| folder.join("Cargo.toml")).chain([PathBuf::from("Cargo.toml")]);
    let depended: BTreeSet<String> = manifests.flat_map(|manifest| dependencies(&read(manifest))).collect();
    assert!(depended.len() >= 20, "only {} dependencies were seen: the test is blind", depended.len());
    let without_reason: Vec<_> = depended.difference(&explained).filter(|name| *name != "mailverdict").collect();
    assert!(without_reason.is_empty(), "docs/dependencies.md does not say why: {without_reason:?}");
    let gone: Vec<_> = explained.difference(&depended).collect();
    assert!(gone.is_empty(), "docs/dependencies.md speaks of what nobody depends on: {gone:?}");
}

/// A newcomer reads it whole.
#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
}

#[test]
fn the_glossary_is_short() {
    let text = read("docs/library.md");
    let (_, glossary) = text.split_once("## Glossary").unwrap();
    let words = glossary.lines().filter(|line| line.starts_with("| ")).count() - 1;
    assert!((1..=12).contains(&words), "the glossary has {words} words");
}

/// Tables, code and links that are longer stay whole.
#[test]
fn prose_wraps_at_a_hundred_columns() {
    let names =
        ["library", "stories", "command-line", "performance", "architecture", "dependencies", "testing", "reports"];
    let documents = names.map(|name| format!("docs/{name}.md"));
    for document in documents.iter().map(String::as_str).chain(["README.md", "CHANGELOG.md"]) {
        let text = read(document);
        let long = prose(&text).find(|line| !line.starts_with('|') && line.chars().count() > 100);
        assert_eq!(long, None, "{document} has a long line");
    }
}
