//! Which fields a signature covers, by the names in its h=.

use crate::style::printable;
use mailverdict::{dkim::FieldNames, message::Header};
use std::collections::{HashMap, HashSet};

/// How many fields of each name a header has.
pub(super) struct FieldCounts<'m> {
    /// Each name once, in the order of the header.
    names: Vec<Named<'m>>,
    /// Their places, by names in lower case.
    places: HashMap<Vec<u8>, usize>,
}

struct Named<'m> {
    /// As it was first written.
    name: &'m [u8],
    count: usize,
}

/// A name of h=.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Covered {
    /// Printable.
    pub(super) name: String,
    /// How often h= names it.
    named: usize,
    /// How many fields of the message have it.
    present: usize,
}

/// What h= covers of a header, and what not.
pub(super) struct Coverage {
    /// Each name of h= once, in its order.
    pub(super) covered: Vec<Covered>,
    /// The first names of fields that h= does not name; printable.
    pub(super) open: Vec<String>,
    /// How many there are in all.
    pub(super) all_open: usize,
}

/// Names of fields that a signature does not cover, and that are told.
const MAX_OPEN: usize = 60;

impl<'m> FieldCounts<'m> {
    pub(super) fn of(header: &Header<'m>) -> Self {
        let (mut names, mut places) = (Vec::<Named<'_>>::new(), HashMap::new());
        for field in header.fields() {
            let place = *places.entry(field.name().to_ascii_lowercase()).or_insert(names.len());
            match names.get_mut(place) {
                Some(known) => known.count += 1,
                None => names.push(Named { name: field.name(), count: 1 }),
            }
        }
        Self { names, places }
    }

    pub(super) fn coverage(&self, signed: &FieldNames) -> Coverage {
        let mut covered: Vec<Covered> = Vec::new();
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut signed_places = HashSet::new();
        for name in signed.iter() {
            let key = name.trim().as_bytes().to_ascii_lowercase();
            let place = places.get(&key).copied();
            if let Some(known) = place.and_then(|place| covered.get_mut(place)) {
                known.named += 1;
                continue;
            }
            let of_header = self.places.get(&key).copied();
            let present = of_header.and_then(|place| self.names.get(place)).map_or(0, |known| known.count);
            signed_places.extend(of_header);
            places.insert(key, covered.len());
            covered.push(Covered { name: printable(name.trim()), named: 1, present });
        }
        let open = self.names.iter().enumerate().filter(|(place, _)| !signed_places.contains(place));
        let open = open.take(MAX_OPEN).map(|(_, known)| printable(&String::from_utf8_lossy(known.name))).collect();
        Coverage { covered, open, all_open: self.names.len() - signed_places.len() }
    }
}

impl Covered {
    /// What that means. RFC 6376 §5.4.2: of fields of one name, the lowest are signed; §5.4: a name without a field says that there is none.
    pub(super) fn meaning(&self) -> String {
        let Self { named, present, .. } = *self;
        match (named, present) {
            (_, 0) => "signed as absent: a field added later breaks the signature".to_owned(),
            (1, 1) => "signed".to_owned(),
            _ if named == present => format!("all {present} signed"),
            _ if named > present => "signed; one more would break the signature".to_owned(),
            _ => format!("{named} of {present} signed, counted from the lowest; those above are not covered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailverdict::{Authenticator, Message, Session, dns::Zone};

    #[test]
    fn fields_are_counted_by_name_from_the_lowest() {
        let raw =
            b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from:From:to:subject:cc:cc; bh=AAAA; b=BBBB\r\n\
            Subject: 1\r\nSUBJECT: 2\r\nTo: b\r\nCc: c\r\nCc: d\r\nFrom: a@a.example\r\nX-A: e\r\n\r\n";
        let message = Message::parse(raw).unwrap();
        let verdict = Authenticator::new(Zone::default()).authenticate_at_once(&message, Session::without_peer());
        let Coverage { covered, open, all_open } =
            FieldCounts::of(message.header()).coverage(&verdict.dkim[0].signature.signed_fields);
        let told: Vec<String> = covered.iter().map(|of| format!("{}: {}", of.name, of.meaning())).collect();
        assert_eq!(
            told,
            [
                "from: signed; one more would break the signature",
                "to: signed",
                "subject: 1 of 2 signed, counted from the lowest; those above are not covered",
                "cc: all 2 signed",
            ]
        );
        assert_eq!(open, ["DKIM-Signature", "X-A"]);
        assert_eq!(all_open, 2);
    }

    #[test]
    fn a_name_without_a_field_is_signed_as_absent() {
        let covered = Covered { name: "sender".to_owned(), named: 1, present: 0 };
        assert!(covered.meaning().starts_with("signed as absent"));
    }
}
