use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as SyncMutex};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use tokio::time::sleep;

use super::*;
use crate::cluster::auth::{OlaresIdentity, Places, Profile};
use crate::cluster::identity::{Identity as _, LoginEnded};
use crate::cluster::transport::{RawStream, TransportError};
use crate::secret::Redactor;

/// An auth host in memory: every answer takes a while and is counted.
#[derive(Debug)]
struct AuthHost {
    asked: AtomicUsize,
    status: u16,
    body: String,
    seen: SyncMutex<Vec<Wire>>,
}

impl AuthHost {
    fn answering(status: u16, body: &str) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), status, body: body.to_owned(), seen: SyncMutex::default() })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Transport for AuthHost {
    async fn call(&self, wire: Wire) -> Result<RawResponse, TransportError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().expect("unpoisoned").push(wire);
        sleep(Duration::from_secs(1)).await;
        if self.status == 0 {
            return Err(TransportError::NotSent("connection refused".into()));
        }
        let status = StatusCode::from_u16(self.status).expect("a status");
        Ok(RawResponse { status, headers: HeaderMap::new(), body: self.body.clone().into() })
    }

    async fn stream(&self, _wire: Wire) -> Result<RawStream, TransportError> {
        Err(TransportError::NotSent("nothing streams here".into()))
    }
}

const NEW: &str = r#"{"status":"OK","data":{"access_token":"h.e30.new","refresh_token":"refresh-2","fa2":false}}"#;

struct Login {
    root: tempfile::TempDir,
    places: Places,
    profile: Profile,
    store: TokenStore,
    redactor: Redactor,
}

impl Login {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| Some(root.path().join(name));
        let places = Places { olares_cli_home: at("cfg"), data_dir: at("data"), ..Places::default() };
        let profile = Profile::decode(&serde_json::json!({"olaresId": "mira@olares.com"})).expect("a profile");
        let redactor = Redactor::default();
        let store = TokenStore::new(&places, redactor.clone());
        let login = Self { root, places, profile, store, redactor };
        login.store(r#"{"accessToken":"h.e30.old","refreshToken":"refresh-1","sessionId":"session-1"}"#);
        login
    }

    fn store(&self, stored: &str) {
        let grant = Grant::decode(&self.profile.olares_id, stored.as_bytes()).expect("a grant");
        self.store.write(&grant).expect("written");
    }

    fn stored(&self) -> Grant {
        self.store.read(&self.profile.olares_id).expect("readable").expect("there")
    }

    fn lock(&self) -> PathBuf {
        self.places.config_dir().expect("a place").join("locks/mira@olares.com.refresh.lock")
    }

    async fn open(&self) -> Result<OlaresIdentity, LoginEnded> {
        let clock = Clock::starting_at("2026-01-02T03:04:05Z".parse().expect("a stamp"));
        OlaresIdentity::open(&self.profile, &self.places, clock, self.redactor.clone()).await
    }
}

fn token(headers: &HeaderMap) -> &str {
    headers[X_AUTHORIZATION].to_str().expect("text")
}

#[tokio::test(start_paused = true)]
async fn twenty_tasks_that_are_refused_at_once_ask_once() {
    let login = Login::new();
    let me = Arc::new(login.open().await.expect("logged in"));
    let host = AuthHost::answering(200, NEW);
    let refused = me.headers().await.expect("headers");
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (me, host, refused) = (me.clone(), host.clone(), refused.clone());
            tokio::spawn(async move { me.renew(&refused, host.clone()).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), Ok(true));
    }
    assert_eq!(host.asked(), 1);
    assert_eq!(token(&me.headers().await.expect("headers")), "h.e30.new");
}

#[tokio::test(start_paused = true)]
async fn two_processes_that_are_refused_at_once_ask_once() {
    let login = Login::new();
    let (first, second) = (login.open().await.expect("logged in"), login.open().await.expect("logged in"));
    let host = AuthHost::answering(200, NEW);
    let refused = first.headers().await.expect("headers");
    let (one, two) = tokio::join!(first.renew(&refused, host.clone()), second.renew(&refused, host.clone()));
    assert_eq!((one, two), (Ok(true), Ok(true)));
    assert_eq!(host.asked(), 1);
    assert_eq!(token(&second.headers().await.expect("headers")), "h.e30.new");
}

