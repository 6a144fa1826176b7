use super::*;
use serde_json::json;

fn places(config: &Value) -> (tempfile::TempDir, Places) {
    let root = tempfile::tempdir().expect("a folder");
    let dir = root.path().join("cfg");
    std::fs::create_dir(&dir).expect("made");
    std::fs::write(dir.join("config.json"), config.to_string()).expect("written");
    (root, Places { olares_cli_home: Some(dir), ..Places::default() })
}

fn two() -> Value {
    json!({"x-first": 1, "currentProfile": "work", "profiles": [
        {"olaresId": "mira@olares.com", "ownerRole": "owner"},
        {"name": "work", "olaresId": "mira@corp.example", "clusterContext": {"username": "mira"}},
    ], "last": {"kept": true}})
}

#[test]
fn the_active_profile_is_the_named_one_or_the_first() {
    let (_root, places) = places(&two());
    let config = Config::load(&places).expect("a config");
    let id = |name| config.profile(name).expect("a profile").olares_id.to_string();
    assert_eq!(id(None), "mira@corp.example");
    assert_eq!(id(Some("mira@olares.com")), "mira@olares.com");
    let mut unnamed = config.clone();
    unnamed.fields.shift_remove("currentProfile");
    assert_eq!(unnamed.profile(None).expect("a profile").name(), "mira@olares.com");
    assert_eq!(config.profiles().expect("profiles").len(), 2);
}

#[test]
fn an_alias_goes_before_an_identity() {
    let (_root, places) = places(&json!({"profiles": [
        {"olaresId": "mira"}, {"name": "mira", "olaresId": "other@x"},
    ]}));
    let config = Config::load(&places).expect("a config");
    assert_eq!(config.profile(Some("mira")).expect("a profile").olares_id.as_str(), "other@x");
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let (_root, some) = places(&two());
    let wrong = Config::load(&some).expect("a config").profile(Some("wrok")).expect_err("unknown").to_string();
    assert!(wrong.ends_with("; did you mean `work`?"), "{wrong}");
    let empty = Places { olares_cli_home: Some("/nonexistent".into()), ..Places::default() };
    let none = Config::load(&empty).expect("no profiles").profile(None).expect_err("none").to_string();
    assert!(
        none.starts_with("no Olares profile is configured in /nonexistent/config.json: run `runhub login"),
        "{none}"
    );
    assert!(matches!(Config::load(&Places::default()), Err(ConfigError::NoPlace)));
    let (_root, broken) = places(&json!([]));
    assert!(matches!(Config::load(&broken), Err(ConfigError::Shape { .. })));
}

#[tokio::test]
async fn a_change_keeps_unknown_keys_and_their_order() {
    let (_root, places) = places(&two());
    let config = Config::update(&places, |config| config.activate("mira@olares.com")).await.expect("written");
    let text = std::fs::read_to_string(config.path()).expect("read");
    let mut expected = two();
    expected["currentProfile"] = "mira@olares.com".into();
    expected["previousProfile"] = "work".into();
    assert_eq!(text, format!("{expected:#}\n"));
    let back = Config::update(&places, |config| config.activate("-")).await.expect("written");
    assert_eq!(back.profile(None).expect("a profile").name(), "work");
}

#[tokio::test]
async fn a_profile_is_changed_in_its_place_or_added_at_the_end() {
    let (_root, places) = places(&two());
    let config = Config::update(&places, |config| {
        let mut known = config.profile(Some("mira@olares.com"))?;
        known.alias = Some("home".into());
        config.upsert(&known)?;
        known.olares_id = "new@olares.com".parse().expect("an identity");
        known.alias = None;
        config.upsert(&known)
    });
    let config = config.await.expect("written");
    let names: Vec<String> = config.profiles().expect("profiles").iter().map(|one| one.name().to_owned()).collect();
    assert_eq!(names, ["home", "work", "new@olares.com"]);
    assert_eq!(config.fields["profiles"][0]["ownerRole"], "owner");
}

#[tokio::test]
async fn a_refused_change_and_a_broken_file_are_left_as_they_are() {
    let (_root, places) = places(&two());
    let path = Config::load(&places).expect("a config").path().to_owned();
    Config::update(&places, |config| config.activate("nobody")).await.expect_err("unknown");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), two().to_string());
    std::fs::write(&path, "{ broken").expect("written");
    assert!(matches!(Config::update(&places, |_| Ok(())).await, Err(ConfigError::Json { .. })));
    assert_eq!(std::fs::read_to_string(&path).expect("read"), "{ broken");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_its_folders_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().expect("a folder");
    let places = Places { olares_cli_home: Some(root.path().join("cfg")), ..Places::default() };
    Config::update(&places, |_| Ok(())).await.expect("written");
    let mode = |path: &str| std::fs::metadata(root.path().join(path)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("cfg"), mode("cfg/locks"), mode("cfg/config.json")), (0o700, 0o700, 0o600));
}

#[test]
fn when_the_active_profile_goes_the_former_one_is_active() {
    let mut three = two();
    three["profiles"].as_array_mut().expect("a list").push(json!({"name": "home", "olaresId": "mira@home.example"}));
    three["previousProfile"] = json!("home");
    let (_root, places) = places(&three);
    let mut config = Config::load(&places).expect("a config");
    assert_eq!(config.remove("work").expect("removed").olares_id.as_str(), "mira@corp.example");
    assert_eq!(config.profile(None).expect("a profile").name(), "home");
    config.remove("home").expect("removed");
    assert_eq!(config.profile(None).expect("a profile").name(), "mira@olares.com");
    config.remove("mira@olares.com").expect("removed");
    assert!(matches!(config.profile(None), Err(ConfigError::NoProfile(_))));
    assert!(!config.fields.contains_key("currentProfile") && config.fields.contains_key("last"));
    assert!(config.remove("work").is_err());
}

#[tokio::test]
async fn the_platforms_profile_is_there_and_keeps_how_the_instance_is_reached() {
    let (root, mut places) = places(&json!({"profiles": [{"olaresId": "mira@olares.com", "localUrlPrefix": "dev."}]}));
    let credential = json!({"refreshToken": "r", "olaresId": "mira@olares.com", "appName": "shop"});
    std::fs::write(root.path().join("credential.json"), credential.to_string()).expect("written");
    assert!(Config::load(&places).expect("a config").profile(None).expect("a profile").managed.is_none());
    places.credentials_dir = Some(root.path().to_path_buf());
    let mine = Config::load(&places).expect("a config").profile(None).expect("a profile");
    assert_eq!((mine.managed.as_deref(), mine.local_url_prefix.as_str()), (Some("shop"), "dev."));
    let written = Config::update(&places, |_| Ok(())).await.expect("written");
    assert_eq!(written.fields["profiles"][0]["appName"], "shop");
    let nobody = Places { olares_cli_home: Some(root.path().join("empty")), ..places };
    assert_eq!(
        Config::load(&nobody).expect("a config").profile(None).expect("a profile").managed.as_deref(),
        Some("shop")
    );
}
