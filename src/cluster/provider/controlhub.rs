//! Olares `ControlHub`: Kubernetes behind `KubeSphere` behind an edge.

use async_trait::async_trait;

use super::{Client, Error, Layer, Provider, Whoami, text};
use crate::cluster::Request;
use crate::cluster::path::Path;

/// The `ControlHub` of an Olares.
pub const CONTROLHUB: &dyn Provider = &ControlHub;

#[derive(Debug)]
struct ControlHub;

#[async_trait]
impl Provider for ControlHub {
    fn name(&self) -> &'static str {
        "controlhub"
    }

    fn about(&self) -> &'static str {
        "the ControlHub of an Olares"
    }

    fn layers(&self) -> &'static [Layer] {
        &[Layer::Kubernetes, Layer::Kapis, Layer::Capi, Layer::Middleware]
    }

    /// `KubeSphere` passes the review on with its own credentials: the answer would be about itself.
    fn reviews_access(&self) -> bool {
        false
    }

    async fn who_am_i(&self, client: &Client) -> Result<Whoami, Error> {
        let request = Request::get(Path::of("/capi/app/detail")).label("ask who we are");
        let answer = client.read_json(&request).await?;
        let user = text(&answer, "/user/username").map_or_else(|| client.identity(), str::to_owned);
        let role = text(&answer, "/user/globalrole").map(str::to_owned);
        Ok(Whoami { user, role, answer })
    }

    /// The version of `KubeSphere`, the only one that `ControlHub` itself tells.
    async fn version(&self, client: &Client) -> Result<String, Error> {
        let answer = client.read_json(&Request::get(Path::of("/kapis/version")).label("ask for the version")).await?;
        Ok(text(&answer, "/gitVersion").unwrap_or("unknown").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resource::POD;
    use crate::cluster::testing::{Script, answer, client_of};
    use crate::cluster::verbs::Permission;

    #[tokio::test(start_paused = true)]
    async fn the_detail_tells_user_and_role() {
        let detail = r#"{"user":{"username":"mira","globalrole":"platform-admin"},"clusterRole":"host"}"#;
        let me = CONTROLHUB.who_am_i(&client_of(&Script::new([answer(200, detail)]), CONTROLHUB)).await.unwrap();
        assert_eq!((me.user.as_str(), me.role.as_deref()), ("mira", Some("platform-admin")));
        assert_eq!(me.answer["clusterRole"], "host");
    }

    #[tokio::test(start_paused = true)]
    async fn permission_is_not_asked_where_the_answer_would_be_about_a_proxy() {
        let script = Script::new([]);
        let verb = "get".to_owned();
        let permission = Permission { verb, resource: POD, subresource: None, namespace: None, name: None };
        assert_eq!(client_of(&script, CONTROLHUB).may(&permission).await, Ok(None));
        assert!(script.seen().is_empty());
    }
}
