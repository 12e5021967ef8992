//! A line on a terminal while answers are waited for.

use mailverdict::lint::Scope;
use std::{
    io::{self, IsTerminal as _, Write as _},
    pin::pin,
    time::Duration,
};

/// Who waits longer is told so.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells on standard error that something is waited for, where that is a terminal, and takes the line away at the end.
pub(super) async fn shown<F: Future>(scope: &Scope, look: F) -> F::Output {
    let mut look = pin!(look);
    if !io::stderr().is_terminal() {
        return look.await;
    }
    if let Ok(done) = tokio::time::timeout(PATIENCE, look.as_mut()).await {
        return done;
    }
    // Nothing more can be said where standard error is closed.
    let _ = write!(io::stderr(), "\rwaiting for answers of the DNS about {} ...", scope.domain());
    let done = look.await;
    let _ = write!(io::stderr(), "\r\x1b[K");
    done
}
