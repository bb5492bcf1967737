//! What the kernel says of a worker's process, for reports of its hanging or dying.

use std::{fmt, fs};

/// State and memory of a process, as far as they can be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Vitals {
    /// One letter, as in `ps`.
    state: Option<char>,
    resident_kib: Option<u64>,
    swapped_kib: Option<u64>,
}

impl Vitals {
    pub(super) fn of(pid: u32) -> Self {
        fs::read_to_string(format!("/proc/{pid}/status"))
            .map(|status| Self::parse(&status))
            .unwrap_or_default()
    }

    fn parse(status: &str) -> Self {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').split_whitespace().next()
        };
        let kib = |name| field(name)?.parse().ok();
        Self {
            state: field("State").and_then(|state| state.chars().next()),
            resident_kib: kib("VmRSS"),
            swapped_kib: kib("VmSwap"),
        }
    }
}

impl fmt::Display for Vitals {
    /// `waits for a device (D), 12.0 GiB resident, 3.0 GiB swapped out`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            Some('D') => f.write_str("is waiting for a disk or device (D)")?,
            Some('T' | 't') => f.write_str("is stopped (T)")?,
            Some('R') => f.write_str("is running (R)")?,
            Some('S') => f.write_str("is sleeping (S)")?,
            Some(other) => write!(f, "is in state {other}")?,
            None => f.write_str("is in an unknown state")?,
        }
        let gib = |kib: u64| kib as f64 / f64::from(1 << 20);
        if let Some(resident) = self.resident_kib {
            write!(f, ", {:.1} GiB resident", gib(resident))?;
        }
        match self.swapped_kib {
            Some(swapped) if swapped > 0 => write!(f, ", {:.1} GiB swapped out", gib(swapped)),
            _ => Ok(()),
        }
    }
}

/// How many processes the kernel has killed for want of memory since it started; 0 if it does not say.
pub(super) fn oom_kills() -> u64 {
    let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = vmstat
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_in_words() {
        let status = "Name:\tworker\nState:\tD (disk sleep)\nPid:\t7\nVmRSS:\t 12582912 kB\nVmSwap:\t 3145728 kB\n";
        let expected =
            "is waiting for a disk or device (D), 12.0 GiB resident, 3.0 GiB swapped out";
        assert_eq!(Vitals::parse(status).to_string(), expected);
        let status = "State:\tS (sleeping)\nVmRSS:\t 1048576 kB\nVmSwap:\t 0 kB\n";
        assert_eq!(
            Vitals::parse(status).to_string(),
            "is sleeping (S), 1.0 GiB resident"
        );
        assert_eq!(Vitals::default().to_string(), "is in an unknown state");
        let own = Vitals::of(std::process::id());
        assert!(own.resident_kib > Some(0), "{own:?}");
    }
}
