//! `/middleware`: databases and queues with their passwords; refusals come as HTTP 200.
//!
//! Instances are derived from the world: an object in `os-platform` with the
//! label `runhub.dev/middleware: <type>` is one; the annotations
//! `runhub.dev/user` and `runhub.dev/password` hold its admin.

use std::sync::Arc;

use axum::response::Response;
use http::Method;
use serde_json::{Value, json};

use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::identity::Caller;
use crate::simulator::object;
use crate::simulator::reply;

/// The types, in the order of the list.
const TYPES: [&str; 9] =
    ["redis", "mongodb", "postgres", "minio", "rabbitmq", "elasticsearch", "mariadb", "mysql", "nats"];

const KIND: &str = "runhub.dev/middleware";
const USER: &str = "runhub.dev/user";
const PASSWORD: &str = "runhub.dev/password";

/// Answers a request below `/middleware`.
pub(super) fn route(app: &App, ask: &Ask, caller: &Caller) -> Response {
    match (&ask.method, ask.segments().as_slice()) {
        (&Method::GET, ["middleware", "v1", "list"]) => listed(app, caller, None),
        (&Method::GET, ["middleware", "v1", kind, "list"]) if !TYPES.contains(kind) => reply::text(404, "Not Found"),
        (_, ["middleware", "v1", _, "list" | "password"]) if !caller.is_admin() => {
            envelope(403, "Must be platform admin")
        }
        (&Method::GET, ["middleware", "v1", kind, "list"]) => listed(app, caller, Some(kind)),
        (&Method::POST, ["middleware", "v1", _, "password"]) => set_password(app, ask),
        _ => reply::text(404, "Not Found"),
    }
}

/// The present password of an instance (`namespace/name`).
pub(super) fn password(app: &App, instance: &str) -> Option<String> {
    let named = |found: &Instance| format!("{}/{}", object::namespace(&found.object), object::name(&found.object));
    let found = instances(app).into_iter().find(|found| named(found) == instance)?;
    Some(noted(&found.object, PASSWORD).to_owned())
}

/// A refusal, which this service sends with HTTP 200.
fn envelope(code: u16, message: &str) -> Response {
    reply::json(200, &json!({ "code": code, "message": message, "data": null }))
}

fn listed(app: &App, caller: &Caller, kind: Option<&str>) -> Response {
    let instances = instances(app);
    let wanted = TYPES.iter().filter(|known| kind.is_none_or(|kind| kind == **known));
    let data: Vec<_> = wanted
        .flat_map(|known| {
            let found = instances.iter().filter(|instance| type_of(&instance.object) == *known);
            found.map(|instance| item(known, &instance.object, caller.name())).collect::<Vec<_>>()
        })
        .collect();
    reply::json(200, &json!({ "code": 200, "data": data }))
}

struct Instance {
    plural: &'static str,
    object: Arc<Value>,
}

fn instances(app: &App) -> Vec<Instance> {
    ["statefulsets", "deployments", "pods"]
        .into_iter()
        .flat_map(|plural| app.store.list(plural, None).0.into_iter().map(move |object| Instance { plural, object }))
        .filter(|instance| !type_of(&instance.object).is_empty())
        .filter(|instance| object::controller(&instance.object).is_none())
        .collect()
}

fn type_of(object: &Value) -> &str {
    object::labels(object).get(KIND).and_then(Value::as_str).unwrap_or_default()
}

fn noted<'a>(object: &'a Value, annotation: &str) -> &'a str {
    object::annotations(object).get(annotation).and_then(Value::as_str).unwrap_or_default()
}

fn item(kind: &str, object: &Value, caller: &str) -> Value {
    let (name, ns) = (object::name(object), object::namespace(object));
    let endpoint = match kind {
        "redis" => format!("redis-cluster-proxy.user-system-{caller}:6379"),
        "postgres" => format!("{name}-master-svc.user-system-{caller}:5432"),
        "nats" => format!("{name}.{ns}:4222"),
        _ => String::new(),
    };
    let user = if kind == "redis" { "" } else { noted(object, USER) };
    let nodes = match kind {
        "mongodb" => 1,
        "postgres" => object::number(object, "/spec/replicas").unwrap_or(1),
        _ => 0,
    };
    json!({
        "name": name, "namespace": ns, "nodes": nodes, "adminUser": user, "password": noted(object, PASSWORD),
        "mongos": { "endpoint": "", "size": 0 }, "redisProxy": { "endpoint": "", "size": 0 },
        "proxy": { "endpoint": endpoint, "size": 0 }, "type": kind,
    })
}

