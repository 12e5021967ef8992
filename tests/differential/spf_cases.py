"""SPF: zones and sessions from a seed, pyspf's results, and the differences that are known.

Every case has names and addresses of its own, so that the zones of all cases are one zone.
"""

import collections
import re

import spf

Theirs = collections.namedtuple("Theirs", "result words")

QUALIFIERS = ["", "", "+", "-", "-", "~", "?"]
MACROS = ["%{d}", "%{i}.x.%{d}", "%{ir}.%{v}.%{d}", "%{l}.%{d}", "%{o}", "%{h}", "%{d2}", "%{l1r-}.%{o}", "%{p}", "%{d4r}",
          "%{s}", "%{L}.%{d}", "a%%b.%{d}", "%{o1}", "%{i1r}.%{d}", "%{d9}"]
BROKEN = ["foo", "ip4:1.2.3", "ip4:300.1.1.1", "a/33", "a//129", "mx:", "include", "include:", "all:x", "exists", "-", "ip4", "ip6:::1/200",
          "a:%{z}.example", "a:%d.example", "redirect=", "exp=", "=x", "moo=%{d", "1x=y", "ip4:10.0.0.0/8//8", "ip6:10.0.0.1", "ptr:",
          "a:x.example/", "ptr/24", "exists:x.%{d}/24", "include:%{d}/1", "a:foo", "a:foo:80", "a:x..example", "ip4:10.0.0.01", "a:-x.example.",
          "a:x.example,", "a:x.123", "a:x.example-", "moo=", "moo=cow", "m-o.o_1=%{d}", "redirect=a.%{d} redirect=b.%{d}", "exp=a.%{d} exp=b.%{d}",
          "moo=1 moo=2", "default=pass", "op=x", "ALL", "+IP4:10.1.2.3", "-All", "Redirect=d1.%{d}", "v=spf1", "a/0", "a/00", "a/032", "ip4:0.0.0.0/0",
          "ip6:::/0", "ip6:1::2::3", "ip6:::ffff:10.0.0.1", "a:%{d}.", "a:%{d1}", "%{d}", "a:%{l}", "a:%{d0}", "a:%{d.}", "a:%{d-r2}", "a:%{dr}", "a:%{d2r.-}"]


class Case:
    def __init__(self, number):
        self.id = f"s{number}"
        self.base = f"s{number}.example"
        self.records = collections.defaultdict(list)
        a, b, c = number >> 16 & 255, number >> 8 & 255, number & 255
        self.ip4 = f"10.{a}.{b}.{c}"
        self.near4 = f"10.{a}.{b}.{c ^ 1}"
        self.ip6 = f"2001:db8:{number >> 16 & 0xffff:x}:{number & 0xffff:x}::1"
        self.near6 = f"2001:db8:{number >> 16 & 0xffff:x}:{number & 0xffff:x}::2"

    def add(self, name, kind, value):
        if (kind, value) not in self.records[name]:
            self.records[name].append((kind, value))

    def request(self):
        return {"id": self.id, "ip": self.ip, "helo": self.helo, "mail_from": self.mail_from}

    def read(self, answer):
        report = answer["spf"]["mail_from"]
        self.reason = report["reason"] or ""
        return report["result"]

    def lookup(self, name, kind, *_):
        """What pyspf asks; CNAMEs stand in the answer, as pyspf expects them."""
        name = name.lower().rstrip(".")
        records = self.records.get(name, [])
        cname = [value for found, value in records if found == "CNAME"]
        if cname:
            return [((name, "CNAME"), cname[0])] + self.lookup(cname[0], kind)
        return [((name, kind), (value.encode("latin-1"),) if kind == "TXT" else value) for found, value in records if found == kind]

    def theirs(self):
        spf.DNSLookup = self.lookup
        query = spf.query(i=self.ip, s=self.mail_from, h=self.helo)
        self.query = query
        try:
            result, _, words = query.check()
        except Exception as error:  # pyspf lets some escape
            return Theirs("exception", repr(error))
        return Theirs(result, words)

    def __str__(self):
        zone = "\n".join(f"    {name} {kind} {value}" for name, records in self.records.items() for kind, value in records)
        return f"    ip {self.ip}, helo {self.helo}, mail from {self.mail_from}\n{zone}"

    def text(self):
        """All SPF records of the case, in lower case."""
        return "\n".join(value.lower() for records in self.records.values() for kind, value in records if kind == "TXT")


