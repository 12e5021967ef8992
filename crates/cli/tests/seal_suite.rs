//! `mailverdict seal` as scripts use it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::{fs, process::Output};
use support::{batch::Folder, run};

const MESSAGE: &str = "Authentication-Results: mx.fabrikam.com; spf=pass smtp.mailfrom=contoso.com\r\n\
    Authentication-Results: mx.other.example; dmarc=pass\r\n\
    Authentication-Results: mx.fabrikam.com; dkim=pass header.d=contoso.com\r\n\
    From: Alice <alice@contoso.com>\r\nTo: list@fabrikam.com\r\nSubject: Lunch\r\n\r\nAt noon?\r\n";

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A key in the folder, and a zone with its record and an SPF record of the author's.
struct Place {
    folder: Folder,
    key: String,
    zone: String,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let (key, zone) = (folder.path("a.key"), folder.path("a.zone"));
        let output = run(&["keygen", "--domain=fabrikam.com", "--selector=arc1", &format!("--out={key}")], b"");
        let spf = "contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc.contoso.com. TXT \"v=DMARC1; p=reject\"\n";
        fs::write(&zone, stdout(&output) + spf).unwrap();
        Self { folder, key: format!("--key={key}"), zone: format!("--zone={zone}") }
    }

    fn seal(&self, message: &str, more: &[&str]) -> Output {
        let file = self.folder.path("message.eml");
        fs::write(&file, message).unwrap();
        let usual = [
            "seal",
            "--domain=fabrikam.com",
            "--selector=arc1",
            "--authserv-id=mx.fabrikam.com",
            &self.key,
            &self.zone,
        ];
        run(&[&usual, more, &[&file]].concat(), b"")
    }

    /// What `check` says of ARC.
    fn arc(&self, message: &str) -> serde_json::Value {
        let output = run(&["check", "--json", &self.zone, "-"], message.as_bytes());
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["arc"].clone()
    }
}

#[test]
fn own_results_are_sealed_and_the_chain_grows() {
    let place = Place::new("seal");
    let output = place.seal(MESSAGE, &["--check", "--at=1759738505"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let sealed = stdout(&output);
    assert!(
        sealed.starts_with("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=fabrikam.com; s=arc1; t=1759738505;"),
        "{sealed}"
    );
    assert!(sealed.ends_with(MESSAGE));
    let (_, results) = sealed.split_once("ARC-Authentication-Results: ").unwrap();
    let own =
        "i=1; mx.fabrikam.com;\r\n    spf=pass smtp.mailfrom=contoso.com;\r\n    dkim=pass header.d=contoso.com\r\n";
    assert!(results.starts_with(own), "{results}");
    let output = place.seal(&sealed, &["--check"]);
    let arc = place.arc(&stdout(&output));
    assert_eq!((arc["result"].as_str(), arc["instances"].as_u64()), (Some("pass"), Some(2)), "{arc}");
}

#[test]
fn with_a_client_it_is_evaluated() {
    let place = Place::new("seal-evaluated");
    let output = place.seal(MESSAGE, &["--ip=192.0.2.1", "--mail-from=alice@contoso.com"]);
    let sealed = stdout(&output);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let (set, _) = sealed.split_once("\r\nAuthentication-Results").unwrap();
    assert!(set.contains("dmarc=pass") && set.contains("smtp.remote-ip=192.0.2.1"), "{set}");
    assert!(!set.contains("header.d=contoso.com"), "{set}");
    assert_eq!(place.arc(&sealed)["result"], "pass");
}

#[test]
fn a_file_of_unix_keeps_its_line_ends() {
    let place = Place::new("seal-ends");
    let unix = MESSAGE.replace("\r\n", "\n");
    let sealed = stdout(&place.seal(&unix, &["--check"]));
    assert!(sealed.ends_with(&unix) && !sealed.contains('\r'), "{sealed:?}");
    assert_eq!(place.arc(&sealed)["result"], "pass");
}

#[test]
fn what_cannot_be_sealed_is_told() {
    let place = Place::new("seal-not");
    let broken = stdout(&place.seal(MESSAGE, &[])).replace("Lunch", "Dinner");
    let output = place.seal(&broken, &[]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), broken));
    assert!(stderr(&output).contains("not sealed, and written as it is: its chain does not hold: "), "{output:?}");

    let output = place.seal(&MESSAGE.replace("mx.fabrikam.com", "mx.example"), &[]);
    assert!(output.status.success() && stdout(&output).contains("i=1; mx.fabrikam.com; none\r\n"), "{output:?}");
    assert!(stderr(&output).contains("it has no Authentication-Results of mx.fabrikam.com"), "{output:?}");

    let output = place.seal(&MESSAGE.replace("To:", "From: bob@contoso.com\r\nTo:"), &["--force"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).contains("not sealed: the message has 2 From fields"), "{output:?}");

    let mixed = MESSAGE.replace("Lunch\r\n", "Lunch\n");
    let output = place.seal(&mixed, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--force seals it all the same"), "{output:?}");

    // The record is not there.
    let empty = place.folder.path("empty.zone");
    fs::write(&empty, "fabrikam.com. TXT \"v=spf1 -all\"\n").unwrap();
    let other = Place { zone: format!("--zone={empty}"), ..place };
    let output = other.seal(MESSAGE, &["--check"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert!(stderr(&output).contains("nothing is written: by what the DNS says the chain does not hold"), "{output:?}");
}
