"""Headers: signed messages of one author whose header is changed, as we read them and as Python's email does.

What passes here must be read there in the same way: by `policy.default` and by `compat32`, the same author domain, and the same body, which
is the one that was signed."""

import base64
import email
import email.message
import email.policy
import email.utils
import hashlib

import dkim_cases

from dkim_cases import Theirs

AUTHOR = b"example.com"
IP = "192.0.2.1"
FIELDS = [b"Received: from a by b;\r\n Mon, 1 Jan 2024 00:00:00 +0000\r\n", b"To: you@example.net,\r\n them@example.net\r\n",
          b"Subject: a  folded\r\n\tsubject \r\n", b"X-Empty:\r\n", b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n", b"Message-ID: <1@example.com>\r\n",
          b"X-Raw: J\xc3\xb6rg \xe4 \xe2\x80\xa6\r\n"]
FROM = [b"From: Joe <joe@example.com>\r\n", b"From: joe@example.com\r\n", b"from:\r\n \"Joe, J.\" <joe@example.com>\r\n"]
BODIES = [b"Hi.\r\n", b"X-Not-A: field\r\n\r\nFrom: a@example.org\r\n\r\nbody\r\n", b"\r\n\r\nFrom a@b\r\nlate \r\n", b""]

# Octets that are put in anywhere, or in place of another one.
OCTETS = [bytes([octet]) for octet in range(256)] + [b"\r\n", b"\r\r", b"\n\n", b"\r\n\r\n", b"\r\n ", b"\r\n \r\n", b"\xc2\x85", b"\xe2\x80\xa8",
                                                     b"\xe2\x80\xa9", b"\xef\xbb\xbf", b" :", b"\t:", b"\r\n:"]
# What is put in where a line begins.
LINES = [b"junk\r\n", b"Dear customer, pay: at once\r\n", b"\r\n", b"\n", b"\r\r\n", b" \r\n", b"\t \r\n", b": x\r\n", b"X : y\r\n", b"From : a@example.org\r\n",
         b"From a@b Thu Jan  1 00:00:00 1970\r\n", b">From a@b Thu Jan  1 00:00:00 1970\r\n", b"Fr\xe4ge: x\r\n", b"X\x00: y\r\n", b"\xef\xbb\xbfX: y\r\n",
         b"X: a\rFrom: ceo@example.org\r\n", b"X: a\nFrom: ceo@example.org\r\n", b"X: a\x0bFrom: ceo@example.org\r\n", b"X: a\x0cFrom: ceo@example.org\r\n",
         b"X: a\x1cFrom: ceo@example.org\r\n", b"X: a\xc2\x85From: ceo@example.org\r\n", b"X: a\xe2\x80\xa8From: ceo@example.org\r\n",
         b"X: a\x00From: ceo@example.org\r\n", b"X: a\r\r\nFrom: ceo@example.org\r\n", b"X: a\r\n\nFrom: ceo@example.org\r\n", b"From: ceo@example.org\r\n",
         b"From:\r\n", b"X: y\r\n", b"X: y\r\n z\r\n", b"Subject: another\r\n", b"X:\r\n \r\n y\r\n", b"Content-Type: text/plain\r\n", b"X: J\xf6rg\r\n"]


class Case:
    def __init__(self, number, message, change, spf):
        self.id, self.message, self.change, self.spf = f"h{number}", message, change, spf

    def request(self):
        request = {"id": self.id, "message_base64": base64.b64encode(self.message).decode()}
        return request | ({"ip": IP, "mail_from": "joe@example.com"} if self.spf else {})

    def read(self, answer):
        """What passes, and what is said of it: whether the body is proven, and the author domain where that is."""
        self.reason = str(answer)
        signed = any(report["result"] == "pass" for report in answer.get("dkim") or [])
        author = answer["dmarc"]["from_domain"] if (answer.get("dmarc") or {}).get("result") == "pass" else None
        self.claims = (signed, author)
        # Of such a field we say what all readers of it find, if they find anything.
        said = [finding["says"] for finding in answer.get("findings") or []]
        self.malformed_from = any(says.startswith("the From field is malformed") for says in said)
        return "passes" if signed or author else "no pass"

    def theirs(self):
        """The same word where Python reads a passing message in the same way; where nothing passes, nothing is claimed."""
        signed, author = self.claims
        if not signed and author is None:
            return Theirs("no pass", "")
        differences = [difference for policy in (email.policy.default, email.policy.compat32) for difference in self.differences(policy, signed, author)]
        return Theirs("read otherwise" if differences else "passes", "; ".join(differences))

    def differences(self, policy, signed, author):
        message = email.message_from_bytes(self.message, policy=policy)
        name = "compat32" if policy is email.policy.compat32 else "default"
        if signed:
            payload = message.get_payload()
            body = payload.encode("ascii", "surrogateescape") if isinstance(payload, str) else b"several parts"
            if canonical(body) != canonical(self.body):
                yield f"{name}: body {body!r}"
        if author is not None:
            domains = [domain for value in message.get_all("From", []) for domain in author_domains(value)]
            if set(domains) != {author} and not (self.malformed_from and not domains):
                yield f"{name}: From {domains}"

    def __str__(self):
        return f"    {self.change}; ours: {self.reason}\n    {self.message!r}"


