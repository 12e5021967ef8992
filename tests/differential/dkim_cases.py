"""DKIM: messages signed by dkimpy and then changed, or not; dkimpy's results, and the differences that are known."""

import base64
import collections
import hashlib
import pathlib
import re

import dkim
import dkim.crypto
import nacl.signing

Theirs = collections.namedtuple("Theirs", "result words")

# The time of every evaluation; signatures expire long before or long after both this and the clock, which dkimpy reads.
NOW = 1_800_000_000
KEYS = pathlib.Path(__file__).resolve().parent.parent / "data" / "keys"
FIELDS = [b"From: Joe <joe@example.com>\r\n", b"To: you@example.net,\r\n them@example.net\r\n", b"Subject: a  folded\r\n\tsubject \r\n",
          b"X-Empty:\r\n", b"Received: one\r\n", b"Received: two\r\n", b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n",
          b"Message-ID:<1@example.com>\r\n", b"x-case: MiXed\r\n", b"Reply-To: \r\n  x@example.com\r\n"]
TOKENS = [b" ", b" ", b"\t", b"\r\n", b"\r\n", b"word", b"word", b".", b"\xc3\xa9", b"  ", b"\r\n\r\n", b" \r\n", b"=20"]


def der(tag, content):
    length = len(content)
    octets = b"" if length < 128 else length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, length if length < 128 else 128 | len(octets)]) + octets + content


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


class Key:
    """A key pair: what dkimpy signs with, and the record that verifies it."""

    def __init__(self, selector, algorithm, private, record):
        self.selector, self.algorithm, self.private, self.record = selector, algorithm, private, record

    @classmethod
    def rsa(cls, name):
        pem = (KEYS / f"{name}.pem").read_bytes()
        parts = dkim.crypto.parse_pem_private_key(pem)
        public = der(0x30, integer(parts["modulus"]) + integer(parts["publicExponent"]))
        algorithm = der(0x30, bytes.fromhex("06092a864886f70d010101") + b"\x05\x00")
        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(der(0x30, algorithm + der(3, b"\0" + public)))
        return cls(name, b"rsa-sha256", pem, record)

    @classmethod
    def ed25519(cls):
        seed = hashlib.sha256(b"a key of the tests").digest()
        public = bytes(nacl.signing.SigningKey(seed).verify_key)
        return cls("ed", b"ed25519-sha256", base64.b64encode(seed), b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public))


class Case:
    def __init__(self, number, message, records, change):
        self.id, self.message, self.records, self.change = f"d{number}", message, records, change

    def request(self):
        return {"id": self.id, "message_base64": base64.b64encode(self.message).decode()}

    def read(self, answer):
        reports = answer.get("dkim") or [{"result": "none", "reason": answer.get("error")}]
        self.reason = f"{reports[0]['result']}: {reports[0]['reason']}"
        return "pass" if reports[0]["result"] == "pass" else "no pass"

    def theirs(self):
        try:
            verifier = dkim.DKIM(self.message, minkey=1024)
            passed = verifier.verify(idx=0, dnsfunc=lambda name, timeout=5: self.records.get(name.rstrip(b".")))
            return Theirs("pass" if passed else "no pass", "")
        except Exception as error:  # its own and, for some octets, Python's
            return Theirs("no pass", repr(error))

    def __str__(self):
        return f"    {self.change}; ours: {self.reason}\n    {self.message!r}"


def sign(random, keys):
    key = random.choice(keys)
    fields = [field for field in FIELDS[1:] if random.random() < 0.6]
    fields.insert(random.randrange(len(fields) + 1), FIELDS[0])
    body = b"".join(random.choice(TOKENS) for _ in range(random.choice([0, 1, 3, 10, 40])))
    message = b"".join(fields) + b"\r\n" + body
    names = [field.split(b":")[0].strip() for field in fields]
    included = sorted({name.lower() for name in names if name != b"Received" and random.random() < 0.7} | {b"from"})
    if random.random() < 0.4:
        included += [random.choice([b"from", b"subject", b"x-case", b"x-none"])]
    canonicalize = (random.choice([b"simple", b"relaxed"]), random.choice([b"simple", b"relaxed"]))
    signature = dkim.sign(message, key.selector.encode(), b"example.com", key.private, canonicalize=canonicalize,
                          include_headers=included, signature_algorithm=key.algorithm)
    return signature, message


def in_header(change):
    def changed(random, signature, message):
        header, body = message.split(b"\r\n\r\n", 1) if b"\r\n\r\n" in message else (message, b"")
        return signature, change(random, header + b"\r\n") + b"\r\n" + body
    return changed


