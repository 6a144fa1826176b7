//! `runhub logout`: the stored login goes, for olares-cli too.

use std::sync::Arc;

use clap::Args;

use super::environment::Environment;
use super::exit::{self, Stop, in_full};
use super::terminal::{fail, say};
use super::{Display, runtime};
use crate::clock::Clock;
use crate::cluster::auth::{Config, Login, LoginError, Places};
use crate::cluster::socket::{Server, Socket};
use crate::secret::Redactor;

/// Whose login goes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The profile; the active one if not given.
    #[arg(value_name = "PROFILE")]
    name: Option<String>,
    /// Remove the profile too.
    #[arg(long)]
    forget: bool,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    match runtime::block_on(log_out(options, &environment.places())) {
        Ok(said) => {
            if !display.quiet {
                say(&said);
            }
            exit::PASSED
        }
        Err(stop) => {
            fail(stop.message);
            stop.code
        }
    }
}

async fn log_out(options: &Options, places: &Places) -> Result<String, Stop> {
    let config = Config::load(places).map_err(|error| Stop::failed(&error))?;
    let profile = config.profile(options.name.as_deref()).map_err(|error| Stop::usage(in_full(&error)))?;
    let id = &profile.olares_id;
    if let Some(app) = &profile.managed {
        return Err(Stop::usage(format!("cannot log out {id}: its credential is issued by the platform for {app}")));
    }
    // Nothing is asked of the server: it has no door for leaving, a login ends there by itself.
    let road = Socket::new(Server { url: profile.auth_url.to_string(), ..Server::default() }).map_err(Stop::usage)?;
    let login = Login::new(&profile, places, Arc::new(road), Clock::system(), &Redactor::default());
    let was_there = login.forget().await.map_err(|error: LoginError| Stop::failed(&error))?;
    let mut said = if was_there { format!("logged out {id}\n") } else { format!("{id} was not logged in\n") };
    if options.forget {
        let kept = Config::update(places, |config| config.remove(profile.name()).map(drop)).await;
        let kept = kept.map_err(|error| Stop::failed(&error))?;
        said = format!("{said}removed the profile {}\n", profile.name());
        if let Ok(active) = kept.profile(None) {
            said = format!("{said}the active profile is {}\n", active.name());
        }
    }
    Ok(said)
}
