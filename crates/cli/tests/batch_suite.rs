//! `mailverdict batch` as others drive it: terminals, signals, pipes that break, input without end, and engines that map it over an
//! archive. What it answers to good and bad requests stands in `cli_suite.rs`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use support::{
    PROGRAM, ROOT,
    batch::{Batch, Folder, ZONE, command, request},
    faulty_dns::{Fault, FaultyDns},
    sigint,
    skip::skipped,
};

/// What `command` prints, run by a shell whose standard error is a terminal; `None`, aloud, where no terminal can be had.
fn on_terminal(command: &str) -> Option<String> {
    let probe = Command::new("script").arg("--version").output();
    if !probe.is_ok_and(|probe| String::from_utf8_lossy(&probe.stdout).contains("util-linux")) {
        skipped("there is no script of util-linux to make a terminal");
        return None;
    }
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", command, "/dev/null"])
        .current_dir(ROOT)
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", output.status);
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn progress_is_one_line_that_is_written_over_and_ended() {
    // The server says nothing: each request takes as long as it may, and the line is written in between.
    let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let address = server.local_addr().unwrap();
    let folder = Folder::new("progress");
    let requests = folder.file("requests", &(request("1") + &request("2") + "junk\n"));
    let results = folder.path("results");
    // A question takes a quarter of that: a second.
    let batch = format!("{PROGRAM} batch --jobs=1 --timeout=4 --dns={address} < {requests}");
    let Some(shown) = on_terminal(&format!("{batch} > {results}")) else { return };
    let (lines, end) = shown.split_once('\n').expect("the line is ended");
    assert_eq!(end, "", "nothing comes after: {shown:?}");
    let states: Vec<&str> = lines
        .trim_end()
        .split('\r')
        .skip(1)
        .map(|state| state.strip_prefix("\x1b[?7l").unwrap().strip_suffix("\x1b[K\x1b[?7h").unwrap())
        .collect();
    assert_eq!(states[0], "0 messages, 0.0/s");
    let one = |state: &str| state.starts_with("1 message, ") && state.ends_with(" left; SPF alone 1");
    assert!(states.iter().any(|state| one(state)), "{states:?}");
    // However long it took, rate, time and number of lines agree with each other; both requests waited for a second.
    let last = states.last().unwrap().strip_prefix("3 messages, ").and_then(|rest| rest.split_once("/s, in "));
    let (rate, rest) = last.unwrap_or_else(|| panic!("{states:?}"));
    let (minutes, seconds) =
        rest.strip_suffix("; SPF alone 2; errors 1").and_then(|time| time.split_once(':')).unwrap();
    let seconds = 60 * minutes.parse::<usize>().unwrap() + seconds.parse::<usize>().unwrap();
    let (rate, time) = (rate.parse::<f64>().unwrap(), seconds as f64);
    assert!(seconds >= 2 && rate * (time - 1.0) < 3.0 && (rate + 0.1) * time > 3.0, "{states:?}");
    assert!((4..=4 * seconds + 2).contains(&states.len()), "at most four times a second: {states:?}");
    // What is written to a file knows nothing of it.
    let results = fs::read_to_string(results).unwrap();
    assert_eq!(results.lines().count(), 3);
    for line in results.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn there_is_no_progress_line_beside_results_or_on_a_dumb_terminal() {
    let folder = Folder::new("no-progress");
    let requests = folder.file("requests", &request("1"));
    let batch = format!("{PROGRAM} batch {ZONE} < {requests}");
    let Some(shown) = on_terminal(&batch) else { return };
    serde_json::from_str::<Value>(shown.trim_end()).unwrap_or_else(|error| panic!("{error}: {shown:?}"));
    assert_eq!(shown.matches('\n').count(), 1, "{shown:?}");
    for quiet in [format!("TERM=dumb {batch} > /dev/null"), format!("{batch} > /dev/null 2> {}", folder.path("errors"))]
    {
        assert_eq!(on_terminal(&quiet).as_deref(), Some(""), "{quiet}");
    }
    assert_eq!(fs::read(folder.path("errors")).unwrap(), b"");
}

/// What was begun is finished and written at SIGINT, what was not is left; the order has no holes.
#[test]
fn what_was_begun_is_finished_at_sigint() {
    let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let arguments = ["--jobs=2", "--timeout=2", "--dns", &server.local_addr().unwrap().to_string()];
    let Some(mut batch) = Batch::interruptible(&arguments) else { return };
    batch.send(&format!("junk\n{}{}{}", request("1"), request("2"), request("3")));
    assert!(batch.result().unwrap()["error"].is_string());
    // Both are asked for.
    for _ in 0..2 {
        server.recv_from(&mut [0; 512]).unwrap();
    }
    batch.interrupt();
    for id in 1..=2 {
        let result = batch.result().unwrap();
        assert_eq!((&result["id"], &result["spf"]["mail_from"]["result"]), (&id.into(), &"temperror".into()));
    }
    assert_eq!(batch.result(), None);
    assert_eq!(batch.status(), Some(130));
}

#[test]
fn a_second_sigint_waits_for_nothing() {
    let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let arguments = ["--timeout=600", "--dns", &server.local_addr().unwrap().to_string()];
    let Some(mut batch) = Batch::interruptible(&arguments) else { return };
    batch.send(&("junk\n".to_owned() + &request("1")));
    assert!(batch.result().unwrap()["error"].is_string());
    server.recv_from(&mut [0; 512]).unwrap();
    let begun = Instant::now();
    batch.interrupt();
    // Signals of one kind that come together are one.
    std::thread::sleep(Duration::from_millis(300));
    batch.interrupt();
    assert_eq!(batch.status(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(4), "a question alone takes 5 seconds: {:?}", begun.elapsed());
    assert_eq!(batch.result(), None);
}

/// Whoever reads the results hears of the same SIGINT and is gone; that is no failure to write.
#[test]
fn an_interrupted_pipeline_ends_with_130() {
    let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let arguments = ["--timeout=2", "--dns", &server.local_addr().unwrap().to_string()];
    let Some(mut batch) = Batch::interruptible(&arguments) else { return };
    batch.send(&request("1"));
    server.recv_from(&mut [0; 512]).unwrap();
    batch.interrupt();
    // The result comes later, and finds nobody.
    batch.close_output();
    assert_eq!(batch.status(), Some(130));
}

/// Shells have it so for what they run in the background.
#[test]
fn sigint_stays_ignored_where_it_was() {
    let mut shell = Command::new("sh");
    shell.current_dir(ROOT).args(["-c", "trap '' INT; exec \"$0\" \"$@\"", PROGRAM, "batch", ZONE]);
    let mut batch = Batch::of(&mut shell);
    for id in 0..3 {
        batch.send(&request(&id.to_string()));
        assert_eq!(batch.result().unwrap()["id"], id);
        batch.interrupt();
    }
    drop(batch.input.take());
    assert_eq!((batch.result(), batch.status()), (None, Some(0)));
}

/// So that the tests above try what they are for, whoever starts them.
#[test]
fn a_child_hears_of_sigint_though_it_is_ignored_around_it() {
    let status = |wrapper: &[&str]| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]).args(wrapper).args(["cat", "/proc/self/status"]);
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    };
    assert!(sigint::is_ignored(&status(&["nice"])));
    let wrappers: Vec<_> = sigint::WRAPPERS.into_iter().filter(|wrapper| sigint::is_there(wrapper)).collect();
    for wrapper in &wrappers {
        let status = status(wrapper);
        assert!(status.contains("SigIgn:") && !sigint::is_ignored(&status), "{wrapper:?}: {status}");
    }
    if wrappers.is_empty() {
        skipped("neither env of coreutils nor perl nor python3 can give a program the default disposition of SIGINT");
    }
}

