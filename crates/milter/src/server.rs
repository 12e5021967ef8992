//! Connections are taken, until the program is told to end.

use crate::{
    config::{Config, LogLevel},
    connection::{Connection, Surroundings as _},
    shared::Shared,
    socket::Socket,
};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::timeout,
};

/// Octets of a request for numbers.
const MAX_REQUEST: usize = 4096;
/// How long whoever asks for numbers may take.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// Before another connection is tried to be taken, where the system has no room for it.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until SIGTERM or SIGINT, and then until the messages are done that were begun. SIGHUP reads the file of the configuration again.
///
/// # Errors
/// Those of the system, where it lets nobody listen.
pub async fn serve(
    shared: Arc<Shared>,
    sockets: Vec<Socket>,
    metrics: Option<std::net::TcpListener>,
    file: Option<PathBuf>,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut listeners = JoinSet::new();
    for socket in sockets {
        shared.log().event(LogLevel::Info, &format!("listening at {}", socket.place()));
        listeners.spawn(listen(Arc::clone(&shared), socket));
    }
    if let Some(metrics) = metrics {
        let metrics = TcpListener::from_std(metrics)?;
        tokio::spawn(serve_metrics(Arc::clone(&shared), metrics));
    }
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => reload(&shared, file.as_deref()),
        }
    }
    shared.log().event(LogLevel::Info, "ending: messages that were begun are finished");
    shared.end();
    let limit = shared.running().config.limits.shutdown;
    let rest = timeout(limit, async { while listeners.join_next().await.is_some() {} });
    if rest.await.is_err() {
        shared.log().event(LogLevel::Warn, "messages that were begun took too long, and are given up");
    }
    Ok(())
}

fn reload(shared: &Shared, file: Option<&std::path::Path>) {
    let Some(file) = file else { return };
    let loaded = Config::read(file).map_err(|error| error.to_string());
    match loaded.and_then(|config| shared.reload(config).map_err(|error| error.to_string())) {
        Ok(()) => shared.log().event(LogLevel::Info, "the configuration was read anew"),
        Err(error) => {
            shared.log().event(LogLevel::Error, &format!("the configuration stays as it was: {error}"));
        }
    }
}

/// Takes connections at one place, and waits for them at the end.
async fn listen(shared: Arc<Shared>, socket: Socket) {
    let mut connections = JoinSet::new();
    let place = socket.place();
    let taken = match socket {
        Socket::Inet(listener) => match TcpListener::from_std(listener) {
            Ok(listener) => accept(&shared, &mut connections, &listener).await,
            Err(error) => Err(error),
        },
        Socket::Unix(listener, _file) => match UnixListener::from_std(listener) {
            Ok(listener) => accept(&shared, &mut connections, &listener).await,
            Err(error) => Err(error),
        },
    };
    if let Err(error) = taken {
        shared.log().event(LogLevel::Error, &format!("nobody listens at {place} any more: {error}"));
    }
    while connections.join_next().await.is_some() {}
}

/// Who has connections to be taken.
trait Accept: Sync {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.accept().await?;
        // Answers are short, and waited for.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

async fn accept(shared: &Arc<Shared>, connections: &mut JoinSet<()>, listener: &impl Accept) -> io::Result<()> {
    loop {
        let stream = tokio::select! {
            stream = listener.next() => stream,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            () = shared.ending() => return Ok(()),
        };
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                shared.log().event(LogLevel::Warn, &format!("a connection could not be taken: {error}"));
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let most = u64::try_from(shared.running().config.limits.connections).unwrap_or(u64::MAX);
        let open = &shared.metrics.connections;
        if open.fetch_add(1, Ordering::Relaxed) >= most {
            open.fetch_sub(1, Ordering::Relaxed);
            shared.metrics.refused.fetch_add(1, Ordering::Relaxed);
            shared.log().event(LogLevel::Warn, "a connection too many was closed");
            continue;
        }
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let counted = Counted(&shared);
            if let Err(fault) = Connection::new(stream, &*shared).serve().await {
                shared.log().event(LogLevel::Warn, &fault.to_string());
            }
            drop(counted);
        });
    }
}

/// A connection is counted until it ends, however it does.
struct Counted<'s>(&'s Shared);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers whoever asks for `/metrics`, one after the other.
async fn serve_metrics(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            // Who is slow is not waited for.
            Ok((stream, _)) => drop(timeout(REQUEST_TIME, answer(&shared, stream)).await),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn answer(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        if request.len() > MAX_REQUEST || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let is_known = [&b"GET /metrics "[..], b"GET /metrics?"].iter().any(|start| request.starts_with(start));
    let (status, body) = if is_known { ("200 OK", shared.metrics.text()) } else { ("404 Not Found", String::new()) };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
