//! Questions a caller asks about itself: may I, and who am I.

use axum::response::Response;
use http::Method;
use serde_json::{Value, json};

use super::super::permission::{self, Wish};
use crate::simulator::ask::Ask;
use crate::simulator::identity::Caller;
use crate::simulator::object::{self, text};
use crate::simulator::reply;
use crate::simulator::status::{Cause, StatusError};

/// Answers a review; nothing when the path is none.
pub(super) fn answer(ask: &Ask, caller: &Caller) -> Option<Result<Response, StatusError>> {
    let review: fn(&Ask, &Caller) -> Result<Response, StatusError> = match ask.segments().as_slice() {
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => may_i,
        ["apis", "authorization.k8s.io", "v1", "selfsubjectrulesreviews"] => what_may_i,
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => |_, caller| Ok(who_am_i(caller)),
        _ => return None,
    };
    if ask.method == Method::POST { Some(review(ask, caller)) } else { Some(Err(StatusError::method_not_allowed())) }
}

fn may_i(ask: &Ask, caller: &Caller) -> Result<Response, StatusError> {
    let body = ask.json("SelfSubjectAccessReview")?;
    let (resource, path) = (body.pointer("/spec/resourceAttributes"), body.pointer("/spec/nonResourceAttributes"));
    if resource.is_some_and(Value::is_object) == path.is_some_and(Value::is_object) {
        return Err(undecided());
    }
    let asked = |field: &str| text(&body, &format!("/spec/resourceAttributes/{field}"));
    let wish = Wish {
        verb: asked("verb"),
        group: asked("group"),
        resource: asked("resource"),
        sub: asked("subresource"),
        ns: asked("namespace"),
        name: asked("name"),
    };
    let allowed = permission::allows(caller, &wish);
    let status = if allowed { json!({ "allowed": true }) } else { json!({ "allowed": false, "reason": "" }) };
    let answer = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "metadata": { "creationTimestamp": null }, "spec": body.get("spec"), "status": status,
    });
    Ok(reply::json(201, &answer))
}

/// A question must be about a resource or about a path, not about both or neither.
fn undecided() -> StatusError {
    let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    let cause = Cause::invalid("spec.resourceAttributes", &"null".into(), why);
    let mut error = StatusError::bad_patch(&cause);
    error.message = format!(".authorization.k8s.io{}", error.message).replacen("io \"\"", "io \"\"", 1);
    object::put(&mut error.details, &["group"], "authorization.k8s.io");
    error
}

/// The rules that hold for the caller in a namespace.
fn what_may_i(ask: &Ask, caller: &Caller) -> Result<Response, StatusError> {
    let body = ask.json("SelfSubjectRulesReview")?;
    let all = json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] });
    let rules = if caller.owns(text(&body, "/spec/namespace")) { vec![all] } else { Vec::new() };
    let answer = json!({
        "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1",
        "metadata": { "creationTimestamp": null }, "spec": {},
        "status": {
            "resourceRules": rules,
            "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version"] }],
            "incomplete": false,
        },
    });
    Ok(reply::json(201, &answer))
}

fn who_am_i(caller: &Caller) -> Response {
    let answer = json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "creationTimestamp": null },
        "status": { "userInfo": { "username": caller.name(), "groups": ["system:authenticated"] } },
    });
    reply::json(201, &answer)
}
