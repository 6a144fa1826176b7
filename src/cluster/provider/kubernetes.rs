//! A Kubernetes API server, plain.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Client, Error, Layer, Provider, Whoami, text};
use crate::cluster::Request;
use crate::cluster::path::Path;
use crate::cluster::resource::Resource;
use crate::cluster::verbs::Permission;

/// A Kubernetes API server, reached by a kubeconfig or a token.
pub const KUBERNETES: &dyn Provider = &Kubernetes;

#[derive(Debug)]
struct Kubernetes;

#[async_trait]
impl Provider for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn about(&self) -> &'static str {
        "a Kubernetes API server"
    }

    fn layers(&self) -> &'static [Layer] {
        &[Layer::Kubernetes]
    }

    fn reviews_access(&self) -> bool {
        true
    }

    /// Servers before 1.28 do not tell; then our own name for us has to do.
    async fn who_am_i(&self, client: &Client) -> Result<Whoami, Error> {
        let question = json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"});
        let path = Path::of("/apis/authentication.k8s.io/v1/selfsubjectreviews");
        let answer = match client.read_json(&Request::ask(path, question).label("ask who we are")).await {
            Ok(review) => review.pointer("/status/userInfo").cloned().unwrap_or_default(),
            Err(Error::Refused(refusal)) if refusal.is_forbidden() || refusal.status == 404 => Value::Null,
            Err(error) => return Err(error),
        };
        let user = text(&answer, "/username").map_or_else(|| client.identity(), str::to_owned);
        let role = is_admin(client).await?.then(|| "cluster-admin".to_owned());
        Ok(Whoami { user, role, answer })
    }

    async fn version(&self, client: &Client) -> Result<String, Error> {
        let answer = client.read_json(&Request::get(Path::of("/version")).label("ask for the version")).await?;
        Ok(text(&answer, "/gitVersion").unwrap_or("unknown").to_owned())
    }
}

async fn is_admin(client: &Client) -> Result<bool, Error> {
    let any = || "*".into();
    let resource = Resource { group: any(), version: any(), plural: any(), kind: any(), namespaced: false };
    let all = Permission { verb: "*".to_owned(), resource, subresource: None, namespace: None, name: None };
    match client.may(&all).await {
        Ok(allowance) => Ok(allowance.is_some_and(|allowance| allowance.allowed)),
        Err(Error::Refused(refusal)) if refusal.is_forbidden() || refusal.status == 404 => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{Script, answer, client, typed};

    #[tokio::test(start_paused = true)]
    async fn the_server_tells_user_role_and_version() {
        let script = Script::new([
            answer(201, r#"{"status":{"userInfo":{"username":"kubernetes-admin","groups":["system:masters"]}}}"#),
            answer(201, r#"{"status":{"allowed":true}}"#),
            answer(200, r#"{"gitVersion":"v1.33.3"}"#),
        ]);
        let client = client(&script);
        let me = KUBERNETES.who_am_i(&client).await.unwrap();
        assert_eq!((me.user.as_str(), me.role.as_deref()), ("kubernetes-admin", Some("cluster-admin")));
        assert_eq!(KUBERNETES.version(&client).await.unwrap(), "v1.33.3");
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_server_leaves_us_our_own_name() {
        let script = Script::new([
            typed(404, "text/plain", "404 page not found"),
            answer(403, r#"{"kind":"Status","reason":"Forbidden","message":"no","code":403}"#),
        ]);
        let me = KUBERNETES.who_am_i(&client(&script)).await.unwrap();
        assert_eq!((me.user.as_str(), me.role), ("mira@fig.example", None));
    }
}
