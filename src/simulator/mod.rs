//! The embedded `ControlHub`: a simulated Kubernetes cluster behind Olares' doors.
//!
//! An island: it shares no path or payload code with the client, so that a
//! mistake in one is not mirrored in the other. Used by tests, by `run --sim`
//! and by rehearsals. A request goes through `service.rs` (who asks, what goes
//! wrong), then to a file of `routes/`; what it changes goes to `store/`, and
//! `controllers/` do the rest, as in a real cluster.

mod ask;
pub mod commands;
pub mod controllers;
mod defaults;
pub mod fate;
pub mod faults;
mod identity;
pub mod manifests;
pub mod object;
mod patch;
mod populate;
mod quantity;
mod quota;
mod reply;
mod requests;
pub mod resource;
mod routes;
pub mod scenario;
mod schema;
pub mod selector;
mod service;
mod serving;
pub mod status;
pub mod store;
#[cfg(test)]
mod testkit;
mod validation;
mod world;

use std::sync::Arc;

use axum::Router;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use commands::CommandRule;
use controllers::Controllers;
use fate::PodFates;
use faults::Faults;
use identity::Identity;
pub use reply::Dropped;
use requests::Requests;
pub use requests::Seen;
use scenario::{Scenario, ScenarioError, Switches};
use service::ControlHub;
pub use serving::Serving;
use store::Store;

/// A simulated cluster that answers requests as long as it lives.
#[derive(Debug)]
pub struct Simulator {
    app: Arc<App>,
}

/// What the routes share.
struct App {
    store: Store,
    identity: Identity,
    faults: Faults,
    switches: Switches,
    commands: Vec<CommandRule>,
    requests: Requests,
    /// Ends what would go on forever: watches, followed logs, stalls.
    stop: CancellationToken,
    /// Kept, because they end when they are dropped.
    _controllers: Controllers,
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Builds the world of a scenario and starts its controllers on the present runtime.
    ///
    /// # Errors
    /// When an object of the scenario cannot be one.
    pub fn new(scenario: Scenario, clock: Clock) -> Result<Self, ScenarioError> {
        let clock = Clock::starting_at(clock.now() + scenario.clock_skew);
        let store = Store::new(Clock::starting_at(clock.now() - scenario.age));
        let fates = PodFates::new(scenario.pods);
        let users = populate::users(scenario.world, scenario.users);
        populate::build(&store, scenario.world, scenario.objects)?;
        let controllers = Controllers::start_after(scenario.age, &store, clock, (scenario.timing, fates));
        let app = App {
            store,
            identity: Identity::new(users, scenario.tokens, scenario.switches, clock),
            faults: Faults::new(scenario.faults),
            switches: scenario.switches,
            commands: scenario.commands,
            requests: Requests::default(),
            stop: CancellationToken::new(),
            _controllers: controllers,
        };
        Ok(Self { app: Arc::new(app) })
    }

    /// The server as a service: no socket, no thread of its own.
    pub fn service(&self) -> Router {
        Router::new().fallback_service(ControlHub(Arc::clone(&self.app)))
    }

    /// Puts the server on a port of the loopback interface; 0 picks a free one.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn serve(&self, port: u16) -> std::io::Result<Serving> {
        Serving::start(self.service(), port).await
    }

    /// The objects of the cluster, for those who look behind the scenes.
    pub fn store(&self) -> &Store {
        &self.app.store
    }

    /// The requests seen so far, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.app.requests.all()
    }

    /// Tells of each request from now on, as it is answered; one listener at a time.
    pub fn watch_requests(&self) -> UnboundedReceiver<Seen> {
        self.app.requests.listen()
    }

    /// The users by name, and what each may do.
    pub fn users(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.app.identity.users().iter().map(|user| (user.name.as_str(), user.role.name()))
    }

    /// A token of a user that never expires; nothing for a stranger.
    pub fn lasting_token(&self, user: &str) -> Option<String> {
        Some(self.app.identity.lasting(self.app.identity.user(user)?))
    }

    /// A new access token of a user, without a login; nothing for a stranger.
    pub fn token(&self, user: &str) -> Option<String> {
        let user = self.app.identity.user(user)?;
        Some(self.app.identity.grant(user).access)
    }

    /// A new pair of access and refresh token of a user, without a login; nothing for a stranger.
    pub fn login(&self, user: &str) -> Option<(String, String)> {
        let grant = self.app.identity.grant(self.app.identity.user(user)?);
        Some((grant.access, grant.refresh))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.app.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
