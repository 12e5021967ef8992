//! `mailverdict batch` measured against the library: how much of (processors × the library's rate) arrives at the end of the pipe.
//!
//!     batch PROGRAM [--requests N] [--rounds N] [--keep FOLDER]
//!
//! PROGRAM is a `mailverdict` built with its release profile. Two sets of messages of 2 kB from a seed are asked for in turn, as files
//! and as base64, with answers from a master file: messages with an rsa-2048 signature each, and the whole set of the other comparisons
//! in equal shares: none, 1, 2 and 10 rsa-2048 signatures, Ed25519, and an ARC chain of 3. The library's share is what `batch`
//! cannot do without: from the octets of the message to the verdict and the two header fields that a result holds, on one thread
//! and on all processors at once.
//! Times are processor time a message (of the threads; of the process, in user and system mode), beside them the wall's. How much of
//! the library's rate arrives is told in two ways: as the least processor time of the library on one thread by the least wall time of
//! `batch` on all processors, and as the median over the rounds of what `batch` reached of the library on all processors in the same
//! round, where other work of the machine slows both. Process start and reading the zone are in what `batch` takes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{Authenticator, Message, Session, dns, received_spf::ReceivedSpf};
use mailverdict_peers::{
    cases::Keys,
    contender::at_once,
    messages::{Shape, message},
    rounds::{Times, clock},
    sign::Canonicalization::Relaxed,
    zone::Zone,
};
use std::{
    error::Error,
    fmt::Write as _,
    fs::{self, File},
    hint::black_box,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// Messages of a set; the whole set has 17 of each kind.
const MESSAGES: usize = 102;
const IP: &str = "192.0.2.10";
const HELO: &str = "outbound.protection.example.net";
const MAIL_FROM: &str = "alice@example.com";
/// Messages that a thread takes together.
const AT_ONCE: usize = 32;
/// Clock ticks a second of /proc, which is 100 wherever Linux runs.
const TICKS: f64 = 100.0;

struct Arguments {
    program: PathBuf,
    requests: usize,
    rounds: usize,
    keep: Option<PathBuf>,
}

/// Where results go: to nowhere as tools that measure commands have it. There they are the same, and counted in the other run.
#[derive(Clone, Copy)]
enum Results {
    InFile,
    ToNowhere,
}

/// Microseconds a message.
struct Cost {
    processor: f64,
    wall: f64,
}

/// Those of all rounds.
#[derive(Default)]
struct Costs {
    processor: Times,
    wall: Times,
}

impl Costs {
    fn push(&mut self, cost: Cost) {
        self.processor.0.push(cost.processor);
        self.wall.0.push(cost.wall);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let own = in_memory().join(format!("mailverdict-batch-{}", std::process::id()));
    let folder = arguments.keep.as_ref().unwrap_or(&own);
    fs::create_dir_all(folder)?;
    let outcome = measure_all(&arguments, folder);
    if arguments.keep.is_none() {
        fs::remove_dir_all(folder)?;
    }
    outcome
}

fn measure_all(arguments: &Arguments, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut zone = Zone::published();
    let keys = Keys::published_in(&mut zone);
    let zone = master_file(&zone);
    fs::write(folder.join("zone.db"), &zone)?;
    let authenticator = Authenticator::new(dns::Zone::parse(&zone, "zone.db")?);
    println!("{} requests, {} rounds; µs a message", arguments.requests, arguments.rounds);
    sets(&keys).iter().try_for_each(|(set, messages)| measure(arguments, folder, &authenticator, set, messages))
}

/// Where files take no disk, if the system has such a place: the library has its messages in memory, too.
fn in_memory() -> PathBuf {
    Some(PathBuf::from("/dev/shm")).filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir)
}

/// Measures a set, and prints its table.
fn measure(
    arguments: &Arguments,
    folder: &Path,
    authenticator: &Authenticator<dns::Zone>,
    set: &str,
    messages: &[String],
) -> Result<(), Box<dyn Error>> {
    for (number, message) in messages.iter().enumerate() {
        fs::write(folder.join(format!("{number}.eml")), message)?;
    }
    for kind in ["paths", "base64"] {
        fs::write(folder.join(format!("{kind}.jsonl")), requests(kind, folder, messages, arguments.requests))?;
    }

    let cores = std::thread::available_parallelism()?.get();
    let (mut library, mut threads) = (Costs::default(), Costs::default());
    let runs = [("paths", Results::InFile), ("base64", Results::InFile), ("base64", Results::ToNowhere)];
    let mut batch: [Costs; 3] = Default::default();
    for _ in 0..arguments.rounds {
        library.push(by_the_library(authenticator, messages, arguments.requests, 1));
        threads.push(by_the_library(authenticator, messages, arguments.requests, cores));
        for ((kind, results), costs) in runs.iter().zip(&mut batch) {
            costs.push(by_batch(arguments, kind, folder, messages.len(), *results)?);
        }
    }

    println!(
        "\n| {set} | processor time, median | minimum | share of the library's | wall, minimum | of cores × the library | of the library on all, median of rounds |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let best = library.processor.minimum();
    let rows = [
        ("library, one thread", &library),
        ("library, all processors", &threads),
        ("batch, paths", &batch[0]),
        ("batch, base64", &batch[1]),
        ("batch, base64, to nowhere", &batch[2]),
    ];
    for (what, costs) in rows {
        let (processor, wall) = (costs.processor.minimum(), costs.wall.minimum());
        let of = if what == "library, one thread" { 1 } else { cores };
        println!(
            "| {what} | {:.1} | {processor:.1} | {:.0} % | {wall:.1} | {:.0} % | {:.0} % |",
            costs.processor.median(),
            100.0 * processor / best,
            100.0 * best / of as f64 / wall,
            100.0 * threads.wall.ratio_to(&costs.wall),
        );
    }
    Ok(())
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments { program: PathBuf::new(), requests: 60_000, rounds: 9, keep: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} takes a value"));
        match word.as_str() {
            "--requests" => arguments.requests = value()?.parse()?,
            "--rounds" => arguments.rounds = value()?.parse()?,
            "--keep" => arguments.keep = Some(value()?.into()),
            _ => arguments.program = word.into(),
        }
    }
    if arguments.program.as_os_str().is_empty() {
        return Err("expected the path of mailverdict, built for release".into());
    }
    Ok(arguments)
}

/// Each with the words for it.
fn sets(keys: &Keys) -> [(&'static str, Vec<String>); 2] {
    let plain = message(Shape::Plain2k);
    let numbered = |number| plain.replace("last quarter", &format!("last quarter, part {number}"));
    let one = |number| keys.signed(numbered(number), &[Relaxed]);
    let any = |number| match number % 6 {
        0 => numbered(number),
        1 => one(number),
        2 => keys.signed(numbered(number), &[Relaxed; 2]),
        3 => keys.signed(numbered(number), &[Relaxed; 10]),
        4 => keys.signed_with_ed25519(numbered(number)),
        _ => keys.sealed(one(number)),
    };
    [("2 kB, 1 rsa", (0..MESSAGES).map(one).collect()), ("2 kB, all kinds", (0..MESSAGES).map(any).collect())]
}

/// What the other comparisons have in their zones, as a master file.
fn master_file(zone: &Zone) -> String {
    zone.txt.iter().fold(String::new(), |mut file, (name, text)| {
        let _ = writeln!(file, "{name}. TXT \"{text}\"");
        file
    })
}

fn requests(kind: &str, folder: &Path, messages: &[String], count: usize) -> String {
    let session = format!("\"ip\":\"{IP}\",\"helo\":\"{HELO}\",\"mail_from\":\"{MAIL_FROM}\"");
    let of: Vec<String> = messages
        .iter()
        .enumerate()
        .map(|(number, message)| match kind {
            "paths" => format!("\"message\":\"{}\"", folder.join(format!("{number}.eml")).display()),
            _ => format!("\"message_base64\":\"{}\"", STANDARD.encode(message)),
        })
        .collect();
    (0..count).fold(String::new(), |mut lines, id| {
        let _ = writeln!(lines, "{{\"id\":{id},{session},{}}}", of[id % of.len()]);
        lines
    })
}

/// On so many threads, which take the messages from a common counter, so that none is without work before the end.
fn by_the_library(authenticator: &Authenticator<dns::Zone>, messages: &[String], count: usize, threads: usize) -> Cost {
    let next = AtomicUsize::new(0);
    let work = || {
        let begun = clock();
        loop {
            let first = next.fetch_add(AT_ONCE, Ordering::Relaxed);
            if first >= count {
                return clock() - begun;
            }
            for number in first..count.min(first + AT_ONCE) {
                verify(authenticator, &messages[number % messages.len()]);
            }
        }
    };
    let wall = Instant::now();
    let processor: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
    });
    let (nanoseconds, wall) = (processor as f64, wall.elapsed().as_secs_f64());
    Cost { processor: nanoseconds / 1e3 / count as f64, wall: wall * 1e6 / count as f64 }
}

