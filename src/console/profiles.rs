//! Profiles and how their logins stand, for people.

use std::path::PathBuf;

use super::age::age;
use super::style::{Style, Tone};
use super::table::{Cell, Table};
use crate::clock::{Timestamp, rfc3339};
use crate::cluster::auth::{Profile, Standing};

/// A profile, and what is stored for it.
#[derive(Debug, Clone)]
pub struct StoredProfile {
    /// The profile.
    pub profile: Profile,
    /// Whether it is used where no other is named.
    pub active: bool,
    /// How its login stands.
    pub standing: Standing,
    /// Where its login is stored.
    pub file: PathBuf,
}

/// One line for each profile; the active one has a star.
pub fn list(all: &[StoredProfile], now: Timestamp, style: &Style) -> String {
    let mut table = Table::new(["", "NAME", "OLARES-ID", "LOGIN"]);
    for stored in all {
        table.push(vec![
            Cell::plain(if stored.active { "*" } else { " " }),
            Cell::plain(stored.profile.name()),
            Cell::plain(stored.profile.olares_id.as_str()),
            Cell::new(tone(&stored.standing), words(&stored.standing, now)),
        ]);
    }
    table.draw(style)
}

/// All there is to say of one profile.
pub fn show(stored: &StoredProfile, now: Timestamp, style: &Style) -> String {
    let StoredProfile { profile, active, standing, file } = stored;
    let name = if *active { format!("{} (active)", profile.name()) } else { profile.name().to_owned() };
    let moment = standing.moment().map(|at| format!(" ({})", rfc3339(at))).unwrap_or_default();
    let mut lines = vec![
        ("profile", Tone::Plain, name),
        ("identity", Tone::Plain, profile.olares_id.to_string()),
        ("ControlHub", Tone::Plain, profile.control_hub_url()),
        ("auth host", Tone::Plain, profile.auth_url.to_string()),
        ("login", tone(standing), format!("{}{moment}", words(standing, now))),
        ("stored in", Tone::Plain, file.display().to_string()),
    ];
    if let Some(app) = &profile.managed {
        lines.push(("issued to", Tone::Plain, app.clone()));
    }
    if profile.insecure {
        lines.push(("TLS", Tone::Odd, "certificates are not verified".to_owned()));
    }
    let line = |(label, tone, text): &(&str, Tone, String)| {
        format!("{}  {}\n", style.paint(Tone::Dim, &format!("{label:<10}")), style.paint(*tone, &style.clean(text)))
    };
    lines.iter().map(line).collect()
}

fn tone(standing: &Standing) -> Tone {
    match standing {
        Standing::Valid(_) | Standing::Renewable(_) => Tone::Good,
        Standing::Issued => Tone::Plain,
        Standing::None => Tone::Dim,
        Standing::Expired(_) | Standing::Ended(_) | Standing::Unreadable(_) => Tone::Bad,
    }
}

fn words(standing: &Standing, now: Timestamp) -> String {
    match standing {
        Standing::Valid(Some(end)) => format!("valid, ends in {}", age(now, *end)),
        Standing::Valid(None) => "valid, without an end of its own".to_owned(),
        Standing::Renewable(end) => format!("ended {} ago, renewed by the next request", age(*end, now)),
        Standing::Expired(end) => format!("ended {} ago, log in again", age(*end, now)),
        Standing::Ended(at) => format!("refused by the server {} ago, log in again", age(*at, now)),
        Standing::Issued => "issued by the platform, not used yet".to_owned(),
        Standing::None => "not logged in".to_owned(),
        Standing::Unreadable(why) => format!("unreadable: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: &str, active: bool, standing: Standing) -> StoredProfile {
        let profile = Profile::of(id.parse().unwrap()).unwrap();
        StoredProfile { profile, active, standing, file: "/home/mira/x.enc".into() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_standing_says_what_to_do() {
        let now = at("2026-01-02T03:00:00Z");
        let before = at("2026-01-02T02:00:00Z");
        let all = [
            stored("mira@olares.com", true, Standing::Valid(Some(at("2026-01-02T03:57:00Z")))),
            stored("tomo@olares.com", false, Standing::Valid(None)),
            stored("a@x", false, Standing::Renewable(before)),
            stored("b@x", false, Standing::Expired(before)),
            stored("c@x", false, Standing::Ended(before)),
            stored("d@x", false, Standing::Issued),
            stored("e@x", false, Standing::None),
            stored("f@x", false, Standing::Unreadable("no key".into())),
        ];
        insta::assert_snapshot!(list(&all, now, &Style::default()));
        insta::assert_snapshot!(show(&all[0], now, &Style::default()));
    }
}
