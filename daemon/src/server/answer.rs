//! The answer to each request: one file a message.

use framepack_ipc::control::{Request, Stream};

use super::{
    change::change, config::config, connection::Connection, doctor::doctor, enable::enable,
    events::events, farm::farm, list::list, log::log, metrics::metrics, ping::ping, plan::plan,
    preview::preview, queue::queue, records::records, scan::scan, service::Service, show::show,
    state::state, submit::submit, unanswered::Unanswered,
};

/// Carries out a request and sends what the client is to know of it, all but the reason why it has no answer.
pub(super) async fn answer(
    request: Request,
    service: &Service,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let response = match request {
        Request::Submit(request) => submit(service, request).await?,
        Request::List(request) => return list(service, request, connection).await,
        Request::Show(request) => return show(service, &request, connection).await,
        Request::Queue => queue(service).await?,
        Request::Change(request) => change(service, request).await?,
        Request::Plan(request) => plan(service, request).await?,
        Request::Preview(request) => return preview(service, request, connection).await,
        Request::Config => config(service),
        Request::Metrics => metrics(service).await?,
        Request::Doctor => doctor(service).await?,
        Request::State(request) => state(service, request).await?,
        Request::Scan => scan(service).await?,
        Request::Farm => farm(service).await?,
        Request::Ping => ping(service).await?,
        Request::EnableDevice(request) => enable(service, request).await?,
        Request::Stream(Stream::Events(request)) => {
            return events(service, &request, connection).await;
        }
        Request::Stream(Stream::Log(request)) => return log(service, &request, connection).await,
        Request::Stream(Stream::Records) => return records(service, connection).await,
    };
    Ok(connection.send(&response).await?)
}
