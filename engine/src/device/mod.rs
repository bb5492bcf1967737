//! The device as a resource: failures of torch as typed errors.

mod catch;

pub use catch::catch;
