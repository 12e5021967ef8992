//! SIGINT, by which a run is ended from a terminal.

use std::{fs, future};
use tokio::{runtime::Runtime, signal};

#[cfg(unix)]
type Signal = signal::unix::Signal;
#[cfg(windows)]
type Signal = signal::windows::CtrlC;

/// Those that come from now on.
#[derive(Debug)]
pub(crate) struct Interrupts(Option<Signal>);

impl Interrupts {
    /// Hears of SIGINT from now on; never where the system does not allow that, or whoever started the process wants it ignored, as
    /// shells do for what they run in the background.
    pub(crate) fn listen(runtime: &Runtime) -> Self {
        if fs::read_to_string("/proc/self/status").is_ok_and(|status| is_ignored(&status)) {
            return Self(None);
        }
        let _inside = runtime.enter();
        #[cfg(unix)]
        let signal = signal::unix::signal(signal::unix::SignalKind::interrupt());
        #[cfg(windows)]
        let signal = signal::windows::ctrl_c();
        Self(signal.ok())
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        let heard = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if heard.is_none() {
            future::pending().await
        }
    }
}

/// By the status of the process as Linux writes it: a bit for each signal, from 1 on.
fn is_ignored(status: &str) -> bool {
    const SIGINT: u32 = 2;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let signals = ignored.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    signals.is_some_and(|signals| signals & 1 << (SIGINT - 1) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_bit_is_that_of_sigint() {
        let status = |ignored| format!("Name:\tmailverdict\nSigBlk:\tffffffffffffffff\nSigIgn:\t{ignored}\n");
        for (ignored, expected) in
            [("0000000000000002", true), ("0000000000001007", true), ("0000000000001000", false), ("", false)]
        {
            assert_eq!(is_ignored(&status(ignored)), expected, "{ignored}");
        }
        assert!(!is_ignored(""));
    }
}
