//! The credential that the platform issues to an application in its container.
//!
//! It is mounted as a file and stays there: the refresh token in it is never
//! copied to the token store, since the mount is the only copy that the
//! platform can take back (wire §2.4).

use std::path::Path;

use serde::Deserialize;

use super::olares_id::OlaresId;
use crate::secret::Secret;

/// A refresh token that the platform holds for us.
#[derive(Debug, Clone)]
pub(super) struct ManagedCredential {
    pub(super) refresh: Secret,
    pub(super) olares_id: OlaresId,
    /// The application it was issued to.
    pub(super) app: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mounted {
    #[serde(default)]
    refresh_token: String,
    #[serde(default)]
    olares_id: String,
    #[serde(default)]
    app_name: String,
}

impl ManagedCredential {
    /// Reads the mount; one that is not there, not whole or not readable counts as none, as for olares-cli.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mounted: Mounted = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let (refresh, app) = (mounted.refresh_token.trim(), mounted.app_name.trim());
        let whole = !refresh.is_empty() && !app.is_empty();
        let olares_id = mounted.olares_id.parse().ok().filter(|_| whole)?;
        Some(Self { refresh: Secret::new(refresh), olares_id, app: app.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_credential_is_one() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("credential.json");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            ManagedCredential::read(&path)
        };
        let whole = read(r#"{"refreshToken":" grant\n","olaresId":"mira@olares.com","appName":"shop","new":1}"#);
        let whole = whole.expect("a credential");
        assert_eq!((whole.refresh.expose(), whole.app.as_str()), ("grant", "shop"));
        for broken in [
            "",
            "[]",
            r#"{"refreshToken":"g","olaresId":"mira@olares.com"}"#,
            r#"{"refreshToken":" ","olaresId":"mira@olares.com","appName":"shop"}"#,
            r#"{"refreshToken":"g","olaresId":"a/b","appName":"shop"}"#,
        ] {
            assert!(read(broken).is_none(), "{broken}");
        }
        assert!(ManagedCredential::read(&root.path().join("nowhere")).is_none());
    }
}
