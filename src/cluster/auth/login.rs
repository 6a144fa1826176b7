//! What the auth host of Olares is told and answers: one envelope for first factor, second factor and refresh.
//!
//! Only the refresh is asked for today; a login adds its request bodies here
//! and reads the same [`Envelope`].

use serde::{Deserialize, Serialize};

/// The body of a refresh.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefreshBody<'a> {
    pub(super) refresh_token: &'a str,
}

/// The answer to all three.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    data: Option<Tokens>,
}

/// What a granted answer carries.
#[derive(Deserialize, Default)]
pub(super) struct Tokens {
    #[serde(default)]
    pub(super) access_token: Option<String>,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
    #[serde(default)]
    pub(super) session_id: Option<String>,
}

impl Envelope {
    /// The tokens, or the server's words where it declined.
    pub(super) fn granted(self) -> Result<Tokens, String> {
        if self.status.eq_ignore_ascii_case("OK") {
            return Ok(self.data.unwrap_or_default());
        }
        Err(match self.message.filter(|message| !message.is_empty()) {
            Some(message) => format!("{}: {message}", self.status),
            None => self.status,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tokens, String> {
        serde_json::from_str::<Envelope>(text).expect("an envelope").granted()
    }

    #[test]
    fn ok_in_any_case_grants_and_the_rest_declines_in_the_servers_words() {
        let granted = read(r#"{"status":"ok","data":{"access_token":"a","fa2":false,"expires_in":3600}}"#);
        assert_eq!(granted.ok().and_then(|tokens| tokens.access_token).as_deref(), Some("a"));
        assert_eq!(
            read(r#"{"status":"KO","message":"Session expired"}"#).err().as_deref(),
            Some("KO: Session expired")
        );
        assert_eq!(read(r#"{"status":"FAIL","data":null}"#).err().as_deref(), Some("FAIL"));
    }

    #[test]
    fn the_refresh_body_has_the_key_of_the_wire() {
        let body = serde_json::to_string(&RefreshBody { refresh_token: "rt" }).expect("JSON");
        assert_eq!(body, r#"{"refreshToken":"rt"}"#);
    }
}