def author_domains(value):
    """Of the addresses that have a domain: words alone are nobody's."""
    if hasattr(value, "addresses"):
        domains = [address.domain for address in value.addresses]
    else:
        domains = [address.rpartition("@")[2] for _, address in email.utils.getaddresses([str(value)]) if "@" in address]
    # Brackets and apostrophes belong to no domain, though Python leaves those there that stand alone.
    return [domain.lower().strip("<>'") for domain in domains if domain]


def canonical(body):
    """RFC 6376 3.4.3."""
    return body.rstrip(b"\r\n") + b"\r\n"


def sign(random, keys):
    key = random.choice(keys)
    fields = [field for field in FIELDS if random.random() < 0.6]
    fields.insert(random.randrange(len(fields) + 1), random.choice(FROM))
    body = random.choice(BODIES)
    message = b"".join(fields) + b"\r\n" + body
    canonicalize = (random.choice([b"relaxed", b"relaxed", b"simple"]), b"simple")
    signature = dkim_cases.dkim.sign(message, key.selector.encode(), AUTHOR, key.private, canonicalize=canonicalize,
                                     include_headers=[b"from", b"to", b"subject"], signature_algorithm=key.algorithm)
    return signature + b"".join(fields), body


def change(random, header):
    """The header with something put in, taken out or replaced, and what that was."""
    starts = [0] + [at + 1 for at, octet in enumerate(header) if octet == 10]
    kind = random.randrange(5)
    if kind == 0:
        at, line = random.choice(starts), random.choice(LINES)
        return header[:at] + line + header[at:], f"{line!r} at {at}"
    at, octets = random.randrange(len(header) + 1), random.choice(OCTETS)
    if kind == 1:
        # Before the colon of a field, or where one begins or ends.
        places = [place for place, octet in enumerate(header) if octet in b":\r\n"] + starts
        at = random.choice(places)
    if kind == 4:
        return header[:at] + header[at + 1:], f"octet {at} taken out"
    if kind == 3:
        return header[:at] + octets + header[at + 1:], f"{octets!r} in place of octet {at}"
    return header[:at] + octets + header[at:], f"{octets!r} at {at}"


def make(random, count):
    keys = [dkim_cases.Key.rsa("rsa1024"), dkim_cases.Key.ed25519()]
    zone = [b"example.com. 60 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc.example.com. 60 IN TXT \"v=DMARC1; p=reject\"\n"]
    for key in keys:
        text = key.record
        strings = b" ".join(b'"' + text[at:at + 200].replace(b";", b"\\;") + b'"' for at in range(0, len(text), 200))
        zone.append(key.selector.encode() + b"._domainkey.example.com. 60 IN TXT ( " + strings + b" )\n")
    cases = []
    signed = [sign(random, keys) for _ in range(max(1, count // 50))]
    for number in range(count):
        header, body = random.choice(signed)
        changes = []
        for _ in range(random.choice([0, 1, 1, 1, 1, 1, 1, 2, 3])):
            header, what = change(random, header)
            changes.append(what)
        case = Case(number, header + b"\r\n" + body, "; ".join(changes) or "nothing", random.random() < 0.3)
        case.body = body
        cases.append(case)
    return cases, b"".join(zone)


# No difference is known: what passes here is read in the same way there.
KNOWN = []
