//! The page that people read: what stands where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::process::Command;
use support::{PROGRAM, ROOT};

fn page(arguments: &[&str]) -> String {
    let output = Command::new(PROGRAM)
        .args(["check", "--zone=tests/data/microsoft365/zone.db"])
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whoever reads no further knows what was found out, and what is asked for.
#[test]
fn the_page_begins_with_the_verdict() {
    let from = |ip: &'static str, name: &str| page(&[ip, &format!("tests/data/microsoft365/{name}")]);
    for (page, result, sentence, disposition) in [
        (
            from("--ip=198.51.100.40", "01-sent-by-the-service.eml"),
            "pass",
            "The message comes from contoso.com, as its From field says: DKIM authenticated contoso.com.",
            "none",
        ),
        (
            from("--ip=192.0.2.66", "04-spoof.eml"),
            "fail",
            "Nothing shows that the message comes from contoso.com, as its From field says: neither SPF nor DKIM",
            "reject",
        ),
        (
            from("--ip=192.0.2.66", "06-subdomain-without-record.eml"),
            "fail",
            "Nothing shows that the message comes from copier.contoso.com, as its From field says: neither SPF nor",
            "quarantine",
        ),
    ] {
        let (verdict, rest) = page.split_once("\n\n").unwrap();
        assert!(verdict.starts_with(&format!("DMARC: {result}\n{sentence}")), "{verdict}");
        assert!(verdict.ends_with(&format!("\nDisposition: {disposition}")), "{verdict}");
        assert_eq!(verdict.contains("asks receivers to"), result == "fail", "{verdict}");
        assert!(rest.starts_with("Client "), "{rest}");
    }
}

/// Then the client, the results, and what is wrong.
#[test]
fn sections_stand_in_the_order_of_their_weight() {
    let arguments = [
        "--mail-from=a@fabrikam.com",
        "--explain",
        "--headers",
        "--hops",
        "--dmarc=both",
        "tests/data/microsoft365/04-spoof.eml",
    ];
    let page = page(&arguments);
    let sections = [
        "DMARC: fail\n",
        "\nDisposition: reject\n",
        "\nClient 192.0.2.66, taken from the Received field by mx.example.net, HELO",
        "\nCHECK ",
        "\nRFC 7489\n",
        "\nFINDINGS\n",
        "\nHOPS\n",
        "\nEXPLANATION\n",
        "\nHEADER FIELDS\n",
    ];
    let places = sections.map(|section| page.find(section).unwrap_or_else(|| panic!("no {section:?} in {page}")));
    assert!(places.is_sorted(), "{places:?} {page}");
}

/// The result has its reason beside it, the policy what it is.
#[test]
fn the_row_of_dmarc_tells_why() {
    let page = page(&["--ip=192.0.2.66", "tests/data/microsoft365/04-spoof.eml"]);
    let (_, row) = page.split_once("\nDMARC  ").unwrap();
    let row = row.split("\n\n").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let reason = "neither SPF nor DKIM authenticated a domain that could align with contoso.com";
    assert_eq!(row, format!("contoso.com fail {reason}; contoso.com asks receivers to reject what fails (p=reject)"));
}

/// What is read in place of a policy is told once in the verdict, and once in the row.
#[test]
fn a_policy_that_is_replaced_is_told_once() {
    let zone = std::env::temp_dir().join(format!("mailverdict-page-{}", std::process::id()));
    std::fs::write(&zone, "_dmarc.x.example. TXT \"v=DMARC1; p=monitor; rua=mailto:a@x.example\"\n").unwrap();
    let message = zone.with_extension("eml");
    std::fs::write(&message, "From: a@x.example\n\nHello\n").unwrap();
    let zone_option = format!("--zone={}", zone.display());
    for client in [&["--ip=192.0.2.1"][..], &[]] {
        let page = page(&[client, &[&zone_option, message.to_str().unwrap()]].concat());
        let (before, _) = page.split_once("\nFINDINGS\n").unwrap();
        let words = before.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = "; because p=monitor of x.example cannot be read, none is taken instead";
        assert_eq!(words.matches(told).count(), 2, "{words}");
        assert!(!words.contains("not applied in full"), "{words}");
    }
    std::fs::remove_file(zone).unwrap();
    std::fs::remove_file(message).unwrap();
}

/// What the program prints in a terminal of so many columns, with line ends of files; `None`, aloud, where no terminal can be had.
#[cfg(target_os = "linux")]
fn in_terminal(columns: usize, environment: &str, arguments: &str) -> Option<String> {
    let probe = Command::new("script").arg("--version").output();
    if !probe.is_ok_and(|probe| String::from_utf8_lossy(&probe.stdout).contains("util-linux")) {
        support::skip::skipped("there is no script of util-linux to make a terminal");
        return None;
    }
    let command = format!("stty rows 40 cols {columns}; {environment} '{PROGRAM}' {arguments}");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(ROOT)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", output.status);
    Some(String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"))
}

/// Without the marks of colours.
#[cfg(target_os = "linux")]
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

/// Pages of all kinds of sections.
#[cfg(target_os = "linux")]
const PAGES: [&str; 3] = [
    "check --zone tests/data/microsoft365/zone.db --hops tests/data/microsoft365/04-spoof.eml",
    "check --zone tests/data/arc/zone.db --ip 203.0.113.90 --mail-from alice@contoso.com --hops --dmarc both \
     --trusted-sealer filter.adatum.com tests/data/arc/filtered.eml",
    "spf --zone tests/data/cli/typo.db --ip 192.0.2.10 --mail-from a@contoso.com \
     --helo mail-eur01.outbound.protection.outlook.com",
];

/// Lines are broken by the program and not by the terminal.
#[cfg(target_os = "linux")]
#[test]
fn pages_fit_the_terminal() {
    for (arguments, has_table_at_80) in PAGES.into_iter().zip([false, true, false]) {
        for columns in [60, 80, 120, 200] {
            let Some(page) = in_terminal(columns, "", arguments) else { return };
            let page = uncoloured(&page);
            let long = page.lines().find(|line| line.chars().count() > columns);
            assert_eq!(long, None, "{columns} columns: {page}");
            let has_table = columns > 80 || columns == 80 && has_table_at_80;
            assert_eq!(page.contains("\nCHECK "), has_table, "{columns} columns: {page}");
        }
        // Below and above, nothing changes.
        for (outside, most) in [(20, 60), (300, 200)] {
            assert_eq!(in_terminal(outside, "", arguments), in_terminal(most, "", arguments));
        }
    }
}

/// Colours are marks around words that say the same.
#[cfg(target_os = "linux")]
#[test]
fn no_meaning_is_in_a_colour_alone() {
    for arguments in PAGES {
        let Some(coloured) = in_terminal(80, "", arguments) else { return };
        let plain = in_terminal(80, "NO_COLOR=1", arguments).unwrap();
        assert!(coloured.contains("\x1b[") && !plain.contains('\x1b'));
        assert_eq!(uncoloured(&coloured), plain);
        assert!(!in_terminal(80, "TERM=dumb", arguments).unwrap().contains('\x1b'));
    }
}
