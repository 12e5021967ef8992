//! A record may name what the client said thousands of times, and the client may say much: the two must not multiply.

use super::*;

const LETTERS: [&str; 11] = ["s", "l", "o", "d", "i", "p", "v", "h", "c", "r", "t"];

/// What a client said, and who asks.
struct Said {
    local_part: String,
    sender: String,
    domain: Name,
    helo: String,
    receiver: String,
}

impl Said {
    /// The local part, the HELO name and the receiver's name of this many octets, and the longest of domains.
    fn of_length(octets: usize) -> Self {
        let text: String = "a.-+".chars().cycle().take(octets).collect();
        let domain = Name::parse(&["x".repeat(63).as_str(); 4].join(".")[..MAX_NAME_LEN]).unwrap();
        Self {
            sender: format!("{text}@{domain}"),
            local_part: text.clone(),
            domain,
            helo: text.clone(),
            receiver: text,
        }
    }

    fn values(&self) -> Values<'_> {
        Values {
            ip: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap(),
            sender: &self.sender,
            local_part: &self.local_part,
            sender_domain: &self.domain,
            helo: &self.helo,
            receiver: &self.receiver,
            now: u64::MAX,
        }
    }

    fn explanation(&self, text: &str) -> Option<Box<str>> {
        self.values().explanation(&text.parse().unwrap(), &self.domain, self.domain.as_str())
    }
}

/// Octets of what a letter stands for: what a macro of it reads, whatever it makes of that.
fn octets_of(said: &Said, letter: &str) -> usize {
    let mut out = String::new();
    let plain: MacroString = format!("%{{{letter}}}").parse().unwrap();
    plain.parts().iter().for_each(|part| said.values().push(&mut out, part, &said.domain, said.domain.as_str()));
    out.len()
}

#[test]
fn macros_count_as_no_fewer_octets_than_they_stand_for() {
    for length in [1, 60, 250, 1000] {
        let said = Said::of_length(length);
        for letter in LETTERS {
            let one = octets_of(&said, letter).max(LEAST_OCTETS);
            for count in [1, 2, 17, 4000] {
                let string: MacroString = format!("x%%%_%-%{{{letter}}}").repeat(count).parse().unwrap();
                let counted = said.values().octets(&string);
                assert!(counted >= count * one, "{count} of %{{{letter}}}, {length}: {counted}");
                // A name or an address may be shorter than the longest.
                assert!(counted <= count * one.max(MAX_NAME_LEN), "{count} of %{{{letter}}}, {length}: {counted}");
            }
        }
    }
    assert_eq!(Said::of_length(9).values().octets(&"a%%b%_c%-.example.com".parse().unwrap()), 0);
}

#[test]
fn a_target_name_is_expanded_to_little_more_than_can_be_part_of_it() {
    for length in [1, 60, 250, 1000] {
        let said = Said::of_length(length);
        for letter in ["l", "s", "h", "o", "d", "i", "p", "L", "S", "l1r-", "s2+", "H9r.-"] {
            for count in [2, 16, 17, 1000] {
                let string: MacroString = format!("%{{{letter}}}").repeat(count).parse().unwrap();
                let end = said.values().end_of(string.parts(), &said.domain, said.domain.as_str());
                // URL-escaping makes three octets of one.
                let longest = 3 * said.sender.len();
                let bound = if count <= FEW_PARTS { count * longest } else { 2 * MAX_NAME_LEN + longest };
                assert!(end.len() <= bound, "{count} of %{{{letter}}}, {length}: {}", end.len());
            }
        }
    }
}

#[test]
fn the_end_of_many_parts_is_the_end_of_all_of_them() {
    let said = Said::of_length(7);
    let values = said.values();
    for count in [15, 16, 17, 18, 100, 300] {
        let spec = format!("x.{}%{{d}}", "%{l}.%{i}.%%".repeat(count));
        let string: MacroString = spec.parse().unwrap();
        let mut whole = String::new();
        string.parts().iter().for_each(|part| values.push(&mut whole, part, &said.domain, "unknown"));
        let end = values.end_of(string.parts(), &said.domain, "unknown");
        assert!(whole.ends_with(&end) && end.len() >= whole.len().min(MAX_NAME_LEN + 1), "{count}");
        assert_eq!(truncate(&end), truncate(&whole), "{count}");
    }
}

#[test]
fn an_explanation_has_2048_octets_at_most() {
    for (letter, length) in [("l", 1), ("s", 10), ("h", 100), ("r", 1000), ("t", 1), ("L", 33)] {
        let said = Said::of_length(length);
        let once = said.explanation(&format!("%{{{letter}}}")).unwrap().len();
        for count in [MAX_EXPLANATION_LEN / once, MAX_EXPLANATION_LEN / once + 1] {
            let explanation = said.explanation(&format!("%{{{letter}}}").repeat(count));
            let wanted = (count * once <= MAX_EXPLANATION_LEN).then_some(count * once);
            assert_eq!(explanation.map(|text| text.len()), wanted, "{count} of %{{{letter}}}");
        }
    }
}
