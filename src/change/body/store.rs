//! Traces of mail stores that compose messages anew: what they give out is never octet for octet what came in.

use crate::{
    dkim::{Change, ChangeKind, ChangePart},
    message::{Header, Message},
    mime::base64_decoded,
};

/// What tells of a store, unproven.
pub(in crate::change) fn store_rewrote(message: &Message<'_>) -> Option<Change> {
    let header = message.header();
    let rests = trace(header, message.body())?;
    let says = format!(
        "a mail store has probably composed the message anew, as Exchange and Outlook do; this rests on {rests} alone"
    );
    let advice = "Take an unaltered copy: from the border host before the store, by a journal rule, or \"Show original\" or \
                  \"Download message\" where the mailbox offers it; files that Outlook saves are never unaltered.";
    Some(Change {
        kind: ChangeKind::StoreRewrote,
        part: ChangePart::Body,
        is_proven: false,
        field: None,
        says: says.into(),
        advice: Some(advice.into()),
        undo: None,
    })
}

/// On what it rests.
fn trace(header: &Header<'_>, body: &[u8]) -> Option<&'static str> {
    let has = |name: &str| header.named(name).next().is_some();
    let value_has = |name: &str, part: &[u8]| {
        header.named(name).any(|field| memchr::memmem::find(&field.value().to_ascii_lowercase(), part).is_some())
    };
    // Exchange names its own boundaries so, and a message that came from elsewhere has its sender's.
    let boundary = value_has("Content-Type", b"boundary=\"_0") && value_has("Content-Type", b"_\"");
    if has("X-MS-TNEF-Correlator") || has("X-MS-Has-Attach") {
        return Some("fields that Exchange writes when it gives a message out of its store (X-MS-Has-Attach)");
    }
    if boundary
        && (has("X-MS-Exchange-Organization-AuthAs")
            || value_has("X-MS-Exchange-CrossTenant-fromentityheader", b"internet"))
    {
        return Some("a boundary of the form of Exchange's in a message that Exchange got from the Internet");
    }
    let has_meta = |text: &[u8]| {
        let start = text.get(..20_000).unwrap_or(text).to_ascii_lowercase();
        memchr::memmem::find(&start, b"<meta http-equiv=\"content-type\" content=\"text/html; charset=").is_some()
    };
    let is_base64 = value_has("Content-Transfer-Encoding", b"base64");
    let decoded = is_base64.then(|| base64_decoded(body.get(..40_000).unwrap_or(body).trim_ascii())).flatten();
    let is_through_exchange = header
        .fields()
        .iter()
        .any(|field| field.name().get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"x-ms-")))
        || value_has("Authentication-Results", b"compauth=");
    if is_through_exchange && decoded.is_some_and(|text| has_meta(&text)) {
        return Some(
            "the <meta http-equiv=\"Content-Type\"> line that Exchange puts into HTML, in a body that Exchange has encoded",
        );
    }
    None
}
