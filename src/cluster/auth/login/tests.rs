use http::HeaderValue;

use super::*;
use crate::cluster::auth::StoreError;
use crate::cluster::testing::{Script, Turn, answer};
use crate::cluster::transport::TransportError;

struct Desk {
    _root: tempfile::TempDir,
    places: Places,
    script: Arc<Script>,
    redactor: Redactor,
    login: Login,
}

impl Desk {
    fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| Some(root.path().join(name));
        let places = Places { olares_cli_home: at("cfg"), data_dir: at("data"), ..Places::default() };
        let profile = Profile::of("mira@olares.com".parse().expect("an identity")).expect("a profile");
        let (script, redactor) = (Script::new(turns), Redactor::default());
        let clock = Clock::starting_at("2026-01-02T03:04:05Z".parse().expect("a stamp"));
        let login = Login::new(&profile, &places, script.clone(), clock, &redactor);
        Self { _root: root, places, script, redactor, login }
    }

    fn body(&self, index: usize) -> serde_json::Value {
        let wires = self.script.wires();
        serde_json::from_slice(wires[index].body.as_ref().expect("a body")).expect("JSON")
    }
}

const WHOLE: &str = r#"{"status":"OK","data":{"access_token":"h.e30.one","refresh_token":"refresh-1","session_id":"session-1","fa2":false}}"#;
const HALF: &str = r#"{"status":"OK","data":{"access_token":"h.e30.half","refresh_token":"refresh-half","session_id":"session-1","fa2":true}}"#;

