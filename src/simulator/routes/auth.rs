//! The login: first factor, second factor, refresh.

use std::sync::Arc;

use axum::response::Response;
use http::Method;
use serde_json::{Value, json};

use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::identity::{Denied, Grant, Identity};
use crate::simulator::object::text;
use crate::simulator::reply;
use crate::simulator::scenario::User;

/// Answers a request of the login.
pub(super) fn route(app: &App, ask: &Ask) -> Response {
    if ask.method != Method::POST {
        return reply::json(405, &json!({ "status": "KO", "message": "Method Not Allowed" }));
    }
    let Ok(body) = ask.json("object") else {
        return reply::json(400, &json!({ "status": "KO", "message": "Bad request." }));
    };
    match ask.segments().as_slice() {
        ["api", "firstfactor"] => first_factor(app, &body),
        ["api", "secondfactor", "totp"] => second_factor(app, ask, &body),
        _ => refresh(app, &body),
    }
}

fn first_factor(app: &App, body: &Value) -> Response {
    let user = app.identity.user(text(body, "/username"));
    match user.filter(|user| Identity::knows(user, text(body, "/password"))) {
        Some(user) => granted(&app.identity.grant(user), user.totp.is_some()),
        None => refused("Authentication failed. Check your credentials."),
    }
}

fn second_factor(app: &App, ask: &Ask, body: &Value) -> Response {
    let user: Result<Arc<User>, Denied> = app.identity.recognise(ask).map(|caller| caller.user);
    match user {
        Ok(user) if user.totp.as_deref() == Some(text(body, "/token")) => granted(&app.identity.grant(&user), false),
        Ok(_) => refused("Authentication failed, please retry later."),
        Err(_) => super::edge(ask),
    }
}

fn refresh(app: &App, body: &Value) -> Response {
    match app.identity.refresh(text(body, "/refreshToken")) {
        Some(grant) => granted(&grant, false),
        None => refused("refresh token is invalid or expired"),
    }
}

fn refused(message: &str) -> Response {
    reply::json(401, &json!({ "status": "KO", "message": message }))
}

fn granted(grant: &Grant, second_factor_due: bool) -> Response {
    let data = json!({
        "access_token": grant.access, "token_type": "Bearer", "refresh_token": grant.refresh,
        "session_id": grant.session, "fa2": second_factor_due,
        "expires_in": grant.lifetime, "expires_at": grant.expires.timestamp(),
    });
    reply::json(200, &json!({ "status": "OK", "data": data }))
}

#[cfg(test)]
mod tests {
    use crate::simulator::testkit::{Kit, hash};
    use serde_json::json;

    fn kit(tokens: &serde_json::Value) -> Kit {
        Kit::new(json!({"world": "empty", "tokens": tokens, "users": [
            {"name": "mira", "password": "pw", "role": "platform-admin"},
            {"name": "tomo", "password": "pw", "totp": "123456"}]}))
    }

    #[tokio::test]
    async fn a_password_opens_and_a_wrong_one_does_not() {
        let kit = kit(&json!({}));
        let body = json!({"username": "mira", "password": hash("pw")});
        let (status, answer) = kit.send("POST", "/api/firstfactor?hideCookie=true", Some(body)).await;
        assert_eq!((status, &answer["status"], &answer["data"]["fa2"]), (200, &json!("OK"), &json!(false)));
        let body = json!({"username": "mira", "password": hash("no")});
        let (status, answer) = kit.send("POST", "/api/firstfactor", Some(body)).await;
        assert_eq!((status, &answer["status"]), (401, &json!("KO")));
    }

    #[tokio::test]
    async fn a_second_factor_is_asked_for_and_checked() {
        let kit = kit(&json!({}));
        let body = json!({"username": "tomo", "password": hash("pw")});
        let (_, first) = kit.send("POST", "/api/firstfactor", Some(body)).await;
        assert_eq!(first["data"]["fa2"], json!(true));
        let kit = kit.with_token(first["data"]["access_token"].as_str().expect("a token"));
        let (status, _) = kit.send("POST", "/api/secondfactor/totp", Some(json!({"token": "000000"}))).await;
        assert_eq!(status, 401);
        let (status, second) = kit.send("POST", "/api/secondfactor/totp", Some(json!({"token": "123456"}))).await;
        assert_eq!((status, &second["data"]["fa2"]), (200, &json!(false)));
    }

    #[tokio::test]
    async fn a_spent_token_is_459_until_it_is_refreshed() {
        let kit = kit(&json!({"requests": 1})).login("mira", "pw").await;
        assert_eq!(kit.get("/api/v1/nodes").await.0, 200);
        let (status, body) = kit.get("/api/v1/nodes").await;
        assert_eq!((status, &body["fa2"], &body["method"]), (459, &json!(false), &json!("GET")));
        let kit = kit.refresh().await;
        assert_eq!(kit.get("/api/v1/nodes").await.0, 200);
    }

    #[tokio::test]
    async fn a_refused_refresh_ends_the_login() {
        let kit = kit(&json!({"refresh": "refused"})).login("mira", "pw").await;
        let body = json!({"refreshToken": kit.refresh_token()});
        assert_eq!(kit.send("POST", "/api/refresh", Some(body)).await.0, 401);
    }
}
