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
    particular: AtomicBool,
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
            particular: AtomicBool::new(false),
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
            particular: &self.particular,
        }
    }

    fn target(&self, spec: &str) -> Target {
        self.values().target(&spec.parse().unwrap(), &self.domain, self.domain.as_str())
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
fn what_is_expanded_at_all_reads_no_more_than_its_bound() {
    let (mut refused, mut taken) = (0, 0);
    for length in [1, 60, 250, 1000, 5000, 60_000, 600_000] {
        let said = Said::of_length(length);
        for letter in LETTERS {
            for count in [1, 2, 16, 17, 100, 4000, 16_000] {
                let string: MacroString = format!("%{{{letter}}}").repeat(count).parse().unwrap();
                if said.values().is_too_much_work(&string) {
                    refused += 1;
                } else {
                    taken += 1;
                    let read = count * octets_of(&said, letter);
                    // The at sign of a sender is one octet more than is reckoned with.
                    assert!(count == 1 || read <= MAX_WORK + count, "{count} of %{{{letter}}}, {length}: {read}");
                }
            }
        }
    }
    assert!(refused > 100 && taken > 100, "{refused} refused, {taken} taken");
}

#[test]
fn a_target_name_is_expanded_to_little_more_than_can_be_part_of_it() {
    for length in [1, 60, 1000, 30_000] {
        let said = Said::of_length(length);
        for letter in ["l", "s", "h", "o", "d", "i", "p", "L", "S", "l1r-", "s2+", "H9r.-"] {
            for count in [2, 16, 17, 1000] {
                let string: MacroString = format!("%{{{letter}}}").repeat(count).parse().unwrap();
                if said.values().is_too_much_work(&string) {
                    continue;
                }
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
fn the_bound_of_work_has_two_sides() {
    // Two macros may read half of the bound each, the name of the domain included.
    let longest = MAX_WORK / 2 - MAX_NAME_LEN;
    let string: MacroString = "%{l}%{l}".parse().unwrap();
    assert!(!Said::of_length(longest).values().is_too_much_work(&string));
    assert!(Said::of_length(longest + 1).values().is_too_much_work(&string));
    let (enough, too_many) = (MAX_WORK / (MAX_NAME_LEN + 1), MAX_WORK / (MAX_NAME_LEN + 1) + 1);
    let said = Said::of_length(1);
    assert!(!said.values().is_too_much_work(&"%{l}".repeat(enough).parse().unwrap()));
    assert!(said.values().is_too_much_work(&"%{l}".repeat(too_many).parse().unwrap()));
    // One macro is read whatever its length.
    let long = Said::of_length(3 * MAX_WORK);
    assert!(matches!(long.target("%{l1r-}.%{d}"), Target::Malformed(..)));
    assert!(matches!(long.target("%{l1r.-+}.example.com"), Target::Name(name) if name.as_str() == "a.example.com"));
}

#[test]
fn what_is_too_much_is_no_name_and_no_explanation() {
    let said = Said::of_length(600_000);
    for letter in ["l", "s", "h", "L", "S", "l1r-", "h}%{o1"] {
        let spec = format!("{}.example.com", format!("%{{{letter}}}").repeat(4000));
        let Target::Malformed(text, NameError::TooLong) = said.target(&spec) else { panic!("{letter}") };
        // The result says what the record says, not what came of it.
        assert_eq!(*text, *spec);
        assert_eq!(said.explanation(&spec), None, "{letter}");
    }
    // What no macro stands for does not count.
    assert!(matches!(said.target(&format!("{}example", "%{o1}.".repeat(4000))), Target::Name(_)));
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
