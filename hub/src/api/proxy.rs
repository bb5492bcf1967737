//! Which proxy the environment names, by the rules of curl: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
//!
//! The client's own rules take one proxy for all schemes, and `NO_PROXY=example.com` not for what is below it.

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use ureq::{Proxy, ProxyProtocol};
use url::Url;

use crate::failure::Failure;

/// The proxy for addresses of a scheme.
pub(super) fn of_scheme(
    scheme: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, Failure> {
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
    let hosts = either("NO_PROXY")
        .map(|(_, hosts)| hosts)
        .unwrap_or_default();
    let proxy = parse(value.trim(), &hosts).ok_or_else(|| {
        let error = format!("{name} is {value:?}, which is no address of a proxy");
        let hint = format!("set it as in {name}=http://proxy.example:3128, or unset it");
        ErrorBody::new(Code::USAGE, error).hint(hint)
    })?;
    Ok(Some(proxy))
}

fn parse(value: &str, no_proxy: &str) -> Option<Proxy> {
    let url = if value.contains("://") {
        Url::parse(value)
    } else {
        Url::parse(&format!("http://{value}"))
    };
    let url = url.ok()?;
    let protocol = ProxyProtocol::try_from(url.scheme()).ok()?;
    let mut builder = Proxy::builder(protocol).host(url.host_str()?);
    if let Some(port) = url.port_or_known_default() {
        builder = builder.port(port);
    }
    if !url.username().is_empty() {
        builder = builder.username(url.username());
    }
    if let Some(password) = url.password() {
        builder = builder.password(password);
    }
    for host in no_proxy
        .split(',')
        .map(str::trim)
        .filter(|it| !it.is_empty())
    {
        let host = host.strip_prefix('.').unwrap_or(host);
        builder = builder.no_proxy(host);
        if host != "*" {
            builder = builder.no_proxy(&format!(".{host}"));
        }
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(scheme: &str, variables: &[(&str, &str)]) -> Option<Proxy> {
        let find = |name: &str| {
            let found = variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        of_scheme(scheme, &find).unwrap()
    }

    #[test]
    fn each_scheme_has_its_own() {
        let variables = [("HTTPS_PROXY", "http://a:1"), ("ALL_PROXY", "b:2")];
        assert_eq!(proxy("https", &variables).unwrap().host(), "a");
        let all = proxy("http", &variables).unwrap();
        assert_eq!((all.host(), all.port()), ("b", 2));
        assert!(proxy("http", &[("HTTPS_PROXY", "http://a:1")]).is_none());
        assert!(of_scheme("http", &|_| Some("ftp://a".to_owned())).is_err());
    }

    #[test]
    fn hosts_without_proxy_include_those_below() {
        let variables = [
            ("https_proxy", "http://a:1"),
            ("NO_PROXY", "x.example, .y.example"),
        ];
        let proxy = proxy("https", &variables).unwrap();
        for (host, is_direct) in [
            ("x.example", true),
            ("cdn.x.example", true),
            ("y.example", true),
            ("z.example", false),
            ("ax.example", false),
        ] {
            let uri = format!("https://{host}/").parse().unwrap();
            assert_eq!(proxy.is_no_proxy(&uri), is_direct, "{host}");
        }
    }
}
