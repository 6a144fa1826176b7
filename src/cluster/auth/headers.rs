//! The headers by which `ControlHub` knows a caller.

use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};

/// Carries the bare access token; the edge drops the standard `Authorization`.
pub(super) const X_AUTHORIZATION: HeaderName = HeaderName::from_static("x-authorization");

/// Asks the edge for a JSON answer instead of a redirect to the login page.
pub(super) const X_UNAUTH_ERROR: HeaderName = HeaderName::from_static("x-unauth-error");

/// The three headers of every `ControlHub` request; parts of the server read only the cookie.
pub(super) fn control_hub(token: &str) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert(X_AUTHORIZATION, sensitive(token)?);
    headers.insert(COOKIE, sensitive(&format!("auth_token={token}"))?);
    headers.insert(X_UNAUTH_ERROR, non_redirect());
    Ok(headers)
}

/// The value of [`X_UNAUTH_ERROR`].
pub(super) fn non_redirect() -> HeaderValue {
    HeaderValue::from_static("Non-Redirect")
}

/// A header value that is never shown.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The text of a header of a request that was refused.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_hub_gets_the_bare_token_the_cookie_and_the_wish_for_json() {
        let headers = control_hub("h.p.s").expect("headers");
        let shown = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok().map(str::to_owned));
        assert_eq!(shown(X_AUTHORIZATION).as_deref(), Some("h.p.s"));
        assert_eq!(shown(COOKIE).as_deref(), Some("auth_token=h.p.s"));
        assert_eq!(shown(X_UNAUTH_ERROR).as_deref(), Some("Non-Redirect"));
        assert!(!format!("{headers:?}").contains("h.p.s"));
        assert!(control_hub("a\nb").is_err());
    }
}
