//! Circles of files: those that import from each other.

use super::{Source, assert_none, sources_of};
use std::collections::{BTreeMap, BTreeSet};

/// The circles that may stay, each with its reason.
const CIRCLES: [(&[&str], &str); 2] = [
    (
        &["spf/macro_string.rs", "spf/parse.rs", "spf/record.rs"],
        "a record is parsed by its grammar, and the grammar is told in the record's words",
    ),
    (
        &["spf/check_host.rs", "spf/mechanism.rs", "spf/term.rs"],
        "one evaluation in three files: RFC 7208 §4 and §5 call each other as well",
    ),
];

/// The names of a module: its path below the crate, in words.
type Path = Vec<String>;

/// Whether a `use` statement is public, and what it names, `as` left out.
struct Import {
    is_public: bool,
    path: Path,
}

/// All that a file names of the crate: in `use` statements, and behind `crate::` elsewhere.
fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let before = &rest[..at];
        inline(before, &mut found);
        let statement = &rest[at + "use ".len()..];
        let (tree, after) = statement.split_once(';').unwrap_or((statement, ""));
        let is_word = before.is_empty() || before.ends_with(char::is_whitespace);
        if is_word {
            let line = before.rsplit('\n').next().unwrap_or_default();
            let is_public = line.trim_start().starts_with("pub");
            let mut paths = Vec::new();
            spread(tree, &mut Vec::new(), &mut paths);
            found.extend(paths.into_iter().map(|path| Import { is_public, path }));
        }
        rest = after;
    }
    inline(rest, &mut found);
    found
}

fn inline(code: &str, found: &mut Vec<Import>) {
    for (at, _) in code.match_indices("crate::") {
        let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let path = code[at..].split(|c| !is_path(c)).next().unwrap_or_default();
        let path = path.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        found.push(Import { is_public: false, path });
    }
}

/// The paths of a `use` tree: `a::{b, c::d}` names `a::b` and `a::c::d`.
fn spread(tree: &str, prefix: &mut Path, paths: &mut Vec<Path>) {
    let tree = tree.trim();
    let (names, list) = match tree.split_once('{') {
        Some((names, list)) => (names, list.strip_suffix('}')),
        None => (tree.split(" as ").next().unwrap_or_default(), None),
    };
    let depth = prefix.len();
    prefix.extend(names.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
    match list {
        None => paths.push(prefix.clone()),
        Some(list) => {
            let (mut open, mut start) = (0, 0);
            for (at, c) in list.char_indices() {
                match c {
                    '{' => open += 1,
                    '}' => open -= 1,
                    ',' if open == 0 => {
                        spread(&list[start..at], prefix, paths);
                        start = at + 1;
                    }
                    _ => {}
                }
            }
            if !list[start..].trim().is_empty() {
                spread(&list[start..], prefix, paths);
            }
        }
    }
    prefix.truncate(depth);
}

/// The files of a crate by their modules.
struct Crate {
    files: BTreeMap<Path, Vec<Import>>,
}

impl Crate {
    fn read(root: &str) -> Self {
        let sources = sources_of(root);
        let product = sources.iter().filter(|source| !source.path.ends_with("/tests.rs"));
        let files = product.map(|source| (module(source), imports(source.product_code())));
        Self { files: files.collect() }
    }

    /// The path below the crate; `None` for what is of another one.
    fn absolute(&self, module: &Path, path: &Path) -> Option<Path> {
        let mut here = module.clone();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&here[..], &path[1..]].concat()),
            "super" => {
                let climbs = path.iter().take_while(|name| *name == "super").count();
                here.truncate(here.len() - climbs);
                Some([&here[..], &path[climbs..]].concat())
            }
            child => {
                here.push(child.to_owned());
                self.files.contains_key(&here).then(|| [&module[..], &path[..]].concat())
            }
        }
    }

    /// The file that holds what a path names, behind whatever re-exports it.
    fn home(&self, path: &Path, passed: usize) -> Option<&Path> {
        let len = (0..=path.len()).rev().find(|len| self.files.contains_key(&path[..*len]))?;
        let (file, imports) = self.files.get_key_value(&path[..len])?;
        let Some(name) = path.get(len) else { return Some(file) };
        let public = imports.iter().filter(|import| import.is_public && import.path.last() == Some(name));
        let behind = public.filter_map(|import| self.absolute(file, &import.path)).find(|behind| behind != path);
        match behind {
            Some(behind) if passed < 8 => self.home(&behind, passed + 1),
            _ => Some(file),
        }
    }

    /// From whom each file imports; what a module re-exports of its own files it does not use.
    fn edges(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let edges = self.files.iter().map(|(file, imports)| {
            let used = imports.iter().filter(|import| !import.is_public);
            let paths = used.filter_map(|import| self.absolute(file, &import.path));
            (file, paths.filter_map(|path| self.home(&path, 0)).filter(|home| *home != file).collect())
        });
        edges.collect()
    }

    /// The files that can be reached from each other, in order.
    fn circles(&self) -> BTreeSet<Vec<String>> {
        let edges = self.edges();
        let reached: BTreeMap<_, _> = edges.keys().map(|file| (*file, reachable(&edges, file))).collect();
        let circle = |file: &&Path| {
            let others = reached[*file].iter().filter(|other| reached[**other].contains(*file));
            others.map(|other| other.join("/") + ".rs").collect::<Vec<_>>()
        };
        edges.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
    }
}

fn reachable<'a>(edges: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, from: &Path) -> BTreeSet<&'a Path> {
    let mut open: Vec<_> = edges[from].iter().copied().collect();
    let mut reached = BTreeSet::new();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(edges[file].iter().copied());
        }
    }
    reached
}

fn module(source: &Source) -> Path {
    let path = source.path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if ["lib", "main"].contains(&path) { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

#[test]
fn files_import_from_each_other_only_where_there_is_a_reason() {
    let circles = Crate::read("src").circles();
    let allowed: BTreeSet<Vec<String>> =
        CIRCLES.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect()).collect();
    let new: Vec<_> = circles.difference(&allowed).map(|files| files.join(", ")).collect();
    assert_none("files that import from each other", &new);
    let gone: Vec<_> = allowed.difference(&circles).map(|files| files.join(", ")).collect();
    assert_none("no circles any more: strike them from the list", &gone);
}

#[test]
fn the_crates_beside_the_library_have_no_circles() {
    for root in super::CRATES {
        let read = Crate::read(root);
        assert!(read.edges().values().map(BTreeSet::len).sum::<usize>() > 10, "no imports of {root} were seen");
        let circles: Vec<_> = read.circles().iter().map(|files| files.join(", ")).collect();
        assert_none("files that import from each other", &circles);
    }
}

#[test]
fn a_circle_is_seen_behind_a_re_export() {
    let of = |code: &str| imports(code);
    let words = |path: &str| path.split('/').map(str::to_owned).collect::<Path>();
    let files = BTreeMap::from([
        (words("a"), of("mod b; mod c;\npub use b::{B, Other};\npub(crate) use c::C;")),
        (words("a/b"), of("use super::{C, d::{D, E as F}}; use std::fmt;")),
        (words("a/c"), of("fn c() { crate::a::B::new() }")),
        (words("a/d"), of("use std::fmt;")),
    ]);
    let read = Crate { files };
    let circles = BTreeSet::from([vec!["a/b.rs".to_owned(), "a/c.rs".to_owned()]]);
    assert_eq!(read.circles(), circles);
    assert!(read.edges()[&words("a/b")].contains(&words("a/d")));
}
