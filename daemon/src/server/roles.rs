//! Who may do what: the kernel says which user is at the other end of a connection, the configuration what she may.

use std::ffi::CString;

use framepack_config::{Principal, SocketRoles};
use framepack_ipc::{
    ErrorBody,
    control::{PlanSubject, Request, Stream},
    queue::Scope,
    state::StateRequest,
};
use framepack_jobs::Code;
use nix::unistd::{Gid, Group, Uid, User, geteuid, getgrouplist};

use crate::start_error::StartError;

/// What a client may do. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Looking.
    Read,
    /// Submitting jobs, cancelling and changing them.
    Submit,
    /// What concerns the whole farm.
    Admin,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
        }
    }

    /// What a request takes.
    fn needed_for(request: &Request) -> Self {
        match request {
            Request::List(_)
            | Request::Show(_)
            | Request::Stream(Stream::Events(_) | Stream::Log(_))
            | Request::Queue
            | Request::Config
            | Request::Metrics
            | Request::Preview(_)
            | Request::Doctor
            | Request::Farm
            | Request::Ping
            | Request::State(StateRequest::Check) => Self::Read,
            Request::Plan(plan) => match plan.subject {
                PlanSubject::Job(_) => Self::Read,
                // Has the image copied, as submitting has.
                PlanSubject::File(_) => Self::Submit,
            },
            Request::Submit(_) | Request::Scan => Self::Submit,
            Request::EnableDevice(_) | Request::State(_) | Request::Stream(Stream::Records) => {
                Self::Admin
            }
            Request::Change(change) => match change.scope {
                Scope::Jobs(_) => Self::Submit,
                Scope::Group(_) | Scope::All => Self::Admin,
            },
        }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) user: Uid,
    /// The process' own, and those that the system lists for the user.
    groups: Vec<Gid>,
}

impl Peer {
    /// Asks the system for the user's groups, which can take a while where that is a directory service.
    pub(crate) fn look_up(user: Uid, group: Gid) -> Self {
        let listed = || {
            let name = CString::new(User::from_uid(user).ok()??.name).ok()?;
            getgrouplist(&name, group).ok()
        };
        let mut groups = listed().unwrap_or_default();
        groups.push(group);
        Self { user, groups }
    }

    fn is(&self, who: Grantee) -> bool {
        match who {
            Grantee::User(user) => self.user == user,
            Grantee::Group(group) => self.groups.contains(&group),
        }
    }
}

/// A user or group, as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grantee {
    User(Uid),
    Group(Gid),
}

/// `socket` of the configuration, names resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    admin: Vec<Grantee>,
    /// `None` = everybody who may open the socket; the same below.
    submit: Option<Vec<Grantee>>,
    read: Option<Vec<Grantee>>,
}

impl Roles {
    /// Fails on names that the system does not know: a typing mistake would lock people out, or let them in.
    pub(crate) fn resolve(configured: &SocketRoles) -> Result<Self, StartError> {
        let all = |key: &str, principals: &Option<Vec<Principal>>| {
            let resolved = principals
                .as_ref()
                .map(|principals| principals.iter().map(resolve).collect());
            resolved
                .transpose()
                .map_err(|reason| StartError::Principal {
                    key: format!("socket.{key}"),
                    reason,
                })
        };
        let default = || vec![Grantee::User(Uid::from_raw(0)), Grantee::User(geteuid())];
        Ok(Self {
            admin: all("admin", &configured.admin)?.unwrap_or_else(default),
            submit: all("submit", &configured.submit)?,
            read: all("read", &configured.read)?,
        })
    }

    /// A client's role; `None`: it may not even look.
    pub(crate) fn of(&self, peer: &Peer) -> Option<Role> {
        let is_any = |users: &[Grantee]| users.iter().any(|who| peer.is(*who));
        if is_any(&self.admin) {
            Some(Role::Admin)
        } else if self.submit.as_deref().is_none_or(is_any) {
            Some(Role::Submit)
        } else if self.read.as_deref().is_none_or(is_any) {
            Some(Role::Read)
        } else {
            None
        }
    }
}

