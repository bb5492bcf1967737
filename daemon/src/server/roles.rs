//! What each request takes, and whether who asks may do that.

use framepack_ipc::{
    ErrorBody,
    control::{PlanSubject, Request, Stream},
    queue::Scope,
    state::StateRequest,
    upkeep::{CacheRequest, GcMode, GcRequest},
};
use framepack_jobs::Code;

use crate::roles::Role;

impl Role {
    /// What a request takes.
    fn needed_for(request: &Request) -> Self {
        match request {
            Request::List(_)
            | Request::Show(_)
            | Request::Stream(
                Stream::Events(_) | Stream::EventLog(_) | Stream::Idle | Stream::Log(_),
            )
            | Request::Queue
            | Request::Config
            | Request::Metrics
            | Request::Preview(_)
            | Request::StartImage(_)
            | Request::Doctor
            | Request::Farm
            | Request::Info
            | Request::Usage(_)
            | Request::Gc(GcRequest {
                mode: GcMode::DryRun,
            })
            | Request::Caches(CacheRequest::List)
            | Request::Ping
            | Request::State(StateRequest::Check) => Self::Read,
            Request::Plan(plan) => match plan.subject {
                PlanSubject::Job(_) => Self::Read,
                // Has the image copied, as submitting has.
                PlanSubject::File(_) => Self::Submit,
            },
            Request::Submit(_)
            | Request::Scan
            | Request::JobFile(_)
            | Request::Edit(_)
            | Request::Set(_)
            | Request::Remove(_) => Self::Submit,
            Request::EnableDevice(_)
            | Request::Gc(_)
            | Request::Caches(_)
            | Request::Reload
            | Request::State(_)
            | Request::Stream(Stream::Records)
            | Request::Unload(_)
            | Request::WarmUp(_) => Self::Admin,
            Request::Change(change) => match change.scope {
                Scope::Jobs(_) => Self::Submit,
                Scope::Group(_) | Scope::All => Self::Admin,
            },
        }
    }
}

/// A request, unless it takes more than `role` or is none.
pub(super) fn permitted(
    role: Option<Role>,
    request: Result<Request, ErrorBody>,
) -> Result<Request, ErrorBody> {
    let request = request?;
    check(role, &request).map(|()| request)
}

/// Refuses a request that takes more than `role`.
fn check(role: Option<Role>, request: &Request) -> Result<(), ErrorBody> {
    let needed = Role::needed_for(request);
    match role {
        Some(role) if role >= needed => Ok(()),
        other => {
            let has = other.map_or("none", Role::name);
            let needed = needed.name();
            let message = format!("this needs the role {needed}; yours is {has}");
            Err(ErrorBody::new(Code::NOT_PERMITTED, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use framepack_ipc::{
        control::{ListRequest, SelectRequest},
        event::EventsRequest,
        queue::{Change, ChangeRequest},
    };

    use super::*;

    #[test]
    fn looking_submitting_and_the_rest() {
        let jobs = || vec!["1".parse().unwrap()];
        let cancel = Request::Change(ChangeRequest {
            scope: Scope::Jobs(jobs()),
            change: Change::Cancel,
        });
        let list = Request::List(ListRequest::default());
        assert!(check(Some(Role::Read), &list).is_ok());
        assert!(check(Some(Role::Submit), &cancel).is_ok());
        let refused = check(Some(Role::Read), &cancel).unwrap_err();
        assert_eq!(refused.message, "this needs the role submit; yours is read");
        assert!(check(None, &list).is_err());
        let events = Request::Stream(Stream::Events(SelectRequest { jobs: jobs() }));
        assert!(check(Some(Role::Read), &events).is_ok());
        let gc = |mode| Request::Gc(GcRequest { mode });
        assert!(check(Some(Role::Read), &gc(GcMode::DryRun)).is_ok());
        assert!(check(Some(Role::Submit), &gc(GcMode::Remove)).is_err());
        assert!(check(Some(Role::Read), &Request::Caches(CacheRequest::List)).is_ok());
        let clear = Request::Caches(CacheRequest::Clear { kind: None });
        assert!(check(Some(Role::Submit), &clear).is_err());
        let log = Request::Stream(Stream::EventLog(EventsRequest::default()));
        assert!(check(Some(Role::Read), &log).is_ok());
        assert!(check(Some(Role::Read), &Request::Stream(Stream::Idle)).is_ok());
        let records = Request::Stream(Stream::Records);
        assert!(check(Some(Role::Submit), &records).is_err());
        assert!(check(Some(Role::Admin), &records).is_ok());
    }
}
