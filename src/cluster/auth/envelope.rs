//! What the auth host of Olares is told and answers (wire §2.4, §2.5): one
//! envelope for first factor, second factor and refresh.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

/// The body of a refresh.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefreshBody<'a> {
    pub(super) refresh_token: &'a str,
}

/// The body of the first factor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstFactorBody<'a> {
    pub(super) username: &'a str,
    /// Not the password itself: [`password_hash`].
    pub(super) password: &'a str,
    pub(super) keep_me_logged_in: bool,
    pub(super) request_method: &'static str,
    #[serde(rename = "targetURL")]
    pub(super) target_url: &'a str,
    pub(super) accept_cookie: bool,
}

/// The body of the second factor; the same goal as before has another spelling here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecondFactorBody<'a> {
    pub(super) target_url: &'a str,
    pub(super) token: &'a str,
}

/// What travels instead of a password: the server's own salt and hash, no protection.
pub(super) fn password_hash(password: &str) -> String {
    let digest = Md5::digest(format!("{password}@Olares2025"));
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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
    /// Only a second factor makes it a login.
    #[serde(default)]
    pub(super) fa2: bool,
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

    #[test]
    fn the_login_bodies_have_the_keys_of_the_wire() {
        let first = FirstFactorBody {
            username: "mira",
            password: "hash",
            keep_me_logged_in: false,
            request_method: "POST",
            target_url: "https://desktop.mira.olares.com",
            accept_cookie: true,
        };
        assert_eq!(
            serde_json::to_string(&first).expect("JSON"),
            r#"{"username":"mira","password":"hash","keepMeLoggedIn":false,"requestMethod":"POST","targetURL":"https://desktop.mira.olares.com","acceptCookie":true}"#
        );
        let second = serde_json::to_string(&SecondFactorBody { target_url: "https://x", token: "123456" });
        assert_eq!(second.expect("JSON"), r#"{"targetUrl":"https://x","token":"123456"}"#);
    }

    #[test]
    fn a_password_travels_as_the_hash_that_the_server_knows() {
        // md5 of `secret@Olares2025`, by md5sum.
        assert_eq!(password_hash("secret"), "04c0dab733b80ff46f7da6ac14525992");
    }
}
