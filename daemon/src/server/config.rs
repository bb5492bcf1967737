//! `config`: what the daemon was started with.

use framepack_ipc::control::Response;

use super::Service;

impl Service {
    pub(super) fn config(&self) -> Response {
        Response::Config {
            settings: self.settings.to_vec(),
        }
    }
}
