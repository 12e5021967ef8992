//! Runs what fuzzing once found, and what it starts from, through the properties.

use std::{
    collections::BTreeMap,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

/// A target of fuzzing: a property that holds for any octets.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Files of `tests/data/fuzz/<target>/`, and inputs made on the spot: all short texts of a few octets that grammars are touchy
/// about, and random octets.
pub(crate) fn replay(targets: &[Target]) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut failures = Vec::new();
    let mut counts = BTreeMap::new();
    for (name, property) in targets {
        let mut inputs: Vec<(String, Vec<u8>)> = files(&data.join(name))
            .into_iter()
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
        counts.insert(*name, inputs.len());
        inputs.extend(made());
        for (origin, input) in inputs {
            if let Err(panic) = catch_unwind(|| property(&input)) {
                let words = panic.downcast_ref::<String>().map(String::as_str);
                let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
                failures.push(format!("{name}: {origin}: {words}: {}", input.escape_ascii()));
            }
        }
    }
    println!("findings replayed, by target: {counts:?}; and {} made inputs for each", made().len());
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn made() -> Vec<(String, Vec<u8>)> {
    let mut inputs = vec![("empty".to_owned(), Vec::new())];
    let touchy = b" \t\r\n;:=\"\\()<>@.,%{}/a0\0\x7f\x80\xff";
    for first in touchy {
        inputs.push(("one octet".to_owned(), vec![*first]));
        for second in touchy {
            inputs.push(("two octets".to_owned(), vec![*first, *second]));
        }
    }
    // xorshift64
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    for len in 0..200 {
        let random: Vec<u8> = std::iter::repeat_with(&mut next).flatten().take(len * 3).collect();
        let from_touchy = random.iter().map(|octet| touchy[usize::from(*octet) % touchy.len()]).collect();
        inputs.push(("random touchy octets".to_owned(), from_touchy));
        inputs.push(("random octets".to_owned(), random));
    }
    inputs
}
