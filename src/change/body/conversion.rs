//! Parts that came in another Content-Transfer-Encoding than they were signed in.

use crate::mime::{
    BASE64_WIDTHS, Encoding, Part, QP_STYLES, Structure, base64_decoded, base64_encoded, base64_width, field_range,
    qp_decoded, qp_encoded,
};
use std::ops::Range;

/// Parts that are converted, one by one.
const MAX_PARTS: usize = 12;

/// Octets of a part that is tried in the usual forms alone, so that these take no more memory than a few bodies do.
const LARGE: usize = 200_000;

/// A part of a body as it may have been.
pub(super) struct Converted {
    /// What is replaced: from the header of the part to its end.
    pub(super) range: Range<usize>,
    pub(super) text: Vec<u8>,
    /// The encoding it had.
    pub(super) former: &'static str,
}

/// The octets of a part, decoded.
pub(super) fn decoded(content: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Plain => Some(content.to_vec()),
        Encoding::QuotedPrintable => Some(qp_decoded(content)),
        Encoding::Base64 => base64_decoded(content),
    }
}

/// The name of an encoding, as it stands in a field.
pub(super) fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Plain => "7bit or 8bit",
        Encoding::QuotedPrintable => "quoted-printable",
        Encoding::Base64 => "base64",
    }
}

/// Each way in which each part may have been written, one part after the other; then all of them at once.
pub(super) fn each(body: &[u8], structure: &Structure) -> impl Iterator<Item = Vec<Converted>> {
    let leaves: Vec<Part> = structure.leaves().take(MAX_PARTS).cloned().collect();
    let all = together(body, &leaves);
    let single = leaves.into_iter().flat_map(move |part| {
        let content = body.get(part.content.clone()).unwrap_or_default();
        let octets = decoded(content, part.encoding);
        octets
            .into_iter()
            .flat_map(move |octets| of_part(body, &part, &octets, true).into_iter().map(|one| vec![one]))
            .collect::<Vec<_>>()
    });
    single.chain(all)
}

/// A part with these octets, in every encoding; with `is_new` none that is the present one.
pub(super) fn of_part(body: &[u8], part: &Part, octets: &[u8], is_new: bool) -> Vec<Converted> {
    let content = body.get(part.content.clone()).unwrap_or_default();
    let header = body.get(part.header.clone()).unwrap_or_default();
    let is_whole = part.header.is_empty();
    // What stands behind base64 is not part of its octets.
    let behind: &[u8] = if content.ends_with(b"\r\n") { b"\r\n" } else { b"" };
    let mut forms: Vec<(Encoding, Vec<u8>)> = Vec::new();
    let width = base64_width(content);
    let widths = [width].into_iter().filter(|_| part.encoding == Encoding::Base64).chain(BASE64_WIDTHS);
    let base64 = widths.map(|width| (Encoding::Base64, [&base64_encoded(octets, width), behind].concat()));
    let quoted = QP_STYLES.into_iter().map(|style| (Encoding::QuotedPrintable, qp_encoded(octets, style)));
    let plain = (Encoding::Plain, octets.to_vec());
    let is_large = octets.len() > LARGE;
    // First as it is most likely to have been, or is.
    match part.encoding {
        _ if is_large => forms.extend([plain].into_iter().chain(base64.take(1)).chain(quoted.take(1))),
        Encoding::Base64 if !is_new => forms.extend(base64.chain([plain]).chain(quoted)),
        Encoding::QuotedPrintable if !is_new => forms.extend(quoted.chain([plain]).chain(base64)),
        _ => forms.extend([plain].into_iter().chain(quoted).chain(base64.take(2))),
    }
    let mut all = Vec::new();
    for (encoding, text) in forms {
        if is_new && text == content && (encoding == part.encoding || is_whole) {
            continue;
        }
        let mut tails = vec![text.clone()];
        if !is_whole && encoding != part.encoding {
            tails.extend(text.strip_suffix(b"\r\n").map(<[u8]>::to_vec));
            tails.push([&text, &b"\r\n"[..]].concat());
        }
        let most = if is_large { 1 } else { usize::MAX };
        for header in headers(header, part.encoding, encoding).into_iter().take(most) {
            for text in tails.iter().take(most) {
                let text = [&header, body.get(part.header.end..part.content.start).unwrap_or_default(), text].concat();
                all.push(Converted { range: part.header.start..part.content.end, text, former: name(encoding) });
            }
        }
    }
    all
}

