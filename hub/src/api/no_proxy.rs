//! Which hosts are asked without a proxy: the entries of `NO_PROXY`, by the rules of curl and of Python's `requests`.

use std::net::IpAddr;

use url::{Host, Url};

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exception {
    /// `*`
    All,
    /// `example.com`, which stands for all hosts below it, too; with `:PORT` for that port alone.
    Name { name: String, port: Option<u16> },
    /// `192.168.0.0/16`, or one address.
    Network {
        address: IpAddr,
        bits: u32,
        port: Option<u16>,
    },
}

/// All entries of a list.
pub(super) fn exceptions(list: &str) -> Vec<Exception> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries
        .filter(|entry| !entry.is_empty())
        .map(Exception::parse)
        .collect()
}

impl Exception {
    fn parse(entry: &str) -> Self {
        if entry == "*" {
            return Self::All;
        }
        if let Some(network) = network(entry) {
            return network;
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => match port.parse() {
                Ok(port) => (name, Some(port)),
                Err(_) => (entry, None),
            },
            None => (entry, None),
        };
        if let Some(address) = address(name) {
            let bits = width(address);
            return Self::Network {
                address,
                bits,
                port,
            };
        }
        let name = name.strip_prefix('*').unwrap_or(name);
        let name = name.trim_matches('.').to_ascii_lowercase();
        Self::Name { name, port }
    }

    pub(super) fn covers(&self, url: &Url) -> bool {
        let is_port = |port: &Option<u16>| port.is_none() || *port == url.port_or_known_default();
        match (self, url.host()) {
            (Self::All, _) => true,
            (Self::Name { name, port }, Some(Host::Domain(host))) => {
                let above = host.strip_suffix(&**name);
                is_port(port) && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (
                Self::Network {
                    address,
                    bits,
                    port,
                },
                Some(host),
            ) => {
                let host = match host {
                    Host::Ipv4(host) => IpAddr::V4(host),
                    Host::Ipv6(host) => IpAddr::V6(host),
                    Host::Domain(_) => return false,
                };
                is_port(port) && is_in(host, *address, *bits)
            }
            _ => false,
        }
    }
}

/// An address alone, or with the bits that count.
fn network(entry: &str) -> Option<Exception> {
    let (text, bits) = match entry.split_once('/') {
        Some((text, bits)) => (text, Some(bits.parse().ok()?)),
        None => (entry, None),
    };
    let address = address(text)?;
    let bits = bits.unwrap_or(width(address));
    (bits <= width(address)).then_some(Exception::Network {
        address,
        bits,
        port: None,
    })
}

/// `127.0.0.1`, `::1` or `[::1]`.
fn address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inner.unwrap_or(text).parse().ok()
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => u32::BITS,
        IpAddr::V6(_) => u128::BITS,
    }
}

/// Whether the first `bits` of two addresses are the same.
fn is_in(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    let differ = match (host, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let differ = a.to_bits() ^ b.to_bits();
            u128::from(differ.checked_shr(u32::BITS - bits).unwrap_or(0))
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let differ = a.to_bits() ^ b.to_bits();
            differ.checked_shr(u128::BITS - bits).unwrap_or(0)
        }
        _ => return false,
    };
    differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_networks_and_ports_are_told_apart() {
        for (list, url, is_covered) in [
            ("x.example", "https://x.example/", true),
            ("X.Example", "https://cdn.x.example/", true),
            (".x.example", "https://x.example/", true),
            ("*.x.example", "https://cdn.x.example/", true),
            ("x.example", "https://ax.example/", false),
            ("x.example:8080", "http://x.example:8080/", true),
            ("x.example:8080", "http://x.example/", false),
            ("x.example:443", "https://x.example/", true),
            ("a, x.example", "https://x.example/", true),
            ("a x.example", "https://x.example/", true),
            ("127.0.0.1", "http://127.0.0.1:9/", true),
            ("127.0.0.1:8", "http://127.0.0.1:9/", false),
            ("127.0.0.1:9", "http://127.0.0.1:9/", true),
            ("10.0.0.0/8", "http://10.1.2.3/", true),
            ("10.0.0.0/8", "http://11.1.2.3/", false),
            ("10.0.0.0/33", "http://10.1.2.3/", false),
            ("0.0.0.0/0", "http://10.1.2.3/", true),
            ("10.0.0.0/8", "http://name.example/", false),
            ("::1", "http://[::1]:9/", true),
            ("[::1]:9", "http://[::1]:9/", true),
            ("fd00::/8", "http://[fd12::1]/", true),
            ("fd00::/8", "http://[fe12::1]/", false),
            ("*", "http://any.example/", true),
            ("", "http://any.example/", false),
        ] {
            let url = url.parse().unwrap();
            let covered = exceptions(list).iter().any(|it| it.covers(&url));
            assert_eq!(covered, is_covered, "{list} {url}");
        }
    }
}
