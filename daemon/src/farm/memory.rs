//! The machine's memory, as the kernel tells.

use std::fs;

use framepack_ipc::farm::HostMemory;

/// Memory of this machine; `None` if the system does not tell.
pub(crate) fn host_memory() -> Option<HostMemory> {
    parse(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse(meminfo: &str) -> Option<HostMemory> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
        Some(kilobytes * 1024)
    };
    Some(HostMemory {
        total_bytes: bytes("MemTotal:")?,
        free_bytes: bytes("MemAvailable:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_had_is_free() {
        let meminfo =
            "MemTotal:       16384 kB\nMemFree:           12 kB\nMemAvailable:    4096 kB\n";
        let expected = HostMemory {
            total_bytes: 16 << 20,
            free_bytes: 4 << 20,
        };
        assert_eq!(parse(meminfo), Some(expected));
        assert_eq!(parse("MemTotal: 12 kB\n"), None);
    }
}
