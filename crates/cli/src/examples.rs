//! The examples that the help of each command shows; a test tries them.

pub(crate) const CHECK: &str = "\
Examples:
  A saved message, with the client that its Received fields show:
    mailverdict check message.eml
  What the SMTP session showed, where it is known:
    mailverdict check --ip 192.0.2.1 --helo mail.example.com \\
      --mail-from alice@example.com message.eml
  Why, and the header fields that report it:
    mailverdict check --explain --headers message.eml
  Each message of a mailbox, as JSON:
    mailverdict check --json inbox.mbox > results.jsonl
  In a script, which is told by the status:
    mailverdict check --exit-verdict < message.eml || echo \"status $?\"
  A page for a browser, to look at or to send:
    mailverdict check --html page.html message.eml
  What a change of records would do, without the network:
    mailverdict check --zone example.zone message.eml";

pub(crate) const REPLAY: &str = "\
Examples:
  The same verdict, without the network:
    mailverdict replay evidence.json
  What a change of records would have done:
    mailverdict replay --zone example.zone evidence.json
  The same as a page for a browser:
    mailverdict replay --zone example.zone --html page.html evidence.json";

pub(crate) const SPF: &str = "\
Examples:
  Whether a host may send for a domain:
    mailverdict spf --ip 192.0.2.1 --mail-from alice@example.com
  Each step, and each question to the DNS:
    mailverdict spf --ip 2001:db8::1 --helo mail.example.com --explain
  A record before it is published:
    mailverdict spf --zone example.zone --ip 192.0.2.1 \\
      --mail-from alice@example.com";

pub(crate) const BATCH: &str = "\
Examples:
  All at once, with the answers of the DNS shared:
    mailverdict batch < requests.jsonl > results.jsonl
  One by one, as of a time:
    mailverdict batch --jobs 1 --at 2025-10-06T08:15:05Z \\
      < requests.jsonl > results.jsonl";

pub(crate) const LINT: &str = "\
Examples:
  What a domain publishes, and what is wrong with it:
    mailverdict lint example.com
  With the keys that a message is signed with, and a host that sends:
    mailverdict lint --message message.eml --sender-ip 192.0.2.1 \\
      example.com
  Records before they are published:
    mailverdict lint --zone example.zone example.com
  A page for a browser, to look at or to send:
    mailverdict lint --html page.html example.com
  Many domains, as JSON:
    mailverdict lint - < domains.txt > found.jsonl";

pub(crate) const PREFLIGHT: &str = "\
Examples:
  Whether a host may send as somebody, and what is missing:
    mailverdict preflight --from alice@example.com --ip 192.0.2.1
  With a signature, by the key that is published at s1._domainkey:
    mailverdict preflight --from alice@example.com --ip 192.0.2.1 \\
      --helo mail.example.com --sign example.com/s1
  With the message itself, and records before they are published:
    mailverdict preflight --from alice@example.com --ip 192.0.2.1 \\
      --message message.eml --zone example.zone";

pub(crate) const REPORT_READ: &str = "\
Examples:
  Who sends as the domain, and what fails:
    mailverdict report read reports/
  With the names of hosts, as a page for a browser:
    mailverdict report read --zone example.zone --html page.html reports/
  For programs, and for tables:
    mailverdict report read --json reports.mbox > reports.jsonl
    mailverdict report read --csv report.xml.gz > rows.csv";

pub(crate) const REPORT_WRITE: &str = "\
Examples:
  Reports of a day, from the results of batch:
    mailverdict report write --submitter mx.example.net \\
      --org-name Example --email dmarc@example.net \\
      --begin 2025-10-06T00:00:00Z --end 2025-10-06T23:59:59Z \\
      --out outgoing < results.jsonl";

pub(crate) const KEYGEN: &str = "\
Examples:
  A key of RSA, and its record to publish:
    mailverdict keygen --domain example.com --selector s1 \\
      --out s1.key
  One of Ed25519 beside it:
    mailverdict keygen --domain example.com --selector s2 \\
      --algorithm ed25519 --out s2.key";

pub(crate) const SIGN: &str = "\
Examples:
  A message, signed:
    mailverdict sign --domain example.com --selector s1 --key s1.key \\
      message.eml > signed.eml
  With both keys, for some days, and tried by what the DNS says:
    mailverdict sign --domain example.com --selector s1 --key s1.key \\
      --domain example.com --selector s2 --key s2.key \\
      --expires-in 604800 --check message.eml > signed.eml";

pub(crate) const SEAL: &str = "\
Examples:
  A message that is handed on, evaluated as its client is known:
    mailverdict seal --domain example.com --selector s1 --key s1.key \\
      --authserv-id mx.example.com --ip 192.0.2.1 \\
      --mail-from alice@example.com message.eml > sealed.eml";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  bash:
    mailverdict completions bash \\
      > ~/.local/share/bash-completion/completions/mailverdict
  zsh, where ~/.zfunc is in fpath:
    mailverdict completions zsh > ~/.zfunc/_mailverdict
  fish:
    mailverdict completions fish \\
      > ~/.config/fish/completions/mailverdict.fish";

pub(crate) const SCHEMA: &str = "\
Examples:
    mailverdict schema > check.schema.json
    mailverdict schema batch > batch.schema.json";

pub(crate) const MAN: &str = "\
Examples:
    mailverdict man check | man -l -
    mailverdict man > ~/.local/share/man/man1/mailverdict.1";

/// What the program can do, for who calls it without saying what.
pub(crate) const OVERVIEW: &str = "\
mailverdict says whether a mail message is what it claims to be, and why:
SPF, DKIM, DMARC and ARC.

  mailverdict check FILE...    a verdict on saved messages or mailboxes
  mailverdict check --ip IP --mail-from ADDRESS FILE
                               the same, where the SMTP session is known
  mailverdict replay FILE      the same verdict again, from its evidence
  mailverdict spf --ip IP --mail-from ADDRESS
                               SPF alone, without a message
  mailverdict lint DOMAIN      what a domain publishes, and what is wrong
  mailverdict preflight --from ADDRESS --ip IP
                               whether mail would pass, before it is sent
  mailverdict batch            many messages, as lines of JSON
  mailverdict report read PATH what receivers say of a domain's mail
  mailverdict report write     reports to domain owners
  mailverdict keygen, sign     a key with its record, and a signed message
  mailverdict seal             a message handed on, with an ARC set
  mailverdict completions, man, schema
                               what shells, readers and scripts need

A command is missing. mailverdict --help tells of all commands, and
mailverdict check --help of one, with examples.
";