/// In the middle of input without end the processors are busy, and the signal is seen all the same.
#[test]
fn sigint_is_seen_while_all_processors_work() {
    let Some(mut batch) = Batch::interruptible(&[ZONE]) else { return };
    let mut input = batch.input.take().unwrap();
    // Until nobody reads any more.
    let writer = std::thread::spawn(move || {
        (0..).take_while(|id: &usize| input.write_all(request(&id.to_string()).as_bytes()).is_ok()).count()
    });
    for id in 0..500 {
        assert_eq!(batch.result().unwrap()["id"], id);
    }
    let begun = Instant::now();
    batch.interrupt();
    let mut answered = 500;
    while let Some(result) = batch.result() {
        assert_eq!(result["id"], answered);
        answered += 1;
    }
    assert_eq!(batch.status(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(answered <= writer.join().unwrap());
}

/// All requests of a run share what the DNS answered, for as long as its TTL allows and no longer.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_shared_for_their_ttl() {
    for (fault, questions) in [(Fault::None, 1), (Fault::TtlZero, 3)] {
        let zone =
            mailverdict::dns::Zone::parse("fabrikam.com. TXT \"v=spf1 ip4:203.0.113.0/24 -all\"", "zone").unwrap();
        let server = FaultyDns::start(zone, fault, "fabrikam.com TXT").await;
        let address = server.address.to_string();
        let run = move || {
            let mut batch = Batch::start(&["--dns", &address]);
            for id in 0..3 {
                batch.send(&request(&id.to_string()));
                assert_eq!(batch.result().unwrap()["spf"]["mail_from"]["result"], "pass");
            }
        };
        tokio::task::spawn_blocking(run).await.unwrap();
        assert_eq!(server.asked(), vec!["fabrikam.com TXT"; questions], "{fault:?}");
    }
}

/// One line says that nobody reads the results, and no more of the input is worked off.
#[test]
fn closed_output_ends_the_run() {
    let mut child =
        command(&[ZONE]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // Until the other side is gone.
    while input.write_all(request("1").as_bytes()).is_ok() {}
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "mailverdict: cannot write the result: broken pipe\n");
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn input_that_cannot_be_read_is_named() {
    let output = command(&[ZONE]).stdin(File::open("/").unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "mailverdict: cannot read the requests from standard input: is a directory\n");
}

/// Standard input that cannot be read is not empty, and standard output that cannot be written takes nothing.
#[test]
fn input_and_output_that_are_not_open_for_it_are_failures() {
    let request = "{\"ip\":\"203.0.113.25\",\"helo\":\"fabrikam.com\"}";
    let reading = "bad file descriptor\n";
    for (command, said) in [
        (format!("batch {ZONE} 0> /dev/null"), format!("cannot read the requests from standard input: {reading}")),
        (format!("check {ZONE} - 0> /dev/null"), format!("cannot read the message from standard input: {reading}")),
        (format!("batch {ZONE} 1< /dev/null"), format!("cannot write the result: {reading}")),
        (
            format!("spf {ZONE} --ip 203.0.113.25 --helo fabrikam.com 1< /dev/null"),
            format!("cannot write the result: {reading}"),
        ),
    ] {
        let script = format!("echo '{request}' | \"{PROGRAM}\" {command}");
        let output = Command::new("sh").args(["-c", &script]).current_dir(ROOT).output().unwrap();
        let found = String::from_utf8(output.stderr).unwrap();
        assert_eq!((found, output.status.code()), (format!("mailverdict: {said}"), Some(2)), "{script}");
    }
}

/// Where no thread can be had, nothing is answered.
#[test]
fn threads_that_cannot_be_had_are_told_of() {
    let folder = Folder::new("threads");
    let requests = folder.file("requests", &request("1"));
    for source in [ZONE, "--dns=127.0.0.1:9"] {
        // No address space holds such stacks.
        let output = command(&[source])
            .env("RUST_MIN_STACK", (1_u64 << 46).to_string())
            .stdin(File::open(&requests).unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("mailverdict: cannot start: ") && said.lines().count() == 1, "{source}: {said}");
        assert_eq!((output.stdout, output.status.code()), (Vec::new(), Some(2)), "{source}");
    }
}

/// What is wrong with a request is told in a line that can be read.
#[test]
fn errors_repeat_no_more_than_a_part_of_what_is_wrong() {
    let long = "x".repeat(100_000);
    let mut batch = Batch::start(&[ZONE]);
    for (line, error) in [
        (format!("\"{long}\""), "the line is no JSON object: invalid type: string \"xxx"),
        (format!("{{\"id\":1,\"ip\":\"{long}\"}}"), "\"ip\" is no address: \"xxx"),
        (format!("{{\"id\":1,\"message\":\"/{long}\"}}"), "cannot read /xxx"),
        (format!("{{\"id\":1,\"helo\":\"{long}\"}}"), "\"helo\" is longer than 65536 octets"),
        (format!("{{\"id\":1,\"mail_from\":\"{long}\"}}"), "\"mail_from\" is longer than 65536 octets"),
    ] {
        batch.send(&(line + "\n"));
        let result = batch.result().unwrap();
        let found = result["error"].as_str().unwrap();
        assert!(found.starts_with(error) && found.len() < 350, "{found}");
    }
}

/// Whatever stands in an id, what comes back is JSON.
#[test]
fn ids_come_back_as_json_or_not_at_all() {
    let mut batch = Batch::start(&[ZONE]);
    for octet in (0..=u8::MAX).filter(|octet| *octet != b'\n') {
        for (before, after) in [("\"a", "b\""), ("[1,", "2]"), ("{\"a\":", "\"\"}"), ("1", ""), ("\"\\", "\"")] {
            let id = [before.as_bytes(), &[octet], after.as_bytes()].concat();
            // No address, and none that is a text.
            for ip in ["\"x\"", "1"] {
                let line = [b"{\"id\":".as_slice(), &id, b",\"ip\":", ip.as_bytes(), b"}\n"].concat();
                batch.input.as_mut().unwrap().write_all(&line).unwrap();
                let result = batch.result().unwrap();
                let expected = serde_json::from_slice::<Value>(&id).unwrap_or_default();
                assert_eq!(result["id"], expected, "{}", id.escape_ascii());
                assert!(result["error"].is_string());
            }
        }
    }
}

/// Odd lines cost nobody else his result, and ids come back as they are written.
#[test]
fn lines_of_any_octets_are_answered_one_for_one() {
    let ids = ["12345678901234567890123", "1.50", "{\"a\":[1,  2]}", "\"\\u00e9\"", "true", "null"];
    let mut input: Vec<u8> = ids.iter().map(|id| request(id)).collect::<String>().into_bytes();
    let no_requests: [&[u8]; 5] = [b"\xff\xfe", b"{\"id\":\"\xe9\"}", b"\0", b"{\"id\":1", b"{\"id\":1} {}"];
    for line in no_requests {
        input.extend_from_slice(line);
        input.extend_from_slice(b"\r\n");
    }
    input.extend_from_slice(b" \r\n\n");
    input.extend_from_slice(
        b"{\"id\":7,\"ip\":\"192.0.2.256\",\"ip\":\"203.0.113.25\",\"helo\":[{}],\"helo\":\"fabrikam.com\"}",
    );
    let mut batch = Batch::start(&[ZONE]);
    batch.input.take().unwrap().write_all(&input).unwrap();
    let mut output = String::new();
    batch.output().read_to_string(&mut output).unwrap();
    assert_eq!(batch.status(), Some(0));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), ids.len() + no_requests.len() + 1, "{output}");
    for (line, id) in lines.iter().zip(ids) {
        assert!(line.starts_with(&format!("{{\"id\":{id},\"version\":1,\"spf\":")), "{line}");
    }
    for line in &lines[ids.len()..ids.len() + no_requests.len()] {
        assert!(line.starts_with("{\"id\":null,\"error\":\"the line is no JSON object: "), "{line}");
    }
    // Of fields of one name the last counts.
    let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!((&last["id"], last["spf"]["helo"]["domain"].as_str()), (&7.into(), Some("fabrikam.com")));
}

