//! kubeconfig: which cluster, and who we are there.
//!
//! [`Kubeconfig::merge`] takes the files as values, in the order of their
//! weight; [`Kubeconfig::select`] picks a context and gives an [`Access`]: the
//! [`Endpoint`] for the transport and the user for a [`KubernetesIdentity`].
//! Entries are decoded only when they are selected, so that a user we cannot
//! serve does not stand in the way of the others.
//!
//! To add a way to log in: a variant of `Credential` in `user.rs`, and its
//! `Source` in `source.rs`.

mod endpoint;
mod error;
mod exec;
mod fields;
mod identity;
mod merged;
mod source;
mod user;

pub use endpoint::Endpoint;
pub use error::KubeconfigError;
pub use identity::KubernetesIdentity;
pub use merged::{Access, Kubeconfig};
pub use user::User;

#[cfg(test)]
mod tests;
