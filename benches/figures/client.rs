//! The same requests by runhub's own client, without an engine, a journal or a console.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runhub::clock::Clock;
use runhub::cluster::Client;
use runhub::cluster::auth::StaticToken;
use runhub::cluster::provider::CONTROLHUB;
use runhub::cluster::resource::DEPLOYMENT;
use runhub::cluster::socket::{Server, Socket};
use runhub::cluster::tap::Deaf;
use runhub::secret::{Redactor, Secret};

use crate::target::Target;

/// The time of `count` reads of one deployment, one after the other.
pub(crate) fn reads(target: &Target, count: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = Server { url: target.url.clone(), ..Server::default() };
        let token = StaticToken::new(&Secret::new("t"), "the bench", &Redactor::default()).expect("a token");
        let road = Arc::new(Socket::new(server).expect("a server"));
        let client = Client::new(road, Arc::new(token), CONTROLHUB, Arc::new(Deaf), Clock::system());
        let web = DEPLOYMENT.at(Some("shop"), "web").expect("an address");
        let began = Instant::now();
        for _ in 0..count {
            client.read_json(&web.get()).await.expect("an answer");
        }
        began.elapsed()
    })
}
