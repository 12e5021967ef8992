"""Writes messages signed by dkimpy, one JSON object a line, made from a seed: dkimpy_sign.py SEED COUNT KEY_DIRECTORY.

Each object has "message" (base64), "c", "a", "key" (a file of KEY_DIRECTORY without .pem; also the selector). The domain is
example.com. Messages go through all canonicalizations, algorithms and keys in turn; what they hold is drawn from pieces that
canonicalization cares for.
"""

import base64
import json
import random
import re
import sys

import dkim

seed, count, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
draw = random.Random(seed)

KEYS = [
    ("rsa-sha256", "rsa1024"),
    ("ed25519-sha256", "ed25519"),
    ("rsa-sha256", "rsa2048"),
    ("rsa-sha1", "rsa2048-other"),
    ("rsa-sha256", "rsa4096"),
]
CANONICALIZATIONS = [(h, b) for h in ("simple", "relaxed") for b in ("simple", "relaxed")]

WORDS = [b"a", b"word", b"Hi.", b"=3D", b"\xc3\xbc", b"\xe4\xff", b"; b=x", b"From:", b".", b"0123456789" * 7]
SPACES = [b" ", b"  ", b"\t", b" \t "]
BODY_PIECES = WORDS + SPACES + [b"\r\n"] * 6 + [b"\r\n\r\n", b" \r\n", b"\t\r\n", b"\r\n \r\n", b"\r", b"\0"]
HEADER_PIECES = WORDS + SPACES + [b"\r\n ", b"\r\n\t"]
NAMES = [b"Subject", b"To", b"Cc", b"X-Trace", b"X-Trace", b"Date", b"Message-ID", b"X-Odd_name", b"MIME-Version", b"List-Id"]


def value():
    pieces = [draw.choice(HEADER_PIECES) for _ in range(draw.randrange(8))]
    text = b" " + b"".join(pieces)
    # A line of white space alone within a field is obsolete syntax, and a field that ends with one is not made either.
    text = re.sub(rb"(\r\n[ \t]+)+(?=\r\n|$)", b"", text)
    return text


def header():
    fields = [(draw.choice([b"From", b"from", b"FROM"]), b" Joe <joe@example.com>")]
    fields += [(draw.choice(NAMES), value()) for _ in range(draw.randrange(6))]
    draw.shuffle(fields)
    return fields


def body():
    style = draw.randrange(8)
    if style == 0:
        return draw.choice([b"", b"\r\n", b"\r\n\r\n\r\n", b" \r\n", b"\r\n \t\r\n\r\n", b"a", b"a\r\n \r\n"])
    text = b"".join(draw.choice(BODY_PIECES) for _ in range(draw.randrange(60)))
    if style == 1:
        # No line end at the end. dkimpy keeps white space there in "relaxed", which RFC 6376 section 3.4.4 a forbids.
        return text.rstrip(b" \t\r\n\0") + b"x"
    return text + b"\r\n"


def private_key(name):
    with open(f"{directory}/{name}.pem", "rb") as file:
        pem = file.read()
    if b"RSA" in pem:
        return pem
    lines = [line for line in pem.splitlines() if not line.startswith(b"-")]
    return base64.b64encode(base64.b64decode(b"".join(lines))[-32:])


for number in range(count):
    algorithm, key = KEYS[number % len(KEYS)]
    canonicalization = CANONICALIZATIONS[number // len(KEYS) % len(CANONICALIZATIONS)]
    fields = header()
    message = b"".join(name + b":" + text + b"\r\n" for name, text in fields) + b"\r\n" + body()
    names = [name for name, _ in fields]
    draw.shuffle(names)
    if draw.randrange(3) == 0:
        names += [b"from", b"subject", b"x-not-there"]
    signature = dkim.sign(
        message,
        key.encode(),
        b"example.com",
        private_key(key),
        identity=draw.choice([None, b"joe@example.com", b"@sub.example.com"]),
        canonicalize=tuple(part.encode() for part in canonicalization),
        signature_algorithm=algorithm.encode(),
        include_headers=names,
        length=draw.randrange(4) == 0,
    )
    print(
        json.dumps(
            {
                "message": base64.b64encode(signature + message).decode(),
                "c": "/".join(canonicalization),
                "a": algorithm,
                "key": key,
            }
        )
    )
