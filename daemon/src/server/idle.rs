//! `wait --idle`: the end, once nothing runs and nothing is ready to start.

use std::time::Duration;

use framepack_ipc::{
    ErrorBody,
    control::{Request, Response},
};
use framepack_jobs::Code;
use tokio::{select, time::sleep};

use super::{connection::Connection, service::Service, unanswered::Unanswered};
use crate::queue::Stopping;

/// How often it is looked at in any case: what jobs wait for may change with the time.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) async fn idle(service: &Service, connection: &mut Connection) -> Result<(), Unanswered> {
    let mut events = service.events.clone();
    while !service.queue.is_idle().await? {
        select! {
            changed = events.changed() => changed.map_err(|_| Stopping)?,
            () = sleep(PAUSE) => {}
            request = connection.receive::<Request>() => {
                if request?.is_none() {
                    return Ok(());
                }
                let message = "no other request is accepted on a connection that waits";
                return Err(ErrorBody::new(Code::BAD_MESSAGE, message).into());
            }
        }
    }
    Ok(connection.send(&Response::End).await?)
}