def in_body(change):
    def changed(random, signature, message):
        at = message.index(b"\r\n\r\n") + 4
        return signature, message[:at] + change(random, message[at:])
    return changed


def in_signature(change):
    return lambda random, signature, message: (change(random, signature), message)


def insert(random, text, octets):
    at = random.randrange(len(text) + 1)
    # A CRLF is not cut in two: what bare line ends are is judged differently everywhere.
    if text[at - 1:at] == b"\r":
        at += 1
    return text[:at] + octets + text[at:]


def replace_one(old, new):
    def change(random, text):
        places = [match.start() for match in re.finditer(re.escape(old), text)]
        if not places:
            return text
        at = random.choice(places)
        return text[:at] + new + text[at + len(old):]
    return change


def tag(name, value):
    """Puts another value in place of a tag's."""
    return lambda random, text: re.sub(rb"([\s;:])" + name + rb"=[^;]*", rb"\1" + name + b"=" + value, text, count=1)


def with_tag(text):
    return lambda random, signature: re.sub(rb"^(DKIM-Signature:)", rb"\1 " + text + b";", signature, count=1)


CHANGES = {
    "nothing": lambda random, signature, message: (signature, message),
    "white space in the body": in_body(lambda random, body: insert(random, body, random.choice([b" ", b"\t", b"  "]))),
    "a letter in the body": in_body(lambda random, body: insert(random, body, b"x")),
    "a line end in the body": in_body(lambda random, body: insert(random, body, b"\r\n")),
    "line ends at the end": in_body(lambda random, body: body + random.choice([b"\r\n", b"\r\n\r\n", b" \r\n", b"\t", b"\r\n \r\n"])),
    "no line end at the end": in_body(lambda random, body: body.rstrip(b"\r\n")),
    "white space gone": in_body(replace_one(b"  ", b" ")),
    "no body": in_body(lambda random, body: b""),
    "white space in the header": in_header(lambda random, header: replace_one(b" ", random.choice([b"  ", b"\t", b""]))(random, header)),
    "a fold in the header": in_header(replace_one(b" ", b"\r\n ")),
    "unfolded": in_header(lambda random, header: re.sub(rb"\r\n([ \t])", rb"\1", header, count=1)),
    "a letter in the header": in_header(lambda random, header: replace_one(b"e", random.choice([b"E", b"ee"]))(random, header)),
    "a field on top": in_header(lambda random, header: random.choice(FIELDS) + header),
    "a field below": in_header(lambda random, header: header + random.choice(FIELDS)),
    "white space before a colon": in_header(lambda random, header: re.sub(rb"(?m)^([A-Za-z-]+) ?:", rb"\1 :", header, count=1)),
    "names in upper case": in_header(lambda random, header: re.sub(rb"(?m)^[A-Za-z-]+", lambda m: m[0].upper(), header)),
    "fields in another order": in_header(lambda random, header: b"".join(reversed(re.findall(rb"[^\r\n].*\r\n(?:[ \t].*\r\n)*", header)))),
    "h= in upper case": in_signature(lambda random, text: re.sub(rb"h=[^;]*", lambda m: b"h=" + m[0][2:].upper(), text, count=1)),
    "folds in the signature": in_signature(replace_one(b"; ", b";\r\n\t ")),
    "white space in b=": in_signature(lambda random, text: re.sub(rb"( b=.{9})", rb"\1\r\n  ", text, count=1)),
    "white space around equals": in_signature(lambda random, text: re.sub(rb" (a|s|d|c)=", rb" \1 = ", text, count=1)),
    "a letter of b=": in_signature(lambda random, text: re.sub(rb"( b=.{5}).", rb"\1A", text, count=1)),
    "a semicolon at the end": in_signature(lambda random, text: text.rstrip(b"\r\n") + b";\r\n"),
    "an unknown tag": in_signature(with_tag(b"zz=1")),
    "a tag twice": in_signature(with_tag(b"d=example.com")),
    "v=2": in_signature(tag(b"v", b"2")),
    "another domain": in_signature(tag(b"d", b"example.net")),
    "another selector": in_signature(tag(b"s", b"none")),
    "i= of a subdomain": in_signature(with_tag(b"i=a@x.example.com")),
    "i= of another domain": in_signature(with_tag(b"i=a@example.net")),
    "no from in h=": in_signature(lambda random, text: re.sub(rb"(?<=[:=] )from|(?<=[:=])from", b"x-from", text)),
    "l=": in_signature(with_tag(b"l=0")),
    "expired": in_signature(with_tag(b"x=1000000")),
    "not expired": in_signature(with_tag(b"x=4000000000")),
    "another algorithm": in_signature(tag(b"a", b"rsa-sha512")),
    "another query method": in_signature(with_tag(b"q=http/get")),
    "no version": in_signature(lambda random, text: text.replace(b" v=1;", b"")),
}