def term(random, case, depth):
    names = [case.base, f"d1.{case.base}", f"d2.{case.base}", f"d3.{case.base}", f"mail.{case.base}", f"none.{case.base}"]
    name = lambda: random.choice(names) if random.random() < 0.8 else random.choice(MACROS)
    deeper = lambda: random.choice(names[1:4]) if random.random() < 0.9 else name()
    prefix = random.choice(["", "", "", "/31", "/24//64", "//127", "/32"])
    near4, near6 = random.choice([case.ip4, case.near4, "192.0.2.1"]), random.choice([case.ip6, case.near6, "2001:db9::1"])
    mechanism = random.choices(
        [lambda: "all", lambda: f"include:{deeper()}", lambda: "a" + prefix, lambda: f"a:{name()}{prefix}", lambda: "mx" + prefix,
         lambda: f"mx:{name()}{prefix}", lambda: random.choice(["ptr", f"ptr:{name()}"]),
         lambda: f"ip4:{near4}{random.choice(['', '/31', '/24', '/8'])}", lambda: f"ip6:{near6}{random.choice(['', '/127', '/64'])}",
         lambda: f"exists:{name()}", lambda: random.choice(BROKEN)],
        [4, 5, 2, 3, 2, 3, 1, 4, 2, 3, 0.7])[0]()
    return random.choice(QUALIFIERS) + mechanism


def record(random, case, depth):
    terms = [term(random, case, depth) for _ in range(random.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 8, 12]))]
    if random.random() < 0.15:
        terms.insert(random.randrange(len(terms) + 1), f"redirect={random.choice(['d1.', 'd2.', 'd3.', 'none.'])}{case.base}")
    if random.random() < 0.1:
        terms.append(f"exp=exp.{case.base}")
    if random.random() < 0.5 and "all" not in " ".join(terms):
        terms.append(random.choice(["-all", "~all", "?all"]))
    text = random.choice(["v=spf1"] * 20 + ["V=SPF1", "v=spf1 ", "v=spf10", "v=spf1\t"])
    text += "".join(random.choice([" "] * 9 + ["  "]) + term for term in terms)
    if random.random() < 0.03 and len(text) > 8:
        at = random.randrange(7, len(text))
        text = text[:at] + random.choice(":/=%{}. -~ax1") + text[at + random.choice([0, 1]):]
    return text


def make_case(random, number):
    case = Case(number)
    base = case.base
    is4 = random.random() < 0.65
    case.ip = case.ip4 if is4 else random.choice([case.ip6, case.ip6, f"::ffff:{case.ip4}"])
    case.helo = random.choice([f"mail.{base}", base, "localhost"])
    case.mail_from = random.choice(["user", "a.b", "x-y+z"]) + "@" + random.choice([base] * 9 + [f"d1.{base}"])
    case.add(base, "TXT", record(random, case, 0))
    for child in ("d1", "d2", "d3"):
        if random.random() < 0.8:
            case.add(f"{child}.{base}", "TXT", record(random, case, 1))
    if random.random() < 0.05:
        case.add(random.choice([base, f"d1.{base}"]), "TXT", random.choice(["v=spf1 -all", "something else", "v=spf1"]))
    for host in (base, f"mail.{base}", f"d1.{base}", f"h1.{base}"):
        if random.random() < 0.6:
            case.add(host, "A", random.choice([case.ip4, case.near4, "192.0.2.77"]))
        if random.random() < 0.4:
            case.add(host, "AAAA", random.choice([case.ip6, case.near6, "2001:db9::77"]))
    for host in (base, f"mail.{base}", f"d2.{base}"):
        if random.random() < 0.4:
            for exchange in range(random.choice([1, 1, 2, 3, 10, 11])):
                case.add(host, "MX", (10 + exchange, random.choice([f"mail.{base}", f"h{exchange}.{base}"])))
    if random.random() < 0.3:
        case.add(f"exp.{base}", "TXT", random.choice(["Not %{i}", "no %{p}", "%{x}", "é"]))
    if random.random() < 0.2:
        ip = case.ip4 if is4 or case.ip.startswith("::ffff") else case.ip6
        reverse = reverse_name(ip)
        for host in random.sample([f"mail.{base}", base, f"none.{base}", f"h1.{base}"], random.choice([1, 1, 2, 4])):
            case.add(reverse, "PTR", host)
    if random.random() < 0.05 and not case.records.get(f"d3.{base}"):
        case.add(f"d3.{base}", "CNAME", f"d1.{base}")
    if random.random() < 0.1:
        case.add(f"{case.ip4}.x.{base}", "A", "127.0.0.2")
    return case


