//! `config`: what the daemon was started with.

use framepack_ipc::control::Response;

use super::service::Service;

pub(super) fn config(service: &Service) -> Response {
    Response::Config {
        settings: service.settings.to_vec(),
    }
}