/// What is no file is not waited for, and says why there is no result.
#[test]
fn messages_that_cannot_be_had_are_named() {
    let folder = Folder::new("messages");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let messages = [
        (folder.path("absent"), "no such file or directory"),
        ("/".to_owned(), "it is no file"),
        ("/dev/zero".to_owned(), "it is no file"),
        (pipe.clone(), "it is no file"),
        ("\0".to_owned(), "unexpected NUL byte"),
    ];
    let mut batch = Batch::start(&[ZONE]);
    for (path, reason) in messages {
        batch.send(&(serde_json::json!({"id": path, "message": path}).to_string() + "\n"));
        let result = batch.result().unwrap();
        assert_eq!(result["id"], path);
        let error = result["error"].as_str().unwrap();
        assert!(error.starts_with("cannot read ") && error.ends_with(reason), "{error}");
    }
    for (content, error) in [("", "the message is empty"), ("From: a@fabrikam.com\n\nHello\n", "")] {
        let path = folder.file("message", content);
        batch.send(&(serde_json::json!({"id": 1, "message": path}).to_string() + "\n"));
        let result = batch.result().unwrap();
        assert_eq!(result["error"].as_str().unwrap_or_default(), error, "{result}");
    }
    // Who waits for a reader at the other end of a pipe is not woken.
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || File::options().write(true).open(pipe).unwrap()
    });
    std::thread::sleep(Duration::from_millis(100));
    batch.send(&(serde_json::json!({"message": pipe}).to_string() + "\n"));
    assert!(batch.result().unwrap()["error"].is_string());
    std::thread::sleep(Duration::from_millis(100));
    assert!(!writer.is_finished(), "the pipe was opened");
    drop((File::open(pipe).unwrap(), writer.join().unwrap()));
    // The system makes it up and tells no length; it is read all the same.
    batch.send("{\"message\":\"/proc/self/status\"}\n");
    assert_eq!(batch.result().unwrap()["dmarc"]["result"], "permerror");
}

