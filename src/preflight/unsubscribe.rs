//! Whether people can unsubscribe with one click (RFC 8058).

use super::{demand::Receiver, facts::Facts, judgement::Judgement};
use crate::message::Header;

const LIST: &str = "List-Unsubscribe";
const POST: &str = "List-Unsubscribe-Post";
/// RFC 8058 §3.1, without regard to case.
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";
const ADVICE: &str = "Add List-Unsubscribe with an https URI and \"List-Unsubscribe-Post: List-Unsubscribe=One-Click\", and \
                      name both in h= of the signature.";

/// What List-Unsubscribe offers.
struct Offered {
    https: bool,
    mailto: bool,
}

impl Offered {
    /// `None` without the field. URIs stand in angle brackets (RFC 2369 §2).
    fn by(header: &Header<'_>) -> Option<Self> {
        let mut fields = header.named(LIST).peekable();
        fields.peek()?;
        let mut offered = Self { https: false, mailto: false };
        for field in fields {
            for uri in field.value().split(|octet| *octet == b'<').skip(1) {
                let starts =
                    |scheme: &[u8]| uri.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
                offered.https |= starts(b"https:");
                offered.mailto |= starts(b"mailto:");
            }
        }
        Some(offered)
    }
}

/// All of RFC 8058: an https URI, the field that allows one click (§3.1), and both in a signature that passes (§4).
pub(super) fn one_click(facts: &Facts<'_>) -> Judgement {
    if facts.is_made_up() {
        return no_message();
    }
    let Some(offered) = Offered::by(facts.header) else { return nothing_offered() };
    if !offered.https {
        return Judgement::not_met("List-Unsubscribe has no https URI", ADVICE);
    }
    let mut posts = facts.header.named(POST);
    let is_allowed = posts.next().is_some_and(|post| post.value().trim_ascii().eq_ignore_ascii_case(ONE_CLICK));
    if !is_allowed {
        return Judgement::not_met(
            "no field \"List-Unsubscribe-Post: List-Unsubscribe=One-Click\" allows one click",
            ADVICE,
        );
    }
    let signs = |name: &str| {
        facts
            .passing_for_good()
            .any(|report| report.signature.signed_fields.iter().any(|field| field.eq_ignore_ascii_case(name)))
    };
    let signs_both = facts.passing_for_good().any(|report| {
        let fields = || report.signature.signed_fields.iter();
        [LIST, POST].iter().all(|name| fields().any(|field| field.eq_ignore_ascii_case(name)))
    });
    if signs_both {
        return Judgement::met("List-Unsubscribe and List-Unsubscribe-Post allow one click, and are signed");
    }
    if facts.planned > 0 {
        return Judgement::not_seen(
            "both fields are there; whether the signer will name them in h= can be seen in a signed message alone",
        );
    }
    let missing = if signs(LIST) { POST } else { LIST };
    Judgement::not_met(format!("{missing} is not in h= of a signature that passes (RFC 8058)"), ADVICE)
}

/// The same, or an address of mail; a link in the text is not looked for.
pub(super) fn any(facts: &Facts<'_>, receiver: Receiver) -> Judgement {
    if facts.is_made_up() {
        return no_message();
    }
    match Offered::by(facts.header) {
        Some(offered) if offered.mailto && receiver == Receiver::Yahoo => {
            Judgement::met("List-Unsubscribe offers an address of mail")
        }
        Some(offered) if receiver == Receiver::Outlook && (offered.mailto || offered.https) => {
            Judgement::met("List-Unsubscribe offers a way to unsubscribe; whether that works is not tried")
        }
        Some(_) => one_click(facts),
        None => nothing_offered(),
    }
}

fn no_message() -> Judgement {
    Judgement::not_seen("no message was given; marketing mail needs List-Unsubscribe and List-Unsubscribe-Post")
}

fn nothing_offered() -> Judgement {
    Judgement::not_seen("the message has no List-Unsubscribe field, which marketing mail alone needs").advising(ADVICE)
}