/// The header of a part as it was in another encoding.
fn headers(header: &[u8], present: Encoding, former: Encoding) -> Vec<Vec<u8>> {
    if header.is_empty() || present == former {
        return vec![header.to_vec()];
    }
    let values: &[&str] = match former {
        Encoding::Plain => &["8bit", "7bit", "8BIT", "7BIT"],
        Encoding::QuotedPrintable => &["quoted-printable"],
        Encoding::Base64 => &["base64"],
    };
    let name = b"content-transfer-encoding";
    let line = |value: &str| format!("Content-Transfer-Encoding: {value}\r\n").into_bytes();
    match field_range(header, name) {
        Some(range) => {
            let (before, after) =
                (header.get(..range.start).unwrap_or_default(), header.get(range.end..).unwrap_or_default());
            let own = header.get(range.start..range.start + name.len()).unwrap_or_default();
            let mut all: Vec<Vec<u8>> =
                values.iter().map(|value| [before, own, b": ", value.as_bytes(), b"\r\n", after].concat()).collect();
            if former == Encoding::Plain {
                all.push([before, after].concat());
            }
            all
        }
        None => values.iter().map(|value| [header, &line(value)].concat()).collect(),
    }
}

/// All parts of one encoding, as they were in another one.
fn together(body: &[u8], leaves: &[Part]) -> Vec<Vec<Converted>> {
    let mut all = Vec::new();
    for present in [Encoding::QuotedPrintable, Encoding::Base64, Encoding::Plain] {
        let own: Vec<&Part> = leaves.iter().filter(|part| part.encoding == present && part.is_text).collect();
        if own.len() < 2 || own.iter().map(|part| part.content.len()).sum::<usize>() > LARGE {
            continue;
        }
        let forms = |part: &Part| {
            let octets = decoded(body.get(part.content.clone()).unwrap_or_default(), present).unwrap_or_default();
            of_part(body, part, &octets, true)
        };
        let of_each: Vec<Vec<Converted>> = own.iter().map(|part| forms(part)).collect();
        // The forms of each part come in the same order where their headers are alike.
        let most = of_each.iter().map(Vec::len).min().unwrap_or(0).min(24);
        let mut columns: Vec<Vec<Converted>> = (0..most).map(|_| Vec::new()).collect();
        for forms in of_each {
            columns.iter_mut().zip(forms).for_each(|(column, form)| column.push(form));
        }
        all.extend(columns);
    }
    all
}

/// The body with these parts in place of the present ones.
pub(super) fn put_in(body: &[u8], converted: &[Converted]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    for one in converted {
        out.extend_from_slice(body.get(at..one.range.start).unwrap_or_default());
        out.extend_from_slice(&one.text);
        at = one.range.end;
    }
    out.extend_from_slice(body.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_tried_in_every_encoding() {
        let body = b"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n--b--\r\n";
        let structure = Structure::of(b"multipart/mixed; boundary=b", b"", body);
        let all: Vec<String> =
            each(body, &structure).map(|converted| String::from_utf8(put_in(body, &converted)).unwrap()).collect();
        let wanted =
            "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u{fc}\u{df}e\r\n--b--\r\n";
        assert!(all.iter().any(|body| body == wanted), "{all:#?}");
        assert!(all.iter().any(|body| body == "--b\r\nContent-Type: text/plain\r\n\r\nGr\u{fc}\u{df}e\r\n--b--\r\n"));
        assert!(all.iter().any(|body| body.contains("base64\r\n\r\nR3LDvMOfZQ==\r\n--b--")));
    }
}
