//! `show`: the selected jobs, those that have not run yet with the settings that they would have.

use framepack_ipc::control::SelectRequest;

use super::{
    connection::Connection, list::send, selected::selected, service::Service,
    unanswered::Unanswered,
};

pub(super) async fn show(
    service: &Service,
    request: &SelectRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let _long = connection.permit().long_message().await;
    let mut jobs = selected(service, request).await?;
    for job in &mut jobs {
        if job.runs.settings.is_empty() && !job.is_finished() {
            job.runs.settings = service.renderer.foreseen_settings(job);
        }
    }
    Ok(send(jobs, connection).await?)
}