/// An answer that sets cookies.
fn with_cookies(body: &str, cookies: &[&'static str]) -> Turn {
    let Turn::Answer(mut raw) = answer(200, body) else { panic!("an answer") };
    for cookie in cookies {
        raw.headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
    }
    Turn::Answer(raw)
}

#[tokio::test(start_paused = true)]
async fn a_password_is_a_login_where_no_code_is_wanted() {
    let desk = Desk::new([answer(200, WHOLE)]);
    let Entry::Whole(grant) = desk.login.password(&Secret::new("correct horse")).await.expect("let in") else {
        panic!("no code is wanted")
    };
    let wire = &desk.script.wires()[0];
    assert_eq!(
        (wire.origin.as_deref(), wire.path.as_str()),
        (Some("https://auth.mira.olares.com"), "/api/firstfactor?hideCookie=true")
    );
    assert!(wire.confidential && wire.timeout == TIMEOUT);
    let body = desk.body(0);
    assert_eq!((&body["username"], &body["targetURL"]), (&"mira".into(), &"https://desktop.mira.olares.com".into()));
    assert_eq!(body["password"], password_hash("correct horse"));
    assert_eq!(grant.refresh.as_ref().map(Secret::expose), Some("refresh-1"));
    let hash = password_hash("correct horse");
    assert_eq!(desk.redactor.text(&format!("correct horse {hash}")), "*** ***");
}

#[tokio::test(start_paused = true)]
async fn a_code_is_shown_with_what_the_password_opened() {
    let second = WHOLE.replace("\"session-1\"", "\"\"");
    let desk =
        Desk::new([with_cookies(HALF, &["authelia_session=abc; Path=/; HttpOnly", "lang=en"]), answer(200, second)]);
    let Entry::CodeWanted(first) = desk.login.password(&Secret::new("pw")).await.expect("let in") else {
        panic!("a code is wanted")
    };
    let grant = desk.login.code(&first, &Secret::new(" 123456\n")).await.expect("let in");
    let wire = &desk.script.wires()[1];
    assert_eq!(wire.path, "/api/secondfactor/totp");
    assert_eq!(wire.headers[X_AUTHORIZATION], "h.e30.half");
    assert_eq!(wire.headers[X_UNAUTH_ERROR], "Non-Redirect");
    assert_eq!(wire.headers[COOKIE], "authelia_session=abc; lang=en");
    assert_eq!(desk.body(1), serde_json::json!({"targetUrl": "https://desktop.mira.olares.com", "token": "123456"}));
    assert_eq!(grant.access.expose(), "h.e30.one");
    assert_eq!(grant.session.as_ref().map(Secret::expose), Some("session-1"), "kept where no new one came");
}

#[tokio::test(start_paused = true)]
async fn the_refresh_token_of_the_first_door_is_never_taken_for_that_of_the_login() {
    let desk = Desk::new([answer(200, HALF), answer(200, r#"{"status":"OK","data":{"access_token":"h.e30.one"}}"#)]);
    let Ok(Entry::CodeWanted(first)) = desk.login.password(&Secret::new("pw")).await else {
        panic!("a code is wanted")
    };
    assert!(desk.login.code(&first, &Secret::new("123456")).await.expect("let in").refresh.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_in_the_servers_words_and_from_trouble() {
    let cases = [
        (
            answer(401, r#"{"status":"KO","message":"Authentication failed."}"#),
            "/api/firstfactor returned HTTP 401: KO: Authentication failed.",
            true,
        ),
        (answer(200, r#"{"status":"KO","message":"locked"}"#), "first-factor authentication failed: KO: locked", true),
        (answer(459, r#"{"session_id":"s-secret"}"#), "/api/firstfactor returned HTTP 459", false),
        (answer(502, "<html>s-secret"), "/api/firstfactor returned HTTP 502", false),
        (answer(200, "<html>"), "/api/firstfactor answered without the JSON of a login", false),
        (answer(200, r#"{"status":"OK","data":{}}"#), "/api/firstfactor answered without an access token", false),
        (Script::fail(TransportError::NotSent("refused".into())), "/api/firstfactor", false),
    ];
    for (turn, said, is_refusal) in cases {
        let error = Desk::new([turn]).login.password(&Secret::new("pw")).await.expect_err(said);
        assert_eq!((error.to_string().as_str(), error.is_refusal()), (said, is_refusal));
        assert!(error.is_of_the_server());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_is_imported_by_using_it_once() {
    let desk = Desk::new([answer(200, r#"{"status":"OK","data":{"access_token":"h.e30.one"}}"#)]);
    let grant = desk.login.import(&Secret::new("refresh-9")).await.expect("let in");
    assert_eq!(desk.script.seen(), ["POST /api/refresh"]);
    assert!(!desk.script.wires()[0].headers.contains_key(X_AUTHORIZATION));
    assert_eq!(desk.body(0), serde_json::json!({"refreshToken": "refresh-9"}));
    assert_eq!(grant.refresh.as_ref().map(Secret::expose), Some("refresh-9"), "kept where no new one came");
    assert!(!grant.is_managed());
}

#[tokio::test(start_paused = true)]
async fn a_login_is_stored_and_forgotten_under_the_lock_of_olares_cli() {
    let desk = Desk::new([answer(200, WHOLE)]);
    let Ok(Entry::Whole(grant)) = desk.login.password(&Secret::new("pw")).await else { panic!("let in") };
    let store = TokenStore::new(&desk.places, Redactor::default());
    let lock = desk.places.config_dir().expect("a place").join("locks/mira@olares.com.refresh.lock");
    let held = FileLock::acquire(&lock, Duration::ZERO).await.expect("free");
    assert!(matches!(desk.login.store(&grant).await, Err(LoginError::Lock { .. })));
    assert!(store.read(&grant.olares_id).expect("readable").is_none());
    drop(held);
    desk.login.store(&grant).await.expect("stored");
    assert!(store.read(&grant.olares_id).expect("readable").is_some());
    assert!(desk.login.forget().await.expect("gone") && !desk.login.forget().await.expect("nothing there"));
    assert!(store.read(&grant.olares_id).expect("readable").is_none());
}

#[test]
fn what_fails_on_this_machine_is_not_blamed_on_the_server() {
    assert!(!LoginError::Store(StoreError::NoRandomness).is_of_the_server());
}