fn verify(authenticator: &Authenticator<dns::Zone>, message: &str) {
    let message = Message::parse(message.as_bytes()).expect("a message");
    let session = Session::new(IP.parse::<std::net::IpAddr>().expect("an address"));
    let session = session.with_helo(HELO).with_mail_from(MAIL_FROM);
    let verdict = at_once(authenticator.authenticate(&message, session.clone()));
    assert_eq!(verdict.dmarc.result.keyword(), "pass");
    black_box(verdict.to_header_field("localhost"));
    let spf = verdict.spf.mail_from.as_ref().expect("it was checked");
    black_box(ReceivedSpf::new(spf, &session).to_header_field());
}

fn by_batch(
    arguments: &Arguments,
    kind: &str,
    folder: &Path,
    messages: usize,
    results: Results,
) -> Result<Cost, Box<dyn Error>> {
    let requests = folder.join(format!("{kind}.jsonl"));
    let file = folder.join("results.jsonl");
    // The library has its messages in memory. What the system has put away of a file meanwhile is fetched before the clock starts.
    fetch(&requests)?;
    if kind == "paths" {
        (0..messages).try_for_each(|number| fetch(&folder.join(format!("{number}.eml"))))?;
    }
    let requests = File::open(requests)?;
    let output = match results {
        // To empty a file of earlier results takes milliseconds, which are not those of this run.
        Results::InFile => File::create(&file)?.into(),
        Results::ToNowhere => Stdio::null(),
    };
    let before = processor_time_of_children()?;
    let wall = Instant::now();
    let status = Command::new(&arguments.program)
        .arg("batch")
        .arg("--zone")
        .arg(folder.join("zone.db"))
        .stdin(requests)
        .stdout(output)
        .status()?;
    let wall = wall.elapsed().as_secs_f64();
    let processor = processor_time_of_children()? - before;
    if !status.success() {
        return Err(format!("batch, {kind}: {status}").into());
    }
    if let Results::InFile = results {
        let mut passed = 0;
        for line in BufReader::new(File::open(file)?).lines() {
            passed += usize::from(line?.contains("\"dmarc\":{\"result\":\"pass\""));
        }
        if passed != arguments.requests {
            return Err(format!("batch, {kind}: {passed} of {} passed", arguments.requests).into());
        }
    }
    let a_message = 1e6 / arguments.requests as f64;
    Ok(Cost { processor: processor * a_message, wall: wall * a_message })
}

fn fetch(file: &Path) -> io::Result<()> {
    io::copy(&mut File::open(file)?, &mut io::sink()).map(drop)
}

/// Seconds in user and system mode of the processes that were waited for (proc(5): cutime and cstime).
fn processor_time_of_children() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((fields[13].parse::<f64>()? + fields[14].parse::<f64>()?) / TICKS)
}
