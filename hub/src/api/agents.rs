//! Who makes the connections: directly, or through the proxy of a scheme.

use std::{sync::Arc, time::Duration};

use ureq::{
    Agent, Proxy,
    tls::{RootCerts, TlsConfig, TlsProvider},
};
use url::Url;

use super::proxy::{self, Named};
use crate::failure::Failure;

/// All ways to a host.
#[derive(Debug)]
pub(super) struct Agents {
    direct: Agent,
    http: Option<Proxied>,
    https: Option<Proxied>,
}

#[derive(Debug)]
struct Proxied {
    agent: Agent,
    through: Named,
}

impl Agents {
    /// `timeout` is for a connection, for an answer, and for the next byte.
    pub(super) fn new(timeout: Duration) -> Result<Self, Failure> {
        Ok(Self {
            direct: agent(None, timeout),
            http: proxied("http", timeout)?,
            https: proxied("https", timeout)?,
        })
    }

    /// The one for an address, and the proxy that it asks.
    pub(super) fn of(&self, url: &Url) -> (&Agent, Option<&Named>) {
        let proxied = match url.scheme() {
            "https" => &self.https,
            _ => &self.http,
        };
        match proxied.as_ref().filter(|it| it.through.is_for(url)) {
            Some(proxied) => (&proxied.agent, Some(&proxied.through)),
            None => (&self.direct, None),
        }
    }
}

fn proxied(scheme: &str, timeout: Duration) -> Result<Option<Proxied>, Failure> {
    let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    let named = proxy::of_scheme(scheme, &variable)?;
    Ok(named.map(|through| Proxied {
        agent: agent(Some(through.proxy.clone()), timeout),
        through,
    }))
}

fn agent(proxy: Option<Proxy>, timeout: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        // The system's certificates: those of a company's own proxy are among them.
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(proxy)
        .tls_config(tls)
        .user_agent(concat!("framepack-models/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(timeout))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout));
    config.build().new_agent()
}
