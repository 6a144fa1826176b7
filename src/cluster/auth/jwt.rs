//! The one thing we read in an access token: when it ends. Nothing is verified; the server judges.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::DateTime;
use serde_json::Value;

use crate::clock::Timestamp;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a text is not an access token; the text itself is never shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It has not the three parts of a JWT.
    #[error("the token does not look like a JWT (want 3 segments, got {0})")]
    Segments(usize),
    /// Its middle part is not base64url.
    #[error("the token's payload is not base64url")]
    NotBase64,
    /// Its middle part is not a JSON object, or `exp` is not a time.
    #[error("the token's payload is not a JSON object with a time in `exp`")]
    NotClaims,
}

/// When the token ends; `None` where it does not say, then it is trusted until refused.
pub fn expires_at(token: &str) -> Result<Option<Timestamp>, JwtError> {
    let segments: Vec<&str> = token.split('.').collect();
    let [_, payload, _] = segments.as_slice() else {
        return Err(JwtError::Segments(segments.len()));
    };
    let payload = LENIENT.decode(payload).map_err(|_| JwtError::NotBase64)?;
    let claims: Value = serde_json::from_slice(&payload).map_err(|_| JwtError::NotClaims)?;
    let exp = match claims.as_object().ok_or(JwtError::NotClaims)?.get("exp") {
        None | Some(Value::Null) => 0,
        Some(exp) => seconds(exp).ok_or(JwtError::NotClaims)?,
    };
    match exp {
        0 => Ok(None),
        exp => DateTime::from_timestamp(exp, 0).map(Some).ok_or(JwtError::NotClaims),
    }
}

/// Whole seconds; servers also write them as `1780399999.0`.
#[expect(clippy::cast_possible_truncation, reason = "a fraction of a second does not matter, and `as` saturates")]
fn seconds(exp: &Value) -> Option<i64> {
    exp.as_i64().or_else(|| exp.as_f64().map(|exp| exp as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

    fn token(claims: &str) -> String {
        format!("hdr.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_end_is_read_with_and_without_padding() {
        let end = DateTime::from_timestamp(1_780_399_999, 0);
        let claims = r#"{"username":"mira","exp":1780399999}"#;
        assert_eq!(expires_at(&token(claims)), Ok(end));
        assert_eq!(expires_at(&format!("h.{}.s", URL_SAFE.encode(claims))), Ok(end));
        assert_eq!(expires_at(&token(r#"{"exp":1780399999.0}"#)), Ok(end));
    }

    #[test]
    fn a_token_without_an_end_is_trusted() {
        assert_eq!(expires_at(&token("{}")), Ok(None));
        assert_eq!(expires_at(&token(r#"{"exp":0}"#)), Ok(None));
    }

    #[test]
    fn what_is_no_token_is_named_without_being_shown() {
        assert_eq!(expires_at("opaque"), Err(JwtError::Segments(1)));
        assert_eq!(expires_at("a.!.c"), Err(JwtError::NotBase64));
        assert_eq!(expires_at(&token("[]")), Err(JwtError::NotClaims));
        assert_eq!(expires_at(&token(r#"{"exp":"soon"}"#)), Err(JwtError::NotClaims));
        assert!(!expires_at("very-secret").expect_err("opaque").to_string().contains("very"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_fail_otherwise_than_with_an_error(text in "\\PC{0,40}", claims in "\\PC{0,40}") {
            let _ = expires_at(&text).is_ok();
            let read = expires_at(&token(&format!("{{\"exp\":{claims}}}")));
            proptest::prop_assert!(!matches!(read, Err(JwtError::Segments(_) | JwtError::NotBase64)));
        }
    }
}
