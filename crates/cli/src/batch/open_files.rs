//! How many files this process may have open.

use std::fs;

/// Files that are open whatever is done.
const ALWAYS: usize = 32;
/// Files that a request may have open at the same time: its message, and a socket for each question that waits for the DNS.
const FOR_A_REQUEST: usize = 12;

/// As many requests as may be evaluated at the same time without a file being refused; `None` where the system does not tell.
pub(crate) fn affordable_requests() -> Option<usize> {
    requests_within(&fs::read_to_string("/proc/self/limits").ok()?)
}

/// By the soft limit of a table of limits as Linux writes it.
fn requests_within(limits: &str) -> Option<usize> {
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft: usize = files.split_whitespace().next()?.parse().ok()?;
    Some((soft.saturating_sub(ALWAYS) / FOR_A_REQUEST).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let limits = |soft| {
            format!(
                "Limit                     Soft Limit  Hard Limit  Units\nMax open files            {soft}  4096  files\n"
            )
        };
        assert_eq!(requests_within(&limits("1024")), Some(82));
        assert_eq!(requests_within(&limits("16")), Some(1));
        assert_eq!(requests_within(&limits("unlimited")), None);
        assert_eq!(requests_within("Max processes  1  1  processes\n"), None);
    }
}