/// Results tell the time by which they were found.
const AT: &str = "--at=1759738505";

/// Some hundred requests, a third of them with messages, and what a run alone makes of them.
fn archive() -> (String, String) {
    let requests: String = (0..600)
        .map(|id| match id % 3 {
            0 => format!(
                "{{\"id\":{id},\"ip\":\"203.0.113.25\",\"message\":\"tests/data/microsoft365/03-scanner.eml\"}}\n"
            ),
            1 => request(&id.to_string()),
            _ => format!("{{\"id\":{id}}}\n"),
        })
        .collect();
    let mut batch = Batch::start(&[ZONE, AT]);
    let mut results = String::new();
    std::thread::scope(|scope| {
        let mut input = batch.input.take().unwrap();
        let requests = requests.as_bytes();
        scope.spawn(move || input.write_all(requests).unwrap());
        batch.output().read_to_string(&mut results).unwrap();
    });
    assert_eq!(results.lines().count(), 600);
    (requests, results)
}

/// GNU parallel cuts the input into blocks, and joins the results of several runs in the order of the blocks.
#[test]
fn gnu_parallel_maps_it() {
    let probe = Command::new("parallel").arg("--version").output();
    if !probe.is_ok_and(|probe| String::from_utf8_lossy(&probe.stdout).contains("GNU parallel")) {
        return skipped("there is no GNU parallel to map batch with");
    }
    let (requests, expected) = archive();
    let folder = Folder::new("parallel");
    let output = Command::new("parallel")
        .args(["--keep-order", "--pipe", "--block", "8k", "--jobs", "2", PROGRAM, "batch", "--jobs", "1", ZONE, AT])
        .current_dir(ROOT)
        .env("PARALLEL_HOME", &folder.0)
        .stdin(File::open(folder.file("requests", &requests)).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// Spark pipes each partition through a run of its own.
#[test]
fn spark_maps_it() {
    let python = std::env::var_os("MAILVERDICT_PYTHON");
    let has_spark = |python: &Path| {
        Command::new(python).args(["-c", "import pyspark"]).output().is_ok_and(|probe| probe.status.success())
    };
    let Some(python) = python.map(PathBuf::from).filter(|python| has_spark(python)) else {
        return skipped("MAILVERDICT_PYTHON names no Python with PySpark to map batch with");
    };
    let (requests, expected) = archive();
    let folder = Folder::new("spark");
    let output = Command::new(&python)
        .arg("crates/cli/tests/interop/spark_batch.py")
        .arg(folder.file("requests", &requests))
        .arg(format!("{PROGRAM} batch {ZONE} {AT}"))
        .current_dir(ROOT)
        .env("PYSPARK_PYTHON", &python)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
