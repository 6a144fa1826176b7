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
//! [`Login`] is the way in for a person, [`Standing`] what is left of one.
//!
//! To add an identity: one file with a struct that implements `Identity`, and
//! its two lines here.

mod auth_url;
mod config;
mod envelope;
mod grant;
mod headers;
mod jwt;
pub mod kubeconfig;
mod login;
mod managed;
mod olares;
mod olares_id;
mod places;
mod private_file;
mod profile;
mod refresh;
mod standing;
mod token;
mod token_store;

pub use auth_url::{AuthUrl, AuthUrlError};
pub use config::{Config, ConfigError};
pub use grant::Grant;
pub use jwt::{JwtError, expires_at};
pub use login::{Entry, FirstFactor, Login, LoginError};
pub use olares::OlaresIdentity;
pub use olares_id::{OlaresId, OlaresIdError, Service};
pub use places::{Places, System};
pub use profile::{Profile, ProfileError, Reach};
pub use refresh::RefreshError;
pub use standing::Standing;
pub use token::{StaticToken, TokenError};
pub use token_store::{StoreError, TokenStore};
