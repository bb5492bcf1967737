//! `show`: the selected jobs.

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
    let jobs = selected(service, request).await?;
    Ok(send(jobs, connection).await?)
}
