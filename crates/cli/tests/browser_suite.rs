//! Pages of HTML in a real browser, Chromium without a window: `MAILVERDICT_CHROMIUM` names it, or it is found in PATH.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use support::{batch::Folder, html::words, pages, skip::skipped};

/// Columns of pixels: the least that a page must fit (WCAG 2.2, success criterion 1.4.10), a phone and a desk.
const WIDTHS: [u32; 3] = [320, 390, 1280];

/// What is loaded tells of a frame for each page, one after the other, and at each width: how wide its content is, and its text. It reaches into
/// the frames as no page could that is not started with the option below.
const LOOK: &str = r#"<!DOCTYPE html><meta charset="utf-8"><body><pre id="seen"></pre><script>
const FILES = [], WIDTHS = [];
const seen = [];
const next = () => {
  const file = FILES.shift();
  if (!file) { document.getElementById("seen").textContent = encodeURIComponent(JSON.stringify(seen)); return; }
  const frame = document.createElement("iframe");
  frame.height = 800; frame.src = file;
  frame.onload = () => {
    const page = frame.contentDocument, box = page.scrollingElement;
    page.querySelectorAll("details").forEach((details) => { details.open = true; });
    for (const width of WIDTHS) {
      frame.width = width;
      const client = box.clientWidth;
      const wide = [...page.body.querySelectorAll("*")].filter(
        (element) => !element.matches(".out") && element.getBoundingClientRect().right > width + 1);
      seen.push({
        width, scroll: box.scrollWidth, client,
        wide: wide.map((element) => element.outerHTML.slice(0, 200)).slice(0, 3),
        text: page.body.textContent, elements: page.querySelectorAll("*").length,
        styled: frame.contentWindow.getComputedStyle(page.body).marginTop,
        asked: frame.contentWindow.performance.getEntriesByType("resource").map((entry) => entry.name),
      });
    }
    frame.remove();
    next();
  };
  document.body.append(frame);
};
next();
</script>"#;

/// The browser, where there is one; else the test says aloud that it is skipped.
fn browser() -> Option<String> {
    let named = env::var("MAILVERDICT_CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    let found = named
        .into_iter()
        .chain(usual)
        .find(|program| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        skipped("there is no Chromium: no page is looked at in a browser");
    }
    found
}

/// A server for all that a page might ask for, by whatever name: the browser's proxy. What it was asked.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (mut stream, mut head) = (stream, [0; 1024]);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
            let len = stream.read(&mut head).unwrap_or(0);
            let line = String::from_utf8_lossy(&head[..len]).lines().next().unwrap_or_default().to_owned();
            heard.lock().unwrap().push(line);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (port, asked)
}

/// What was seen of one page at one width.
struct Seen {
    pages: Vec<Value>,
    /// What the browser's console told.
    console: Vec<String>,
    /// What was asked of the network.
    asked: Vec<String>,
}

/// Looks at the files of the folder.
fn look(browser: &str, folder: &Folder, files: &[String]) -> Seen {
    let lists = format!("const FILES = {}, WIDTHS = {WIDTHS:?};", serde_json::json!(files));
    let wrapper = folder.file("look.html", &LOOK.replace("const FILES = [], WIDTHS = [];", &lists));
    let (port, asked) = proxy();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--mute-audio"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ])
        .args(["--allow-file-access-from-files", "--enable-logging=stderr", "--v=0"])
        .arg(format!("--proxy-server=http://127.0.0.1:{port}"))
        .arg("--proxy-bypass-list=<-loopback>")
        .arg(format!("--user-data-dir={}", folder.path("profile")))
        .args(["--virtual-time-budget=120000", "--dump-dom"])
        .arg(format!("file://{wrapper}"))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    let seen = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next()).unwrap_or_default();
    let json = decoded(seen);
    let pages =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {told} {}", &dom[..dom.len().min(3000)]));
    let console = told.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    let asked = asked.lock().unwrap().clone();
    Seen { pages, console, asked }
}

/// What `encodeURIComponent` encoded.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            octets.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            octets.push(*first);
            rest = after;
        }
    }
    String::from_utf8(octets).unwrap()
}

/// Each page of the data, and each hostile one, loads without an error or a request, and fits its window.
#[test]
fn pages_load_quietly_and_fit_a_phone() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("browser");
    let large = pages::large(&folder).into_iter().take(7);
    let cases: Vec<_> = pages::of_the_data()
        .into_iter()
        .chain(pages::hostile(&folder))
        .chain(pages::of_reports(&folder))
        .chain(large)
        .collect();
    let pages: Vec<String> = cases.iter().map(pages::Case::page).collect();
    let files: Vec<String> = pages
        .iter()
        .enumerate()
        .map(|(number, page)| format!("file://{}", folder.file(&format!("page-{number}.html"), page)))
        .collect();
    let Seen { pages: seen, console, asked } = look(&browser, &folder, &files);
    assert_eq!(console, Vec::<String>::new());
    assert_eq!(asked.iter().filter(|line| line.contains(".example")).count(), 0, "{asked:?}");
    assert_eq!(seen.len(), files.len() * WIDTHS.len());
    for (place, of) in seen.iter().enumerate() {
        let (case, page) = (&cases[place / WIDTHS.len()], &pages[place / WIDTHS.len()]);
        let name = format!("{} at {}", case.name, of["width"]);
        // All of it, or all but a bar for scrolling.
        assert!(of["client"].as_u64() > of["width"].as_u64().map(|width| width - 20), "{name}: {}", of["client"]);
        assert!(of["scroll"].as_u64() <= of["client"].as_u64(), "{name}: {} {}", of["scroll"], of["wide"]);
        assert_eq!(of["wide"], serde_json::json!([]), "{name}");
        assert_eq!(of["asked"], serde_json::json!([]), "{name}");
        // The style was let through: without it there is a margin.
        assert_eq!(of["styled"], "0px", "{name}");
        // The browser reads what the other parser reads.
        let document = support::html::Document::of(page);
        assert_eq!(words(of["text"].as_str().unwrap()), document.words(), "{name}");
        assert_eq!(of["elements"], document.elements.len(), "{name}");
    }
}

/// What the test above would hear of a page that does what ours must not do.
#[test]
fn the_browser_would_tell() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("browser-loud");
    let policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">";
    let pages = [
        "<!DOCTYPE html><body><img src=http://tracker.example/x>x".to_owned(),
        format!("<!DOCTYPE html>{policy}<body><script>alert(1)</script>x"),
        "<!DOCTYPE html><body><div style='width:2000px'>x</div>".to_owned(),
    ];
    let files: Vec<String> = pages
        .iter()
        .enumerate()
        .map(|(number, page)| format!("file://{}", folder.file(&format!("{number}.html"), page)))
        .collect();
    let Seen { pages: seen, console, asked } = look(&browser, &folder, &files);
    assert!(asked.iter().any(|line| line.contains("tracker.example")), "{asked:?}");
    assert!(console.iter().any(|line| line.contains("Content Security Policy")), "{console:?}");
    let wide = &seen[2 * WIDTHS.len()];
    assert!(wide["scroll"].as_u64() > wide["client"].as_u64(), "{wide}");
    assert_ne!(seen[0]["styled"], "0px", "{}", seen[0]);
}