#[tokio::test(start_paused = true)]
async fn the_request_is_the_one_of_the_wire_and_the_answer_is_stored_and_hidden() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let host = AuthHost::answering(200, NEW);
    me.renew(&me.headers().await.expect("headers"), host.clone()).await.expect("renewed");
    let seen = host.seen.lock().expect("unpoisoned");
    let wire = seen.first().expect("one request");
    assert_eq!((wire.method.as_str(), wire.path.as_str()), ("POST", "/api/refresh"));
    assert_eq!(wire.origin.as_deref(), Some("https://auth.mira.olares.com"));
    assert_eq!(wire.body.as_deref(), Some(br#"{"refreshToken":"refresh-1"}"#.as_slice()));
    assert_eq!(token(&wire.headers), "h.e30.old");
    assert!(wire.confidential && wire.timeout == Duration::from_secs(15));
    let stored = login.stored();
    assert_eq!(stored.access.expose(), "h.e30.new");
    assert_eq!(stored.refresh.as_ref().map(Secret::expose), Some("refresh-2"));
    assert_eq!(stored.session.as_ref().map(Secret::expose), Some("session-1"), "kept where no new one came");
    assert_eq!(login.redactor.text("h.e30.new refresh-2 refresh-1"), "*** *** ***");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let host = AuthHost::answering(200, r#"{"status":"OK","data":{"access_token":"h.e30.new","refresh_token":""}}"#);
    assert_eq!(me.renew(&me.headers().await.expect("headers"), host.clone()).await, Ok(true));
    assert_eq!(login.stored().refresh.as_ref().map(Secret::expose), Some("refresh-1"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_program_renewed_is_taken_without_asking() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let refused = me.headers().await.expect("headers");
    login.store(r#"{"accessToken":"h.e30.theirs","refreshToken":"refresh-9"}"#);
    let host = AuthHost::answering(500, "");
    assert_eq!(me.renew(&refused, host.clone()).await, Ok(true));
    assert_eq!((host.asked(), token(&me.headers().await.expect("headers"))), (0, "h.e30.theirs"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_is_stamped_and_ends_the_login() {
    for status in [401, 403, 459] {
        let login = Login::new();
        let me = login.open().await.expect("logged in");
        let host = AuthHost::answering(status, r#"{"session_id":"s-secret"}"#);
        let refused = me.headers().await.expect("headers");
        let ended = me.renew(&refused, host.clone()).await.expect_err("ended").to_string();
        assert!(
            ended.starts_with(
                "the login of mira@olares.com ended: its refresh token became invalid at 2026-01-02T03:04:0"
            ),
            "{ended}"
        );
        assert!(ended.ends_with("; run `runhub login mira@olares.com`") && !ended.contains("s-secret"));
        assert!(login.stored().invalidated_at.is_some(), "{status}");
        me.renew(&refused, host.clone()).await.expect_err("still ended");
        assert_eq!(host.asked(), 1, "a dead grant is not tried again");
        login.open().await.expect_err("the next run knows");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_else_goes_wrong_stamps_nothing_and_may_pass() {
    let cases = [
        (500, "oops", "/api/refresh answered HTTP 500"),
        (429, "", "/api/refresh answered HTTP 429"),
        (404, "", "/api/refresh answered HTTP 404"),
        (200, r#"{"status":"KO","message":"busy"}"#, "refresh failed: KO: busy"),
        (200, r#"{"status":"OK","data":{"access_token":""}}"#, "/api/refresh answered without an access token"),
        (200, "<html>", "/api/refresh answered without the JSON of a login"),
        (0, "", "/api/refresh: could not connect: connection refused"),
    ];
    for (status, body, trouble) in cases {
        let login = Login::new();
        let me = login.open().await.expect("logged in");
        let refused = me.headers().await.expect("headers");
        assert_eq!(me.renew(&refused, AuthHost::answering(status, body)).await, Ok(false), "{trouble}");
        assert_eq!(me.trouble().as_deref(), Some(trouble));
        assert_eq!(login.stored().invalidated_at, None);
        assert_eq!(me.renew(&refused, AuthHost::answering(200, NEW)).await, Ok(true));
        assert_eq!(me.trouble(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_another_process_keeps_is_given_up_after_half_a_minute() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let _held = FileLock::acquire(&login.lock(), Duration::ZERO).await.expect("free");
    let host = AuthHost::answering(200, NEW);
    assert_eq!(me.renew(&me.headers().await.expect("headers"), host.clone()).await, Ok(false));
    assert!(
        me.trouble()
            .is_some_and(|why| { why.starts_with("cannot acquire the refresh lock for mira@olares.com: another") })
    );
    assert_eq!(host.asked(), 0);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_renewed_login_that_cannot_be_stored_is_used_all_the_same() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let blob = login.places.token_dir().join("mira_olares.com.enc");
    let sealed = std::fs::read(&blob).expect("sealed");
    // A folder in the file's place cannot be replaced by a file; the old file comes back afterwards.
    let host = AuthHost::answering(200, NEW);
    let refused = me.headers().await.expect("headers");
    let (renewed, ()) = tokio::join!(me.renew(&refused, host.clone()), async {
        sleep(Duration::from_millis(500)).await;
        std::fs::remove_file(&blob).expect("removed");
        std::fs::create_dir(&blob).expect("blocked");
    });
    assert_eq!(renewed, Ok(true));
    let trouble = me.trouble().expect("said");
    assert!(
        trouble
            .starts_with("the renewed login of mira@olares.com cannot be stored and ends with this run: cannot write "),
        "{trouble}"
    );
    std::fs::remove_dir(&blob).expect("unblocked");
    std::fs::write(&blob, sealed).expect("the old login");
    assert_eq!(me.renew(&refused, host.clone()).await, Ok(true), "the newest is the one in memory");
    assert_eq!((host.asked(), token(&me.headers().await.expect("headers"))), (1, "h.e30.new"));
}

#[tokio::test]
async fn without_a_login_it_says_how_to_get_one() {
    let mut login = Login::new();
    login.profile.olares_id = "nobody@olares.com".parse().expect("an identity");
    let ended = login.open().await.expect_err("not logged in").to_string();
    assert!(
        ended.starts_with("nobody@olares.com is not logged in: there is no access token for it; run `runhub login"),
        "{ended}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_grant_without_a_refresh_token_ends_with_its_access_token() {
    let login = Login::new();
    login.store(r#"{"accessToken":"h.e30.old"}"#);
    let me = login.open().await.expect("logged in");
    let host = AuthHost::answering(200, NEW);
    let ended = me.renew(&me.headers().await.expect("headers"), host.clone()).await.expect_err("ended");
    assert!(ended.what().contains("no refresh token") && host.asked() == 0);
    assert_eq!(login.stored().invalidated_at, None);
}

#[tokio::test]
async fn what_is_no_token_is_refused_when_the_login_is_opened() {
    let login = Login::new();
    login.store(r#"{"accessToken":"opaque"}"#);
    let ended = login.open().await.expect_err("not a JWT").to_string();
    assert!(
        ended.starts_with("cannot decode the access token of mira@olares.com: the token does not look like a JWT"),
        "{ended}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_loses_no_rotated_token() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let host = AuthHost::answering(200, NEW);
    let refused = me.headers().await.expect("headers");
    // The question is out, the answer is a second away, and the step is cancelled.
    let renewal = tokio::time::timeout(Duration::from_millis(500), me.renew(&refused, host.clone())).await;
    assert!(renewal.is_err() && host.asked() == 1);
    assert_eq!(login.stored().access.expose(), "h.e30.old");
    me.close().await;
    assert_eq!(login.stored().refresh.as_ref().map(Secret::expose), Some("refresh-2"));
    assert_eq!(login.stored().access.expose(), "h.e30.new");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_comes_back_gets_what_the_one_before_asked_for() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let host = AuthHost::answering(200, NEW);
    let refused = me.headers().await.expect("headers");
    assert!(tokio::time::timeout(Duration::from_millis(1), me.renew(&refused, host.clone())).await.is_err());
    assert_eq!(me.renew(&refused, host.clone()).await, Ok(true));
    assert_eq!((host.asked(), token(&me.headers().await.expect("headers"))), (1, "h.e30.new"));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_closed_asks_nothing_any_more() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let host = AuthHost::answering(200, NEW);
    let refused = me.headers().await.expect("headers");
    let held = FileLock::acquire(&login.lock(), Duration::ZERO).await.expect("free");
    let waits = tokio::time::timeout(Duration::from_secs(1), me.renew(&refused, host.clone())).await;
    assert!(waits.is_err(), "another process holds the lock");
    let began = tokio::time::Instant::now();
    me.close().await;
    assert!(began.elapsed() < Duration::from_secs(1), "waiting for a lock is not worth waiting for");
    drop(held);
    assert_eq!(me.renew(&refused, host.clone()).await, Ok(false));
    assert_eq!((host.asked(), me.trouble().as_deref()), (0, Some("the process is ending")));
}

/// The platform mounts a credential for an application.
fn issued(login: &mut Login, id: &str) {
    let mount = login.root.path().join("mount");
    std::fs::create_dir_all(&mount).expect("a folder");
    let credential = serde_json::json!({"refreshToken": "refresh-issued", "olaresId": id, "appName": "shop"});
    std::fs::write(mount.join("credential.json"), credential.to_string()).expect("written");
    login.places.credentials_dir = Some(mount);
    login.profile.managed = Some("shop".into());
}

#[tokio::test(start_paused = true)]
async fn a_grant_of_the_platform_is_bought_with_its_token_which_is_never_stored() {
    let mut login = Login::new();
    issued(&mut login, "mira@olares.com");
    let me = login.open().await.expect("vouched for");
    assert!(me.is_blank(), "what a person's login left is not the platform's");
    let host = AuthHost::answering(200, NEW);
    assert_eq!(me.renew(&HeaderMap::new(), host.clone()).await, Ok(true));
    let seen = host.seen.lock().expect("unpoisoned");
    assert_eq!(seen[0].body.as_deref(), Some(br#"{"refreshToken":"refresh-issued"}"#.as_slice()));
    assert!(!seen[0].headers.contains_key(X_AUTHORIZATION));
    let stored = login.stored();
    assert!(stored.is_managed() && stored.refresh.is_none() && stored.access.expose() == "h.e30.new");
    assert_eq!(login.redactor.text("refresh-issued"), "***");
}

#[tokio::test(start_paused = true)]
async fn a_refused_grant_of_the_platform_is_stamped_and_tried_again() {
    let mut login = Login::new();
    issued(&mut login, "mira@olares.com");
    let me = login.open().await.expect("vouched for");
    me.renew(&HeaderMap::new(), AuthHost::answering(401, "")).await.expect_err("refused");
    assert!(login.stored().invalidated_at.is_some() && login.stored().is_managed());
    let next = login.open().await.expect("the platform may have issued another");
    assert_eq!(next.renew(&HeaderMap::new(), AuthHost::answering(200, NEW)).await, Ok(true));
    assert!(login.stored().invalidated_at.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_grant_of_the_platform_that_opens_nothing_ends_the_login() {
    let mut login = Login::new();
    issued(&mut login, "mira@olares.com");
    let me = login.open().await.expect("vouched for");
    let half = NEW.replace("false", "true");
    let ended = me.renew(&HeaderMap::new(), AuthHost::answering(200, &half)).await.expect_err("of no use");
    assert!(ended.what().contains("first-factor token") && ended.remedy().contains("application"), "{ended}");
    issued(&mut login, "tomo@olares.com");
    let host = AuthHost::answering(200, NEW);
    let me = login.open().await.expect("vouched for");
    let ended = me.renew(&HeaderMap::new(), host.clone()).await.expect_err("somebody else's");
    assert!(ended.what().contains("credential.json holds no credential for it"), "{ended}");
    assert_eq!(host.asked(), 0);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_could_not_be_stored_is_told_even_if_nobody_waited() {
    let login = Login::new();
    let me = login.open().await.expect("logged in");
    let blob = login.places.token_dir().join("mira_olares.com.enc");
    let host = AuthHost::answering(200, NEW);
    let refused = me.headers().await.expect("headers");
    assert!(tokio::time::timeout(Duration::from_millis(500), me.renew(&refused, host.clone())).await.is_err());
    std::fs::remove_file(&blob).expect("removed");
    std::fs::create_dir(&blob).expect("blocked");
    me.close().await;
    assert!(me.trouble().is_some_and(|trouble| trouble.contains("cannot be stored and ends with this run")));
}
