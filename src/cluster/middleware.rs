//! The middleware service of `ControlHub`: databases and queues with their passwords (wire 5.10, 12.7, 12.8).
//!
//! It refuses inside HTTP 200, which [`super::refusal`] knows. Every body
//! here holds passwords in clear, so none is shown to anyone.

use http::Method;
use serde_json::json;

use super::path::Path;
use super::request::Media;
use super::{Read, Request, Write};

/// Reads all instances of all types, passwords included.
pub fn list() -> Request<Read> {
    Request::get(Path::of("/middleware/v1/list")).confidential().label("list middleware")
}

/// Sets the password of a postgres instance; the server can do it for no other type.
///
/// `user` becomes the instance's admin: the server does not pick an account by it.
pub fn set_postgres_password(namespace: &str, name: &str, user: &str, password: &str) -> Request<Write> {
    let body =
        json!({"name": name, "namespace": namespace, "middleware": "postgres", "user": user, "password": password});
    Request::change(Method::POST, Path::of("/middleware/v1/postgres/password"))
        .with_body(Media::Json, body)
        .confidential()
        .label(format!("set the password of postgres {namespace}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_names_the_type_because_the_server_ignores_the_path() {
        let request = set_postgres_password("os-platform", "citus", "postgres", "p");
        assert_eq!(request.path().as_str(), "/middleware/v1/postgres/password");
        assert_eq!(
            request.body().unwrap(),
            &json!({"name": "citus", "namespace": "os-platform", "middleware": "postgres", "user": "postgres", "password": "p"})
        );
        assert!(
            request.wire("", http::HeaderMap::new()).confidential
                && list().wire("", http::HeaderMap::new()).confidential
        );
    }
}
