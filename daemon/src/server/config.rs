//! `config`: what the daemon runs with, and what of it its devices can't do.

use framepack_ipc::control::Response;
use framepack_jobs::settings::TABLE;

use super::service::Service;

pub(super) fn config(service: &Service) -> Response {
    let running = service.running.now();
    let farm = &running.config.farm;
    let inactive = farm.clone().on(service.renderer.lacks.of_all()).inactive();
    let mut settings = running.settings.clone();
    for setting in &mut settings {
        let row = TABLE.into_iter().find(|row| row.key == setting.key);
        let reason = row.and_then(|row| inactive.reason(row, farm.get(row)?));
        setting.inactive = reason.map_or(setting.inactive.take(), |reason| Some(reason.to_owned()));
    }
    Response::Config { settings }
}
