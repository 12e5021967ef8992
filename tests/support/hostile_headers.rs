//! Headers that make much of little.

/// Messages of `len` octets at most, and hardly less, with the names of what fills them.
pub fn shapes(len: usize) -> Vec<(&'static str, Vec<u8>)> {
    const SOUND: &str = "DKIM-Signature:v=1;a=rsa-sha256;d=a.b;s=s;h=from;bh=AAAA;b=BBBB\r\n";
    const SIGNED: &str = "DKIM-Signature:v=1;a=rsa-sha256;d=a.b;s=s;bh=AAAA;b=BBBB;h=from";
    const COPIED: &str = "DKIM-Signature:v=1;a=rsa-sha256;d=a.b;s=s;bh=AAAA;b=BBBB;h=from;z=a:b";
    const FROM: &str = "From: a@example.com\r\n";
    let shape = |name, (start, repeated, end): (&str, &str, &str)| {
        let times = (len - FROM.len() - start.len() - end.len() - 2) / repeated.len();
        (name, [FROM, start, &repeated.repeat(times), end, "\r\n"].concat().into_bytes())
    };
    vec![
        shape("fields", ("", "a:\r\n", "")),
        shape("From fields", ("", "From:a@b\r\n", "")),
        shape("authors", ("From:", "a@b,", "a@b\r\n")),
        shape("empty signatures", ("", "DKIM-Signature:\r\n", "")),
        shape("signatures that are no lists", ("", "DKIM-Signature:\u{1}\r\n", "")),
        shape("signatures of one tag", ("", "DKIM-Signature:d=a\r\n", "")),
        shape("signatures with a tag twice", ("", "DKIM-Signature:d=a;d=\r\n", "")),
        shape("signatures without a key", ("", SOUND, "")),
        shape("tags", ("DKIM-Signature:", "a=;", "\r\n")),
        shape("signed fields", (SIGNED, ":a", "\r\n")),
        shape("copied fields", (COPIED, "|a:b", "\r\n")),
        shape("seals", ("", "ARC-Seal:i=1\r\n", "")),
        shape("signatures under a malformed header", ("junk\r\n", SOUND, "")),
        shape("lines that are no fields", ("", "a\r\n", "")),
        shape("signatures behind bare CRs", ("X: ", "\rDKIM-Signature:", "\r\n")),
        shape("From fields behind bare CRs", ("X: ", "\rFrom:a@b", "\r\n")),
        shape("From fields without a domain behind bare CRs", ("X: ", "\rFrom:", "\r\n")),
        shape("body lines", ("\r\n", "\n", "")),
    ]
}
