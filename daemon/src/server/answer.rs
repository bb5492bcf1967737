//! The answer to each request: one file a message.

use framepack_ipc::control::{Request, Stream};

use super::{
    caches::caches,
    change::change,
    config::config,
    connection::Connection,
    doctor::doctor,
    edit::{edit, job_file, set},
    enable::enable,
    event_log::event_log,
    events::events,
    farm::farm,
    gc::gc,
    idle::idle,
    info::info,
    list::list,
    log::log,
    metrics::metrics,
    ping::ping,
    plan::plan,
    preview::preview,
    queue::queue,
    records::records,
    reload::reload,
    remove::remove,
    scan::scan,
    service::Service,
    show::show,
    start_image::start_image,
    state::state,
    submit::submit,
    unanswered::Unanswered,
    unload::unload,
    usage::usage,
    warm_up::warm_up,
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
        Request::JobFile(request) => job_file(service, request).await?,
        Request::Edit(request) => edit(service, request).await?,
        Request::Set(request) => set(service, request).await?,
        Request::Remove(request) => remove(service, request).await?,
        Request::Plan(request) => plan(service, request).await?,
        Request::Preview(request) => return preview(service, request, connection).await,
        Request::StartImage(request) => {
            return start_image(service, request, connection).await;
        }
        Request::Config => config(service),
        Request::Metrics => metrics(service).await?,
        Request::Doctor => doctor(service).await?,
        Request::State(request) => state(service, request).await?,
        Request::Scan => scan(service).await?,
        Request::Farm => farm(service).await?,
        Request::Ping => ping(service).await?,
        Request::Info => info(service).await?,
        Request::Usage(request) => usage(service, request).await?,
        Request::Gc(request) => gc(service, &request).await?,
        Request::Caches(request) => caches(service, request).await?,
        Request::EnableDevice(request) => enable(service, request).await?,
        Request::Reload => reload(service).await?,
        Request::WarmUp(request) => warm_up(service, request).await?,
        Request::Unload(request) => unload(service, request).await?,
        Request::Stream(Stream::Events(request)) => {
            return events(service, &request, connection).await;
        }
        Request::Stream(Stream::EventLog(request)) => {
            return event_log(service, request, connection).await;
        }
        Request::Stream(Stream::Idle) => return idle(service, connection).await,
        Request::Stream(Stream::Log(request)) => return log(service, &request, connection).await,
        Request::Stream(Stream::Records) => return records(service, connection).await,
    };
    Ok(connection.send(&response).await?)
}
