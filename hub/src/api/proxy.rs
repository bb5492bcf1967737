//! Which proxy the environment names, by the rules of curl: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
//!
//! The client's own rules take one proxy for all schemes, and know neither ports nor networks in `NO_PROXY`.

use std::fmt;

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use ureq::{Proxy, ProxyProtocol};
use url::Url;

use super::no_proxy::{Exception, exceptions};
use crate::failure::Failure;

/// A proxy, and where it is named.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) proxy: Proxy,
    /// The variable, as it is written.
    pub(super) variable: String,
    exceptions: Vec<Exception>,
}

impl Named {
    /// Whether an address of its scheme is asked through it.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        !self.exceptions.iter().any(|it| it.covers(url))
    }
}

impl fmt::Display for Named {
    /// Without the user and the password that it may want.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            proxy, variable, ..
        } = self;
        write!(f, "proxy {}:{} ({variable})", proxy.host(), proxy.port())
    }
}

/// The proxy for addresses of a scheme.
pub(super) fn of_scheme(
    scheme: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Named>, Failure> {
    let either = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let said = variable(&lower).map(|value| (lower.clone(), value));
        let said = said.or_else(|| variable(name).map(|value| (name.to_owned(), value)));
        said.filter(|(_, value)| !value.trim().is_empty())
    };
    let own = format!("{}_PROXY", scheme.to_ascii_uppercase());
    let Some((name, value)) = either(&own).or_else(|| either("ALL_PROXY")) else {
        return Ok(None);
    };
    let proxy = parse(value.trim()).ok_or_else(|| {
        let error = format!("{name} is {value:?}, which is no address of a proxy");
        let hint = format!("set it as in {name}=http://proxy.example:3128, or unset it");
        ErrorBody::new(Code::USAGE, error).hint(hint)
    })?;
    let list = either("NO_PROXY").map(|(_, list)| list);
    Ok(Some(Named {
        proxy,
        variable: name,
        exceptions: exceptions(&list.unwrap_or_default()),
    }))
}

fn parse(value: &str) -> Option<Proxy> {
    let url = if value.contains("://") {
        Url::parse(value)
    } else {
        Url::parse(&format!("http://{value}"))
    };
    let url = url.ok()?;
    let is_proxy = url.has_host() && ProxyProtocol::try_from(url.scheme()).is_ok();
    // It decodes user and password, which the address has encoded.
    Proxy::new(url.as_str()).ok().filter(|_| is_proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(scheme: &str, variables: &[(&str, &str)]) -> Option<Named> {
        let find = |name: &str| {
            let found = variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        of_scheme(scheme, &find).unwrap()
    }

    #[test]
    fn each_scheme_has_its_own() {
        let variables = [("HTTPS_PROXY", "http://u:secret@a:1"), ("all_proxy", "b:2")];
        let told = |scheme| named(scheme, &variables).unwrap().to_string();
        assert_eq!(told("https"), "proxy a:1 (HTTPS_PROXY)");
        assert_eq!(told("http"), "proxy b:2 (all_proxy)");
        assert!(named("http", &[("HTTPS_PROXY", "http://a:1")]).is_none());
        let with_signs = [("HTTP_PROXY", "http://u:p%40ss%2F1@a:1")];
        let with_signs = named("http", &with_signs).unwrap().proxy;
        assert_eq!(with_signs.password(), Some("p@ss/1"));
        assert!(of_scheme("http", &|_| Some("ftp://a".to_owned())).is_err());
    }

    #[test]
    fn hosts_without_proxy_are_excepted() {
        let variables = [("https_proxy", "http://a:1"), ("NO_PROXY", "x.example")];
        let proxy = named("https", &variables).unwrap();
        assert!(!proxy.is_for(&"https://cdn.x.example/".parse().unwrap()));
        assert!(proxy.is_for(&"https://z.example/".parse().unwrap()));
    }
}
