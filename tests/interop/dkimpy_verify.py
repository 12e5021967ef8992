"""Verifies messages with dkimpy: each line of standard input is a JSON object with "message" (base64), and "arc" where its chain is
meant. The first line is an object of names and their TXT records. Prints a line for each: "pass", or what else it found.
"""

import base64
import json
import sys

import dkim

records = {name.rstrip(".") + ".": text.encode() for name, text in json.loads(sys.stdin.readline()).items()}


def dnsfunc(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    return records.get(name.rstrip(".") + ".")


for line in sys.stdin:
    case = json.loads(line)
    message = base64.b64decode(case["message"])
    try:
        if case["arc"]:
            status, _, reason = dkim.arc_verify(message, dnsfunc=dnsfunc)
            print("pass" if status == dkim.CV_Pass else f"{status} {reason}")
        else:
            print("pass" if dkim.verify(message, dnsfunc=dnsfunc) else "fail")
    except dkim.DKIMException as error:
        print(f"{type(error).__name__} {error}")