def reverse_name(ip):
    import ipaddress
    return ipaddress.ip_address(ip).reverse_pointer


def quoted(text):
    return '"' + "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else f"\\{ord(c):03}" for c in text) + '"'


def make(random, count):
    cases = [make_case(random, number) for number in range(count)]
    lines = []
    for case in cases:
        for name, records in case.records.items():
            for kind, value in records:
                data = {"TXT": lambda: quoted(value), "MX": lambda: f"{value[0]} {value[1]}.", "A": lambda: value, "AAAA": lambda: value}
                data = data.get(kind, lambda: f"{value}.")()
                lines.append(f"{name}. 60 IN {kind} {data}\n")
    return cases, "".join(lines).encode()


def malformed(pattern):
    """We found a syntax error, pyspf did not, and the records hold such a thing."""
    return lambda case, us, them: (
        us == "permerror" and them.result != "permerror" and "has an error" in case.reason and re.search(pattern, case.text()))


def refused(words, pattern="."):
    """pyspf refuses with these words what we evaluate, and the records hold such a thing."""
    return lambda case, us, them: (
        us != "permerror" and them.result == "permerror" and words in them.words and re.search(pattern, case.text()))


# Differences in which we are right: a name, the section that says so, and when it applies (the case, our result, theirs).
KNOWN = [
    ("an include of the domain itself is no error before it is evaluated", "RFC 7208 4.6.2: directives are tried from left to right; "
     "4.6.4 ends the recursion", refused("include has trivial recursion", "include:")),
    ("a term with several questions is one void lookup", "RFC 7208 4.6.4: the number of terms for which queries return nothing",
     refused("Void lookup limit", r"\b(mx|ptr)\b|%{p")),
    ("an alias of nothing is one void lookup", "RFC 7208 4.6.4, as above; pyspf counts the alias and its target",
     lambda case, us, them: "Void lookup limit" in them.words and any(kind == "CNAME" for records in case.records.values()
                                                                      for kind, _ in records)),
    ("other modifiers may stand there twice", "RFC 7208 6: only redirect and exp must appear at most once",
     refused("MUST appear at most once", r" ([a-z][\w.-]*)=[^ ]* .*\1=")),
    ("a macro keeps no part", "RFC 7208 7.3: the DIGIT must be nonzero", malformed(r"%\{[a-z]0+r?")),
    ("what stands in a macro is no transformer or delimiter", "RFC 7208 7.1: macro-expand",
     malformed(r"%\{[a-z](?!\d*r?[-.+,/_=]*\})|%(?![{%_-])")),
    ("exists without a domain", "RFC 7208 5.7: exists = \"exists\" \":\" domain-spec", malformed(r" [-+?~]?exists(?![:\w])")),
    ("redirect twice, in different case", "RFC 7208 6 and 12: names are case-insensitive", malformed(r" redirect=.* redirect=")),
]
