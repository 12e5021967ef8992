//! Links that a filter has made to lead by way of itself, as they were before.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Links that are undone, at most.
const MAX_LINKS: usize = 2000;
/// Octets of one link.
const MAX_OCTETS: usize = 4000;

/// The body with the links as they were; `None` where there is none that can be told.
pub(super) fn restored(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    let mut count = 0;
    while let Some(at) = memchr::memmem::find(rest, b"https://").filter(|_| count < MAX_LINKS) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let is_end = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'"' | b'\'' | b'<' | b'>');
        let end = from.iter().take(MAX_OCTETS).position(is_end).unwrap_or(from.len().min(MAX_OCTETS));
        let (link, after) = from.split_at(end);
        match original(link) {
            Some(link) => {
                out.extend_from_slice(&link);
                count += 1;
            }
            None => out.extend_from_slice(link),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    (count > 0).then_some(out)
}

/// Where a link led before.
fn original(link: &[u8]) -> Option<Vec<u8>> {
    let has = |part: &[u8]| memchr::memmem::find(link, part);
    let parameter = |name: &[u8]| {
        let value = link.get(has(name)? + name.len()..)?;
        Some(value.split(|octet| *octet == b'&').next().unwrap_or_default())
    };
    let host_end = link.get(8..)?.iter().position(|octet| *octet == b'/').map_or(link.len(), |at| at + 8);
    let host = link.get(8..host_end)?.to_ascii_lowercase();
    if host.ends_with(b".safelinks.protection.outlook.com") {
        return percent_decoded(parameter(b"?url=")?);
    }
    if host == b"linkprotect.cudasvc.com" {
        return percent_decoded(parameter(b"?a=").or_else(|| parameter(b"&a="))?);
    }
    if host == b"urldefense.proofpoint.com" {
        let value = parameter(b"?u=")?;
        // Version 2: - for %, _ for /.
        let value: Vec<u8> = value
            .iter()
            .map(|octet| match octet {
                b'-' => b'%',
                b'_' => b'/',
                other => *other,
            })
            .collect();
        return percent_decoded(&value);
    }
    if host == b"urldefense.com" || host == b"urldefense.us" {
        return url_defense_3(link);
    }
    if host == b"secure-web.cisco.com" {
        let last = link.rsplit(|octet| *octet == b'/').next()?;
        return percent_decoded(last).filter(|link| link.starts_with(b"http"));
    }
    if host.ends_with(b".sophos.com") {
        let value = parameter(b"&u=").or_else(|| parameter(b"?u="))?;
        return URL_SAFE_NO_PAD
            .decode(value.strip_suffix(b"==").or_else(|| value.strip_suffix(b"=")).unwrap_or(value))
            .ok();
    }
    None
}

/// `https://urldefense.com/v3/__LINK__;REPLACED!!…$`: each * of the link stands for a character of `REPLACED`.
fn url_defense_3(link: &[u8]) -> Option<Vec<u8>> {
    let start = memchr::memmem::find(link, b"/v3/__")? + 6;
    let end = memchr::memmem::rfind(link, b"__;").filter(|end| *end >= start)?;
    let inner = link.get(start..end)?;
    let coded = link.get(end + 3..)?.split(|octet| *octet == b'!').next()?;
    let characters =
        URL_SAFE_NO_PAD.decode(coded.strip_suffix(b"==").or_else(|| coded.strip_suffix(b"=")).unwrap_or(coded)).ok()?;
    let mut characters = characters.into_iter();
    let mut out = Vec::with_capacity(inner.len());
    for octet in inner {
        out.push(if *octet == b'*' { characters.next().unwrap_or(b'*') } else { *octet });
    }
    Some(out)
}

fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if *octet != b'%' {
            out.push(*octet);
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        out.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_where_they_led() {
        for (link, was) in [
            (
                "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.com%2Fa%3Fb%3D1&data=05&reserved=0",
                "https://example.com/a?b=1",
            ),
            ("https://urldefense.proofpoint.com/v2/url?u=http-3A__example.com_a&d=Dw", "http://example.com/a"),
            ("https://urldefense.com/v3/__https://example.com/a*b__;Iw!!x$", "https://example.com/a#b"),
            ("https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fexample.com&c=E,1", "https://example.com"),
            ("https://secure-web.cisco.com/1abc/https%3A%2F%2Fexample.com%2F", "https://example.com/"),
        ] {
            let body = format!("see <a href=\"{link}\">here</a> or {link}\r\n");
            let restored = restored(body.as_bytes()).unwrap_or_else(|| panic!("{link}"));
            assert_eq!(String::from_utf8(restored).unwrap(), body.replace(link, was));
        }
        assert_eq!(restored(b"https://example.com/ https://"), None);
    }
}
