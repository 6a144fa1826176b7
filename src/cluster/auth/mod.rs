//! Who we are: profiles, the token store, renewal, fixed tokens, kubeconfig.
//!
//! `cli` fills [`Places`] from the environment, picks a row and hands the
//! [`Identity`](super::identity::Identity) to the client; nothing here reads
//! the environment or prompts. Every token that is learnt is made known to the
//! [`Redactor`](crate::secret::Redactor) before it is used.
//!
//! A forbidden never ends a login: `renew` is for tokens that were refused,
//! and only the server's refusal of the renewal itself is written down.
//!
//! To add an identity: one file with a struct that implements `Identity`, and
//! its two lines here.

mod auth_url;
mod config;
mod grant;
mod headers;
mod jwt;
pub mod kubeconfig;
mod login;
mod olares;
mod olares_id;
mod places;
mod private_file;
mod profile;
mod refresh;
mod token;
mod token_store;

pub use auth_url::{AuthUrl, AuthUrlError};
pub use config::{Config, ConfigError};
pub use grant::Grant;
pub use jwt::{JwtError, expires_at};
pub use olares::OlaresIdentity;
pub use olares_id::{OlaresId, OlaresIdError, Service};
pub use places::Places;
pub use profile::{Profile, ProfileError};
pub use refresh::RefreshError;
pub use token::{StaticToken, TokenError};
pub use token_store::{StoreError, TokenStore};
