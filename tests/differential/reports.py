"""The rows of reports, read by the libraries of Python and by expressions over the text: nothing here knows a schema.

    python reports.py FOLDER     prints {"FILE": {"kind": "aggregate|failure|tls", "rows": ["...", ...]}, ...}
"""

import email
import email.policy
import html
import io
import ipaddress
import json
import pathlib
import re
import sys
import zipfile
import zlib


def unpacked(octets):
    """The content of gzip and zip, and of the attachments of a mail that are packed."""
    if octets[:2] == b"\x1f\x8b":
        # As far as it goes: junk may stand behind.
        return unpacked(zlib.decompressobj(31).decompress(octets))
    if octets[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            return unpacked(archive.read(archive.namelist()[0]))
    return octets


def attachments(mail):
    for part in mail.walk():
        if not part.is_multipart():
            octets = part.get_payload(decode=True) or b""
            if octets[:2] in (b"\x1f\x8b", b"PK"):
                yield unpacked(octets)


def texts(name, text):
    pattern = rf"<(?:\w+:)?{name}(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?{name}\s*>)"
    return [found.group(1) or "" for found in re.finditer(pattern, text, re.S)]


def one(name, text):
    return html.unescape((texts(name, text) or [""])[0].strip())


def aggregate(text):
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    for record in texts("record", text):
        row, rest = texts("row", record)[0], texts("auth_results", record)[0]
        evaluated = texts("policy_evaluated", row)[0]
        address = ipaddress.ip_address(one("source_ip", row))
        words = [one(name, evaluated) for name in ("disposition", "dkim", "spf")]
        results = [len(texts(name, rest)) for name in ("dkim", "spf")]
        yield " ".join(map(str, [address, one("count", row), *words, one("header_from", record), *results]))


def tls(report):
    for policy in report["policies"]:
        summary = policy["summary"]
        counts = summary["total-successful-session-count"], summary["total-failure-session-count"]
        details = len(policy.get("failure-details", []))
        yield " ".join(map(str, [policy["policy"]["policy-domain"], *counts, details]))


def failure(octets):
    text = octets.decode("utf-8", "replace")
    address = re.search(r"^(?:Source-IP|\s*Sender IP Address):\s*(\S+)", text, re.M | re.I).group(1)
    domain = re.search(r"^(?:Reported-Domain|\s*Sender Domain):\s*(\S+)", text, re.M | re.I).group(1)
    yield f"{address} {domain}"


def read(octets):
    content = unpacked(octets)
    if content.lstrip()[:1] not in (b"<", b"{"):
        mail = email.message_from_bytes(re.sub(rb"^From .*\r?\n", b"", content), policy=email.policy.compat32)
        packed = list(attachments(mail))
        if not packed:
            return {"kind": "failure", "rows": list(failure(content))}
        content = packed[0]
    if content.lstrip()[:1] == b"{":
        return {"kind": "tls", "rows": list(tls(json.loads(content)))}
    return {"kind": "aggregate", "rows": list(aggregate(content.decode("utf-8")))}


def main(folder):
    files = sorted(path for path in pathlib.Path(folder).iterdir() if path.name != "README.md")
    print(json.dumps({path.name: read(path.read_bytes()) for path in files}, indent=1))


main(sys.argv[1])