/// Whom the configuration means, or why that is not known.
fn resolve(principal: &Principal) -> Result<Grantee, String> {
    let silent = |errno| format!("looking up {principal}: {errno}");
    let who = match principal {
        Principal::User(name) => match name.parse() {
            Ok(number) => Some(Grantee::User(Uid::from_raw(number))),
            Err(_) => User::from_name(name)
                .map_err(silent)?
                .map(|user| Grantee::User(user.uid)),
        },
        Principal::Group(name) => match name.parse() {
            Ok(number) => Some(Grantee::Group(Gid::from_raw(number))),
            Err(_) => Group::from_name(name)
                .map_err(silent)?
                .map(|group| Grantee::Group(group.gid)),
        },
    };
    who.ok_or_else(|| format!("{principal} does not exist on this system"))
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
        queue::{Change, ChangeRequest},
    };

    use super::*;

    fn roles(admin: Option<&str>, submit: Option<&str>, read: Option<&str>) -> Roles {
        let list = |text: Option<&str>| {
            text.map(|text| {
                text.split_terminator(',')
                    .map(|name| name.parse().unwrap())
                    .collect()
            })
        };
        let configured = SocketRoles {
            admin: list(admin),
            submit: list(submit),
            read: list(read),
        };
        Roles::resolve(&configured).unwrap()
    }

    fn peer(user: u32, groups: &[u32]) -> Peer {
        Peer {
            user: Uid::from_raw(user),
            groups: groups.iter().copied().map(Gid::from_raw).collect(),
        }
    }

    #[test]
    fn by_default_the_daemons_user_and_root_are_admins_and_all_others_submit() {
        let roles = roles(None, None, None);
        assert_eq!(roles.of(&peer(0, &[0])), Some(Role::Admin));
        assert_eq!(roles.of(&peer(geteuid().as_raw(), &[])), Some(Role::Admin));
        assert_eq!(roles.of(&peer(4_000_000, &[7])), Some(Role::Submit));
    }

    #[test]
    fn a_list_replaces_the_default_and_a_group_gives_its_role() {
        let roles = roles(Some("root"), Some("@2000"), Some("3000,@3001"));
        assert_eq!(roles.of(&peer(0, &[])), Some(Role::Admin));
        assert_eq!(roles.of(&peer(1000, &[5, 2000])), Some(Role::Submit));
        assert_eq!(roles.of(&peer(3000, &[5])), Some(Role::Read));
        assert_eq!(roles.of(&peer(1000, &[3001])), Some(Role::Read));
        assert_eq!(roles.of(&peer(1000, &[5])), None);
    }

    #[test]
    fn nobody_is_an_empty_list() {
        let roles = roles(Some(""), Some(""), None);
        assert_eq!(roles.of(&peer(0, &[])), Some(Role::Read));
    }

    #[test]
    fn names_that_the_system_lacks_are_refused() {
        let configured = SocketRoles {
            submit: Some(vec!["@no-such-group".parse().unwrap()]),
            ..SocketRoles::default()
        };
        let refused = Roles::resolve(&configured).unwrap_err().to_string();
        assert_eq!(
            refused,
            "socket.submit: @no-such-group does not exist on this system"
        );
    }

    #[test]
    fn a_user_has_the_groups_that_the_system_lists() {
        let root = Peer::look_up(Uid::from_raw(0), Gid::from_raw(12_345));
        assert!(root.groups.contains(&Gid::from_raw(12_345)));
        let unknown = Peer::look_up(Uid::from_raw(4_000_000), Gid::from_raw(7));
        assert_eq!(unknown, peer(4_000_000, &[7]));
    }

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
        let records = Request::Stream(Stream::Records);
        assert!(check(Some(Role::Submit), &records).is_err());
        assert!(check(Some(Role::Admin), &records).is_ok());
    }
}
