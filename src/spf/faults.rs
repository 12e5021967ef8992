//! All that is wrong with an SPF record that cannot be read.

use super::{fault::Fault, parse, record::Record};
use crate::lex::{SyntaxError, parse_all};

/// Faults of one record that are told: whoever mends so many looks at the rest as well.
const MAX_FAULTS: usize = 32;

/// What is wrong with a record that has a version section ([`Record::has_version`]), term by term: each of its terms is read as
/// [`Record::parse`] reads it, behind the first error as well. No more than 32 are told. Empty exactly where [`Record::parse`] succeeds,
/// and where there is no version section.
///
/// ```
/// use mailverdict::spf::faults;
/// let faults = faults(b"v=spf1 mx ip4: include:_spf.example.com ?al");
/// let says: Vec<String> = faults.iter().map(ToString::to_string).collect();
/// assert_eq!(says, ["\"ip4:\" has no address", "\"?al\" is no mechanism; \"?all\" was probably meant"]);
/// ```
pub fn faults(text: &[u8]) -> Vec<Fault> {
    let mut faults = Vec::new();
    // What the terms before say counts: §6 allows two modifiers once.
    let mut record = Record::default();
    let mut start = VERSION;
    if !Record::has_version(text) {
        return faults;
    }
    for term in text.get(VERSION..).unwrap_or_default().split(|octet| *octet == b' ') {
        if !term.is_empty()
            && let Err(SyntaxError { offset, expected }) = parse_all(term, |term| parse::term(term, start, &mut record))
        {
            faults.push(Fault::of(text, &SyntaxError { offset: start + offset, expected }));
            if faults.len() == MAX_FAULTS {
                break;
            }
        }
        start += term.len() + 1;
    }
    faults
}

/// Octets of `v=spf1`.
const VERSION: usize = 6;
