//! Postfix in a folder of its own, and what it hands its mail on to.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const DAEMONS: &str = "/usr/lib/postfix/sbin";
const SERVICES: &str = "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 1 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
    bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nflush unix n - n 1000? 0 flush\n\
    proxymap unix - - n - - proxymap\nsmtp unix - - n - - smtp\nshowq unix n - n - - showq\nerror unix - - n - - error\n\
    retry unix - - n - - error\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n";

/// What keeps Postfix from being run here, where something does.
pub fn obstacle() -> Option<&'static str> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !Path::new(DAEMONS).join("master").exists() {
        Some("there is no Postfix")
    } else if !is_root {
        Some("Postfix is started by root alone")
    } else {
        None
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Postfix, running; it ends with it, and its folder goes.
pub struct Postfix {
    folder: PathBuf,
    port: u16,
    pub sink: Sink,
}

impl Postfix {
    /// With this filter.
    pub fn start(milter: &str, more: &str) -> Self {
        let (port, sink) = (free_port(), Sink::start());
        let folder = std::env::temp_dir().join(format!("mailverdict-postfix-{}-{port}", std::process::id()));
        for name in ["etc", "queue", "data"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let path = folder.display();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {path}/queue\ndata_directory = {path}/data\ncommand_directory = /usr/sbin\n\
             daemon_directory = {DAEMONS}\nmaillog_file = {path}/log\nmaillog_file_prefixes = {path}\nmail_owner = postfix\n\
             setgid_group = postdrop\nmyhostname = mx.example.net\nmydestination =\nmynetworks = 0.0.0.0/0\ninet_interfaces = 127.0.0.1\n\
             inet_protocols = ipv4\nalias_maps =\nalias_database =\nsmtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_recipient_restrictions =\n\
             smtpd_authorized_xclient_hosts = 127.0.0.1\nsmtpd_peername_lookup = no\ndisable_dns_lookups = yes\n\
             default_transport = smtp:[127.0.0.1]:{}\nsmtpd_milters = inet:{milter}\nmilter_protocol = 6\n\
             milter_default_action = tempfail\nmilter_connect_timeout = 5s\nmessage_size_limit = 100000000\nmailbox_size_limit = 0\n\
             smtp_line_length_limit = 0\nsmtpd_client_connection_count_limit = 0\nminimal_backoff_time = 1s\nqueue_run_delay = 1s\n\
             smtputf8_enable = no\n{more}\n",
            sink.port
        );
        fs::write(folder.join("etc/main.cf"), main).unwrap();
        fs::write(folder.join("etc/master.cf"), format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}")).unwrap();
        let user = Command::new("chown").arg("postfix").arg(folder.join("data")).status().unwrap();
        assert!(user.success());
        let postfix = Self { folder, port, sink };
        postfix.command("start");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "Postfix does not listen: {}", postfix.log());
            thread::sleep(Duration::from_millis(20));
        }
        postfix
    }

    fn command(&self, command: &str) {
        let output = Command::new("postfix").arg("-c").arg(self.folder.join("etc")).arg(command).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?} {}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Messages in the hold queue.
    pub fn held(&self) -> usize {
        self.queued("hold")
    }

    fn queued(&self, queue: &str) -> usize {
        let mut folders = vec![self.folder.join("queue").join(queue)];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    count += 1;
                }
            }
        }
        count
    }

    /// Waits until nothing is on its way any more.
    pub fn settle(&self) {
        let start = Instant::now();
        while ["incoming", "active", "maildrop"].iter().any(|queue| self.queued(queue) > 0) {
            assert!(start.elapsed() < Duration::from_secs(30), "mail stays: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A client of this address that greets so; the last reply of the message, to its MAIL FROM, RCPT TO or its end.
    pub fn send(&self, (ip, helo): (&str, &str), mail_from: &str, raw: &[u8]) -> String {
        let mut client = Client::connect(self.port);
        client.ask(&format!("XCLIENT ADDR={ip} NAME=client.example"));
        client.ask(&format!("EHLO {helo}"));
        for command in [format!("MAIL FROM:{mail_from}"), "RCPT TO:<bob@adatum.com>".to_owned(), "DATA".to_owned()] {
            let reply = client.ask(&command);
            if !reply.starts_with(['2', '3']) {
                return reply;
            }
        }
        client.data(raw)
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // `abort` ends all that it has started at once.
        let _ = Command::new("postfix").arg("-c").arg(self.folder.join("etc")).arg("abort").output();
        let start = Instant::now();
        while fs::remove_dir_all(&self.folder).is_err() && start.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Self { reader: BufReader::new(stream) };
        let greeting = client.reply();
        assert!(greeting.starts_with("220 "), "{greeting}");
        client.ask("EHLO test.example");
        client
    }

    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).unwrap_or(0) == 0 {
                return "closed".to_owned();
            }
            if line.get(3..4) != Some("-") {
                return line.trim_end().to_owned();
            }
        }
    }

    fn ask(&mut self, command: &str) -> String {
        self.reader.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.reply()
    }

    /// The message, with its dots doubled (RFC 5321 §4.5.2).
    fn data(&mut self, raw: &[u8]) -> String {
        let mut out = Vec::with_capacity(raw.len() + 100);
        for line in raw.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line);
        }
        out.extend_from_slice(b".\r\n");
        self.reader.get_mut().write_all(&out).unwrap();
        self.reply()
    }
}

/// A mail server that takes everything and keeps it.
pub struct Sink {
    port: u16,
    messages: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&messages);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { port, messages }
    }

    /// What came.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        self.messages.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut reader = BufReader::new(stream);
    let say = |reader: &mut BufReader<TcpStream>, text: &str| {
        let _ = reader.get_mut().write_all(format!("{text}\r\n").as_bytes());
    };
    say(&mut reader, "220 sink.example ESMTP");
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            return;
        }
        let command = String::from_utf8_lossy(&line).to_ascii_uppercase();
        if command.starts_with("EHLO") {
            say(&mut reader, "250-sink.example\r\n250 8BITMIME");
        } else if command.starts_with("DATA") {
            say(&mut reader, "354 go on");
            let mut message = Vec::new();
            loop {
                let mut line = Vec::new();
                if reader.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                    return;
                }
                if line == b".\r\n" {
                    break;
                }
                message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
            kept.lock().unwrap().push(message);
            say(&mut reader, "250 taken");
        } else if command.starts_with("QUIT") {
            say(&mut reader, "221 bye");
            let _ = reader.read_to_end(&mut Vec::new());
            return;
        } else {
            say(&mut reader, "250 good");
        }
    }
}