fn set_password(app: &App, ask: &Ask) -> Response {
    let Ok(body) = ask.json("object") else {
        return reply::text(422, "Unprocessable Entity");
    };
    let field = |name: &str| object::text(&body, &format!("/{name}"));
    if field("password").is_empty() {
        return reply::text(406, "Not Acceptable");
    }
    if field("middleware") != "postgres" {
        return reply::text(501, "Not Implemented");
    }
    let (ns, name) = (field("namespace"), field("name"));
    let found = instances(app).into_iter().find(|instance| {
        type_of(&instance.object) == "postgres"
            && object::name(&instance.object) == name
            && object::namespace(&instance.object) == ns
    });
    let Some(instance) = found else {
        return reply::text(500, format!("pgclusters.apr.bytetrade.io \"{name}\" not found"));
    };
    let changed = app.store.update(instance.plural, ns, name, None, |object| {
        object::put(object, &["metadata", "annotations", PASSWORD], field("password"));
        if !field("user").is_empty() {
            object::put(object, &["metadata", "annotations", USER], field("user"));
        }
        Ok(())
    });
    match changed {
        Ok(_) => reply::json(200, &json!({ "code": 200, "message": "update success" })),
        Err(error) => reply::text(500, error.message),
    }
}

#[cfg(test)]
mod tests {
    use crate::simulator::testkit::Kit;
    use serde_json::{Value, json};

    fn instance(name: &str, kind: &str) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": "os-platform",
            "labels": {"runhub.dev/middleware": kind},
            "annotations": {"runhub.dev/user": "postgres", "runhub.dev/password": "p-Secret2"}},
            "spec": {"replicas": 0}})
    }

    async fn kit(name: &str) -> Kit {
        let kit = Kit::new(
            json!({"world": "empty", "objects": [instance("citus", "postgres"), instance("kv", "redis")],
            "users": [{"name": "mira", "password": "pw", "role": "platform-admin"}, {"name": "tomo", "password": "pw"}]}),
        );
        kit.login(name, "pw").await
    }

    fn change(kind: &str, password: &str) -> Value {
        json!({"name": "citus", "namespace": "os-platform", "middleware": kind, "user": "boss", "password": password})
    }

    #[tokio::test]
    async fn the_list_has_passwords_in_clear() {
        let (status, body) = kit("mira").await.get("/middleware/v1/list").await;
        assert_eq!((status, &body["code"], &body["data"][0]["type"]), (200, &json!(200), &json!("redis")));
        assert_eq!(body["data"][1]["password"], json!("p-Secret2"));
        assert_eq!(body["data"][1]["proxy"]["endpoint"], json!("citus-master-svc.user-system-mira:5432"));
    }

    #[tokio::test]
    async fn a_postgres_password_is_set_with_its_user() {
        let kit = kit("mira").await;
        let (status, body) = kit.send("POST", "/middleware/v1/redis/password", Some(change("postgres", "new"))).await;
        assert_eq!((status, &body["message"]), (200, &json!("update success")));
        let (_, body) = kit.get("/middleware/v1/postgres/list").await;
        assert_eq!((&body["data"][0]["adminUser"], &body["data"][0]["password"]), (&json!("boss"), &json!("new")));
    }

    #[tokio::test]
    async fn each_refusal_has_its_shape() {
        let kit = kit("mira").await;
        let path = "/middleware/v1/postgres/password";
        assert_eq!(kit.send("POST", path, Some(change("redis", "x"))).await, (501, json!("Not Implemented")));
        assert_eq!(kit.send("POST", path, Some(change("postgres", ""))).await, (406, json!("Not Acceptable")));
        assert_eq!(kit.get("/middleware/v1/oracle/list").await, (404, json!("Not Found")));
        let kit = self::kit("tomo").await;
        let (status, body) = kit.send("POST", path, Some(change("postgres", "x"))).await;
        assert_eq!((status, body), (200, json!({"code": 403, "message": "Must be platform admin", "data": null})));
    }
}