RECORDS = {
    "as it is": lambda record: record,
    "without v=": lambda record: record.replace(b"v=DKIM1; ", b""),
    "v= last": lambda record: record.replace(b"v=DKIM1; ", b"") + b"; v=DKIM1",
    "v=DKIM2": lambda record: record.replace(b"DKIM1", b"DKIM2"),
    "revoked": lambda record: re.sub(rb"p=.*", b"p=", record),
    "for other services": lambda record: record + b"; s=tlsrpt",
    "for mail": lambda record: record + b"; s=tlsrpt:email",
    "for all services": lambda record: record + b"; s=*",
    "sha1 alone": lambda record: record + b"; h=sha1",
    "sha1 and sha256": lambda record: record + b"; h=sha1:sha256",
    "testing": lambda record: record + b"; t=y",
    "strict": lambda record: record + b"; t=s",
    "unknown tag": lambda record: record + b"; zz=1; n=a note",
    "white space": lambda record: record.replace(b"; ", b" ;\t ").replace(b"p=", b"p= "),
    "a tag twice": lambda record: record + b"; k=rsa",
    "another key": lambda record: re.sub(rb"p=.*", b"p=AAAA", record),
    "no key": lambda record: re.sub(rb"; p=.*", b"", record),
    "semicolon at the end": lambda record: record + b";",
}


def make(random, count):
    keys = [Key.rsa("rsa1024"), Key.rsa("rsa1024"), Key.rsa("rsa2048"), Key.ed25519()]
    cases, zone = [], []
    for number in range(count):
        change = random.choice(list(CHANGES)) if random.random() < 0.9 else "nothing"
        record = random.choice(list(RECORDS)) if random.random() < 0.15 else "as it is"
        renamed = [Key(f"{key.selector}-{number}", key.algorithm, key.private, key.record) for key in keys]
        signature, message = CHANGES[change](random, *sign(random, renamed))
        records = {f"{key.selector}._domainkey.example.com".encode(): RECORDS[record](key.record) for key in renamed[1:]}
        for name, text in records.items():
            if name.split(b".")[0] in signature:
                strings = b" ".join(b'"' + text[at:at + 200].replace(b";", b"\\;") + b'"' for at in range(0, len(text), 200))
                zone.append(name + b". 60 IN TXT ( " + strings + b" )\n")
        cases.append(Case(number, signature + message, records, f"change: {change}; record: {record}"))
    return cases, b"".join(zone)


def body_canonicalization(case):
    found = re.search(rb"[;\s]c\s*=\s*\w+/(\w+)", case.message)
    return found[1] if found else b"simple"


def ends_in_white_space(case, us, them):
    """dkimpy drops white space before line ends first, and adds the missing line end at the end of the body afterwards."""
    return case.message.endswith((b" ", b"\t")) and body_canonicalization(case) == b"relaxed" and (
        "body" in case.reason or "body hash mismatch" in them.words)


def many_from_fields(case, us, them):
    header = case.message.split(b"\r\n\r\n")[0]
    return us == "pass" and len(re.findall(rb"(?mi)^from *:", header)) > 1


# Differences in which we are right: a name, the section that says so, and when it applies (the case, our result, theirs).
KNOWN = [
    ("white space at the end of a last line without CRLF is dropped", "RFC 6376 3.4.4: ignore all whitespace at the end of lines; then "
     "a CRLF is added", ends_in_white_space),
    ("a second From field that is not signed", "RFC 6376 5.4.2: fields are selected from the bottom up; DMARC refuses the message",
     many_from_fields),
    ("the hash algorithms of a key record", "RFC 6376 6.1.2, step 6: h= must list the algorithm of the signature",
     lambda case, us, them: "record: sha1 alone" in case.change and "does not allow the signature's hash algorithm" in case.reason),
    ("v= behind other tags of a key record", "RFC 6376 3.6.1: v= must be the first tag",
     lambda case, us, them: "record: v= last" in case.change and "v= is not the first tag" in case.reason),
    ("s= with several services", "RFC 6376 3.6.1: a colon-separated list",
     lambda case, us, them: us == "pass" and "record: for mail" in case.change and "UnknownKeyTypeError" in them.words),
]
