//! What the signatures of messages tell of how a domain signs.

use super::{
    context::Context,
    signed::{Made, Signed},
};
use crate::{
    finding::{Finding, Quote, Rule, of_name},
    name::shown,
    time::UnixTime,
};

const DAY: u64 = 86_400;
/// How long a signature is good for at most, before it helps those who send it again.
const LONG: u64 = 30 * DAY;
/// After that, a key has been in use for long: twelve months.
const YEAR: u64 = 365 * DAY;

/// What is said of the signatures themselves, and of the keys by what signatures tell.
pub(super) fn look(context: &Context<'_>) -> Vec<Finding> {
    let mut found = context.scope.of_messages().to_vec();
    let mut told: Vec<(Rule, Box<str>)> = Vec::new();
    let signed = context.scope.signed();
    for made in signed.iter().flat_map(|signed| &signed.signatures) {
        // Each domain signs its messages alike.
        for finding in [fragile(made), expiry(made)].into_iter().flatten() {
            let of = (finding.rule, Box::from(made.domain.as_str()));
            if !told.contains(&of) {
                told.push(of);
                found.push(finding);
            }
        }
    }
    found.extend(signed.iter().find_map(|signed| not_aligned(context, signed)));
    found.extend(ages(context, signed));
    found
}

fn about(made: &Made, rule: Rule, quote: Option<Quote>, says: &str, advice: &str) -> Finding {
    let says = format!("the signature of {} {says}", made.domain);
    Finding { name: Some("DKIM-Signature".into()), quote, advice: Some(advice.into()), ..Finding::new(rule, &says) }
}

/// RFC 6376 §3.4: "simple" tolerates almost no change.
fn fragile(made: &Made) -> Option<Finding> {
    let why = match &made.canonicalization {
        Some(quote) => format!("has \"{}\", which does not survive hosts that write lines anew", quote.text()),
        None => "has no c=, which stands for simple/simple and does not survive hosts that write lines anew".to_owned(),
    };
    let advice = "Sign with c=relaxed/relaxed.";
    made.is_simple.then(|| about(made, Rule::SigFragile, made.canonicalization.clone(), &why, advice))
}

/// RFC 6376 §3.5, x=.
fn expiry(made: &Made) -> Option<Finding> {
    let (Some(expires), quote) = (made.expires, made.expiration.clone()) else {
        let says = "has no x=: whoever has the message may send it again for as long as the key stands";
        return Some(about(made, Rule::SigExpiry, None, says, "Sign with x= some days after t=."));
    };
    let lasts = expires.0.saturating_sub(made.at?.0);
    let (says, advice) = match lasts {
        0..DAY => (
            format!("is good for {} hours alone, and mail that is delayed fails", lasts / 3600),
            "Sign with x= some days after t=.",
        ),
        DAY..=LONG => return None,
        _ => (
            format!("is good for {} days: whoever has the message may send it again for so long", lasts / DAY),
            "Sign with x= some days after t=.",
        ),
    };
    Some(about(made, Rule::SigExpiry, quote, &says, advice))
}

/// RFC 9989 §4.4.1, where no signature is by a domain of the same owner as that of From.
fn not_aligned(context: &Context<'_>, signed: &Signed) -> Option<Finding> {
    let author = signed.author.as_ref().filter(|author| context.is_own(author.as_name()))?;
    let first = signed.signatures.first()?;
    if signed.signatures.iter().any(|made| context.is_own(made.domain.as_name())) {
        return None;
    }
    let says = format!("no signature aligns with {author}: {} signs, which is of another owner", first.domain);
    let advice = format!("Sign with d={author}, or with a domain that has the same organizational domain.");
    Some(Finding { advice: Some(advice.into()), ..Finding::new(Rule::SigNotAligned, &says) })
}

/// Keys that have signed for more than a year, as messages show, or as the selector says.
fn ages(context: &Context<'_>, signed: &[Signed]) -> Vec<Finding> {
    let mut found = Vec::new();
    let all = || signed.iter().flat_map(|signed| &signed.signatures);
    for key in context.scope.keys().iter().filter(|key| context.is_own(key.domain())) {
        let times = || all().filter(|made| made.key == *key.name()).filter_map(|made| made.at);
        let name = shown(key.name());
        let says = match (times().min(), times().max()) {
            (Some(first), Some(last)) if last.0.saturating_sub(first.0) > YEAR => format!(
                "messages are signed with the key of {name} at {} and at {}: it has been in use for {} months",
                day(first),
                day(last),
                (last.0 - first.0) / (30 * DAY)
            ),
            (_, last) => {
                let now = last.unwrap_or(context.scope.time());
                match date_of(key.selector()) {
                    Some((date, text)) if now.0.saturating_sub(date.0) > YEAR => {
                        format!("the selector of {name} says \"{text}\", as if the key were more than a year old")
                    }
                    Some(_) | None => continue,
                }
            }
        };
        found.push(of_name(key.name(), Rule::DkimAge, &says, "Sign with a new key once or twice a year."));
    }
    found
}

fn day(time: UnixTime) -> String {
    time.to_string().chars().take(10).collect()
}

/// The date that a selector holds, as in `s20240601`, `2024-06` and `mail202406`.
fn date_of(selector: &str) -> Option<(UnixTime, &str)> {
    let start = selector.find(|c: char| c.is_ascii_digit())?;
    let rest = selector.get(start..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
    let text = rest.get(..end)?.trim_end_matches('-');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (year, month, day) = match digits.len() {
        6 => (digits.get(..4)?, digits.get(4..6)?, "01"),
        8 => (digits.get(..4)?, digits.get(4..6)?, digits.get(6..8)?),
        _ => return None,
    };
    // Numbers of other kinds are no dates of keys.
    if !(2005..2100).contains(&year.parse::<u16>().ok()?) {
        return None;
    }
    Some((format!("{year}-{month}-{day}T00:00:00Z").parse().ok()?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_may_hold_a_date() {
        let date = |selector: &str| date_of(selector).map(|(time, text)| format!("{} {text}", day(time)));
        for (selector, expected) in [
            ("s20240601", Some("2024-06-01 20240601")),
            ("2024-06", Some("2024-06-01 2024-06")),
            ("mail202406a", Some("2024-06-01 202406")),
            ("2024-06-15-rsa", Some("2024-06-15 2024-06-15")),
            ("selector1", None),
            ("s2024", None),
            ("20241301", None),
            ("18991231", None),
            ("123456789", None),
            ("k", None),
        ] {
            assert_eq!(date(selector).as_deref(), expected, "{selector}");
        }
    }
}
