//! Macros, by which mail servers tell more of a session than the commands do.

use std::collections::BTreeMap;

/// Values that are kept for one connection.
const MAX_VALUES: usize = 200;
/// Octets of one of them.
const MAX_VALUE: usize = 4096;

/// The values of macros, by the command that they were told for.
#[derive(Debug, Default)]
pub struct Macros(BTreeMap<u8, Vec<Value>>);

/// A name and its value.
type Value = (Box<[u8]>, Box<[u8]>);

impl Macros {
    /// The values for a command; those that were told for it before are gone.
    pub fn set(&mut self, of: u8, pairs: &[(&[u8], &[u8])]) {
        let cut = |octets: &[u8]| octets.get(..MAX_VALUE).unwrap_or(octets).into();
        let kept = pairs.iter().take(MAX_VALUES).map(|(name, value)| (cut(name), cut(value))).collect();
        if self.0.len() < 32 || self.0.contains_key(&of) {
            self.0.insert(of, kept);
        }
    }

    /// A value, told for whatever command; that of the latest step of a session first. The name is without braces.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let is_it = |found: &[u8]| {
            let found = found.strip_prefix(b"{").and_then(|found| found.strip_suffix(b"}")).unwrap_or(found);
            found == name.as_bytes()
        };
        const STEPS: [u8; 10] = *b"ENLBTRMHCK";
        let of_step = |of: &u8| self.0.get(of)?.iter().find(|(found, _)| is_it(found)).map(|(_, value)| &**value);
        STEPS.iter().find_map(of_step)
    }

    /// A message has ended, and what was told of it is gone.
    pub fn end_message(&mut self) {
        self.0.retain(|of, _| matches!(of, b'C' | b'H'));
    }

    /// A connection has ended.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_step_counts_until_the_message_ends() {
        let mut macros = Macros::default();
        macros.set(b'C', &[(b"j", b"mx.a.example"), (b"{client_addr}", b"192.0.2.1")]);
        macros.set(b'M', &[(b"i", b"1"), (b"{auth_authen}", b"alice")]);
        macros.set(b'E', &[(b"i", b"2")]);
        assert_eq!(macros.get("i"), Some(&b"2"[..]));
        assert_eq!(macros.get("auth_authen"), Some(&b"alice"[..]));
        assert_eq!(macros.get("client_addr"), Some(&b"192.0.2.1"[..]));
        macros.end_message();
        assert_eq!((macros.get("i"), macros.get("auth_authen")), (None, None));
        assert_eq!(macros.get("j"), Some(&b"mx.a.example"[..]));
        macros.clear();
        assert_eq!(macros.get("j"), None);
    }
}
