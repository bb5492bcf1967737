//! What the servers are asked.

use std::{collections::BTreeMap, io::BufRead};

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Hub,
    Downloads,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) side: Side,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    headers: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether it is for the bytes of a file that is served by this side.
    pub(crate) fn is_file(&self, side: Side, path: &str) -> bool {
        self.side == side && self.path.ends_with(path) && !self.path.starts_with("/api/")
    }
}

/// The head of a request, also as a proxy gets it.
pub(crate) fn read(reader: &mut impl BufRead, side: Side) -> Option<Request> {
    let mut lines = reader.lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, address) = (words.next()?, words.next()?);
    let address = match address.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => address,
    };
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let path = match method {
        "CONNECT" => format!("CONNECT {path}"),
        _ => path.to_owned(),
    };
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
    Some(Request {
        side,
        path,
        query: query.to_owned(),
        headers: headers.collect(),
    })
}
