#!/usr/bin/env python3
"""Compares mailverdict with pyspf, dkimpy and Python's email: zones, records, sessions and messages are made from a seed, each is
evaluated by both, and every difference that is not listed below, with the section of the RFC that proves us right, fails the run.

    python3 tests/differential/differential.py --command target/debug/mailverdict [--spf 20000] [--dkim 2000] [--headers 20000] [--seed 1]

Needs the packages of requirements.txt, which stands beside this file, and a mailverdict built by `cargo build`.
"""

import argparse
import base64
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import spf_cases
import dkim_cases
import header_cases


def ours(command, zone, requests):
    """The answers of `mailverdict batch`, by id."""
    with tempfile.TemporaryDirectory() as folder:
        zone_file = pathlib.Path(folder, "zone.db")
        zone_file.write_bytes(zone)
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        arguments = [command, "batch", "--zone", str(zone_file), "--at", str(dkim_cases.NOW), "--receiver", "unknown"]
        run = subprocess.run(arguments, input=lines.encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(requests), (len(answers), len(requests))
    return {answer["id"]: answer for answer in answers}


def compare(topic, cases, answers, known, out):
    """Counts agreements and known differences, and gives the unknown ones."""
    agreed = collections.Counter()
    listed = collections.Counter()
    unknown = []
    for case in cases:
        us, them = case.read(answers[case.id]), case.theirs()
        if us == them.result:
            agreed[us] += 1
            continue
        reasons = [name for name, section, applies in known if applies(case, us, them)]
        if reasons:
            listed[reasons[0]] += 1
        else:
            unknown.append((case, us, them))
    total = len(cases)
    print(f"{topic}: {total} compared, {sum(agreed.values())} the same, {sum(listed.values())} known differences, "
          f"{len(unknown)} unknown", file=out)
    print("  the same: " + ", ".join(f"{count} {result}" for result, count in agreed.most_common()), file=out)
    for name, section, _ in known:
        print(f"  {listed[name]:6} {name} ({section})", file=out)
    for case, us, them in unknown[:1000]:
        print(f"  DIFFERENT {case.id}: ours {us}, theirs {them}\n{case}", file=out)
    return total - len(unknown), len(unknown)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default="target/debug/mailverdict")
    parser.add_argument("--spf", type=int, default=2000)
    parser.add_argument("--dkim", type=int, default=200)
    parser.add_argument("--headers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.time()
    passed = failed = 0
    topics = (("SPF, beside pyspf", spf_cases, options.spf), ("DKIM, beside dkimpy", dkim_cases, options.dkim),
              ("headers, beside Python's email", header_cases, options.headers))
    for topic, module, count in topics:
        generator = random.Random(options.seed)
        cases, zone = module.make(generator, count)
        answers = ours(options.command, zone, [case.request() for case in cases])
        good, bad = compare(topic, cases, answers, module.KNOWN, sys.stdout)
        passed, failed = passed + good, failed + bad
    print(f"seed {options.seed}, {time.time() - start:.1f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
