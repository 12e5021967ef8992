//! What is said of a signature by what it holds, and where no cause was found.

use super::{signer::Signer, suspect::Suspect, way::Way};
use crate::{
    dkim::{Change, ChangeKind, ChangePart},
    lex::excerpt,
    message::Header,
    name::shown,
};

/// Octets of signatures by RSA keys of the sizes that are in use.
const USUAL_OCTETS: [usize; 7] = [64, 96, 128, 192, 256, 384, 512];

/// Names in `h=` that are looked at.
const MAX_NAMES: usize = 64;

/// What the signature shows without a look at the message.
pub(super) fn of_signer(signer: &Signer, suspect: &Suspect<'_>) -> Option<Change> {
    let name = shown(&suspect.signature.key_name);
    let of = |kind, part, is_proven, says: String, advice: &str| {
        Some(Change { kind, part, is_proven, field: None, says: says.into(), advice: Some(advice.into()), undo: None })
    };
    match signer {
        Signer::Garbage => {
            let says = format!(
                "another key, or damage to b=: the signature does not open with the key at {name}, and is as long as that key makes it"
            );
            let advice = "Compare the published key with that of the program that signs, at this selector.";
            of(ChangeKind::WrongKey, ChangePart::Key, false, says, advice)
        }
        Signer::OtherLength { octets, key_octets } => {
            let usual = USUAL_OCTETS.contains(octets) && key_octets != octets;
            if usual {
                let says = format!(
                    "b= has {octets} octets, as a key of {} bits makes them, and the key at {name} makes {key_octets}: another key has \
                     signed",
                    octets * 8
                );
                let advice = "Publish the key that signs at this selector, or sign with another selector.";
                of(ChangeKind::WrongKey, ChangePart::Key, true, says, advice)
            } else {
                let says = format!(
                    "b= has {octets} octets, and a signature by the key at {name} has {key_octets}: a part of it is lost, or was added"
                );
                let advice = "Look at what the hosts on the way do to long header fields.";
                of(ChangeKind::SignatureDamaged, ChangePart::Signature, true, says, advice)
            }
        }
        Signer::OtherForm { what, .. } => {
            let says =
                format!("the signature opens with the key, and holds {what}: the signer did not sign by the rules");
            let advice = "Have the program that signs corrected (RFC 8017 section 9.2, RFC 6376 section 3.3).";
            of(ChangeKind::SignedWrongly, ChangePart::Signature, true, says, advice)
        }
        Signer::NoKey | Signer::Digest(_) | Signer::Closed(_) => None,
    }
}

/// `l=` says that there was more.
pub(super) fn truncated(suspect: &Suspect<'_>, body: &[u8]) -> Change {
    let length = suspect.signature.body_length.unwrap_or_default();
    let says = format!(
        "the end of the body is lost: l={length} says that more was signed than the {} octets that are there",
        body.len()
    );
    Change {
        kind: ChangeKind::BodyTruncated,
        part: ChangePart::Body,
        is_proven: true,
        field: None,
        says: says.into(),
        advice: Some("Look for a limit of size on the way, or for a copy that was not stored whole.".into()),
        undo: None,
    }
}

/// Another header than any that was tried.
pub(super) fn header_not_found(
    signer: &Signer,
    suspect: &Suspect<'_>,
    header: &Header<'_>,
    attempts: usize,
    way: &Way,
) -> Change {
    let fields = suspect.signature.signed_fields.iter().count();
    let asked = whom_to_ask(way);
    let (kind, is_proven, says) = match signer {
        Signer::Digest(_) => (
            ChangeKind::FieldChanged,
            true,
            format!(
                "a signed header field was changed: the signature opens with the key, and holds another hash of the {fields} fields in h= \
                 than the message has; {attempts} usual changes (tags, rewritten addresses, fields added, removed, folded or encoded anew) \
                 are not it{}",
                removed(suspect, header)
            ),
        ),
        _ => (
            ChangeKind::Unknown,
            false,
            format!(
                "the signature does not fit: a field in h=, the key or b= is another; {attempts} usual changes of the header are not it, \
                 and signatures of this algorithm cannot be opened to tell more"
            ),
        ),
    };
    Change {
        kind,
        part: ChangePart::Header,
        is_proven,
        field: None,
        says: says.into(),
        advice: Some(asked.into()),
        undo: None,
    }
}

/// The fields that may have been removed: `h=` names them, and the message has none. Signers name some so that nobody adds one.
fn removed(suspect: &Suspect<'_>, header: &Header<'_>) -> String {
    let names = suspect.signature.signed_fields.iter().take(MAX_NAMES);
    let mut absent: Vec<&str> = names.filter(|name| header.named(name).next().is_none()).collect();
    absent.dedup();
    absent.truncate(6);
    match absent.as_slice() {
        [] => String::new(),
        names => {
            let names: Vec<_> = names.iter().map(|name| excerpt(name.as_bytes())).collect();
            format!("; h= names fields that the message has not, and that may have been removed: {}", names.join(", "))
        }
    }
}

/// What somebody can do who wants to know more.
pub(super) fn whom_to_ask(way: &Way) -> String {
    let hosts: Vec<String> = way.hosts().take(4).map(|host| excerpt(host.as_bytes()).into()).collect();
    match hosts.as_slice() {
        [] => "Ask the sender for the message as it was sent, and compare the two.".to_owned(),
        [host] => format!(
            "Ask the administrator of {host}, through which it came, what it changes; compare with a copy of the sender's."
        ),
        several => format!(
            "Ask the administrators of the hosts through which it came ({}) what they change; compare with a copy of the sender's.",
            several.join(", ")
        ),
    }
}
