//! The program, and a mail server that speaks to it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mailverdict-milter");
/// Files of the tests of the library.
pub const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mailverdict-milter-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, running.
pub struct Milter {
    pub folder: Folder,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    address: Option<String>,
}

impl Milter {
    /// With this configuration behind what all tests have: a zone, and a port that is free.
    pub fn start(config: &str) -> Self {
        Self::start_in(Folder::new(), config)
    }

    pub fn start_in(folder: Folder, config: &str) -> Self {
        let path = folder.write("milter.toml", &whole(config));
        let mut child = Command::new(PROGRAM).arg("--config").arg(path).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = Arc::clone(&log);
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        let mut milter = Self { folder, child, log, address: None };
        let line = milter.wait_for("listening at ");
        milter.address = line.split("inet:").nth(1).map(|rest| rest.trim_end_matches(['"', '}']).to_owned());
        milter
    }

    pub fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The first line of the log that holds this.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_all(text, 1).swap_remove(0)
    }

    /// The lines of the log that hold this, as soon as there are so many.
    pub fn wait_for_all(&self, text: &str, count: usize) -> Vec<String> {
        let start = Instant::now();
        loop {
            let lines: Vec<String> = self.lines().into_iter().filter(|line| line.contains(text)).collect();
            if lines.len() >= count {
                return lines;
            }
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "no line with {text:?}: {:#?}",
                self.log.lock().unwrap()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn address(&self) -> &str {
        self.address.as_deref().unwrap()
    }

    pub fn connect(&self) -> Mta<TcpStream> {
        Mta::new(TcpStream::connect(self.address()).unwrap())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < Duration::from_secs(40), "the program does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Milter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration with what all tests have.
pub fn whole(config: &str) -> String {
    let mut text = String::new();
    if !config.starts_with("listen = ") {
        text.push_str("listen = [\"inet:127.0.0.1:0\"]\n");
    }
    text.push_str("authserv_id = \"mx.example.net\"\n");
    let (top, tables) = match config.find("\n[") {
        Some(at) => config.split_at(at),
        None if config.starts_with('[') => ("", config),
        None => (config, ""),
    };
    text.push_str(top);
    text.push('\n');
    if !config.contains("[dns]") {
        text.push_str(&format!("[dns]\nzone = [\"{DATA}/microsoft365/zone.db\"]\n"));
    }
    text + tables
}

/// What the filter answered: the letter, and what belongs to it, NULs as `|`.
pub type Answer = (char, String);

/// A mail server.
pub struct Mta<S> {
    pub stream: S,
    /// What it offers; all by default.
    pub steps: u32,
}

impl<S: std::io::Read + std::io::Write> Mta<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, steps: 0x1f_ffff }
    }

    pub fn send(&mut self, letter: u8, data: &[u8]) {
        let mut packet = u32::try_from(data.len() + 1).unwrap().to_be_bytes().to_vec();
        packet.push(letter);
        packet.extend_from_slice(data);
        self.stream.write_all(&packet).unwrap();
    }

    pub fn read(&mut self) -> Option<Answer> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).ok()?;
        let mut packet = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut packet).ok()?;
        let data = match packet[0] {
            b'i' | b'm' => {
                let number = u32::from_be_bytes(packet[1..5].try_into().unwrap());
                format!("{number} {}", String::from_utf8_lossy(&packet[5..]))
            }
            _ => String::from_utf8_lossy(&packet[1..]).into_owned(),
        };
        Some((char::from(packet[0]), data.replace('\0', "|")))
    }

    pub fn ask(&mut self, letter: u8, data: &[u8]) -> Answer {
        self.send(letter, data);
        self.read().unwrap_or_else(|| panic!("closed after {:?}", char::from(letter)))
    }

    pub fn goes_on(&mut self, letter: u8, data: &[u8]) {
        assert_eq!(self.ask(letter, data).0, 'c', "{:?}", char::from(letter));
    }

    /// Options, client, HELO.
    pub fn greet(&mut self, ip: &str, helo: &str) {
        let mut offer = vec![0, 0, 0, 6, 0, 0, 1, 0xff];
        offer.extend(self.steps.to_be_bytes());
        assert_eq!(self.ask(b'O', &offer).0, 'O');
        self.client(ip);
        self.goes_on(b'H', format!("{helo}\0").as_bytes());
    }

    pub fn client(&mut self, ip: &str) {
        let family = if ip.contains(':') { '6' } else { '4' };
        let data = match ip {
            "" => "unknown\0U".to_owned(),
            _ => format!("client.example\0{family}\0\x19{ip}\0"),
        };
        self.goes_on(b'C', data.as_bytes());
    }

    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        let data = [name, b"\0", value, b"\0"].concat();
        self.send(b'L', &data);
        if self.steps & 0x80 == 0 {
            assert_eq!(self.read().unwrap().0, 'c');
        }
    }

    /// A whole message with CRLF, as a mail server hands it on.
    pub fn message(&mut self, mail_from: &str, raw: &[u8]) -> Vec<Answer> {
        self.goes_on(b'M', format!("{mail_from}\0").as_bytes());
        self.parts(raw)
    }

    /// All behind MAIL FROM.
    pub fn parts(&mut self, raw: &[u8]) -> Vec<Answer> {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let (header, body) = raw.split_once("\r\n\r\n").unwrap_or((&raw, ""));
        let mut fields: Vec<String> = Vec::new();
        for line in header.split("\r\n") {
            match fields.last_mut() {
                Some(field) if line.starts_with([' ', '\t']) => {
                    field.push('\n');
                    field.push_str(line);
                }
                _ => fields.push(line.to_owned()),
            }
        }
        for field in fields {
            let (name, value) = field.split_once(':').unwrap();
            let value = if self.steps & 0x10_0000 == 0 { value.trim_start() } else { value };
            self.header(name.as_bytes(), value.as_bytes());
        }
        self.goes_on(b'N', b"");
        for piece in body.as_bytes().chunks(65_535) {
            if self.ask(b'B', piece).0 == 's' {
                break;
            }
        }
        self.end()
    }

    /// The end of a message, up to the answer that ends it.
    pub fn end(&mut self) -> Vec<Answer> {
        self.send(b'D', b"Ei\x004F1A2B3C\0");
        self.send(b'E', b"");
        let mut answers = Vec::new();
        loop {
            let answer = self.read().expect("an answer to the end of the message");
            let is_last = matches!(answer.0, 'c' | 'a' | 'r' | 't' | 'y' | 'd');
            if answer.0 != 'p' {
                answers.push(answer);
            }
            if is_last {
                return answers;
            }
        }
    }
}

pub fn read(name: &str) -> Vec<u8> {
    fs::read(Path::new(DATA).join(name)).unwrap()
}

pub fn message(name: &str) -> Vec<u8> {
    let text = String::from_utf8(read(&format!("microsoft365/{name}"))).unwrap();
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}
