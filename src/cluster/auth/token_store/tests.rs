use super::*;
use crate::secret::Secret;
use chrono::DateTime;

fn grant(name: &str) -> Grant {
    let stored = br#"{"accessToken":"access-1","refreshToken":"refresh-1","sessionId":"session-1"}"#;
    Grant::decode(&name.parse().expect("an identity"), stored).expect("a grant")
}

fn places(root: &Path) -> Places {
    Places { data_dir: Some(root.to_path_buf()), ..Places::default() }
}

fn store() -> (tempfile::TempDir, TokenStore) {
    let root = tempfile::tempdir().expect("a folder");
    let store = TokenStore::new(&places(root.path()), Redactor::default());
    (root, store)
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect()
}

#[test]
fn a_grant_comes_back_as_it_was_put() {
    let (_root, store) = store();
    let mira = grant("mira@olares.com");
    assert!(store.read(&mira.olares_id).expect("an empty store").is_none());
    store.write(&mira).expect("written");
    let back = store.read(&mira.olares_id).expect("readable").expect("there");
    assert_eq!(back.encode(), mira.encode());
}

#[test]
fn a_blob_sealed_by_another_program_opens() {
    // Sealed with the Python package `cryptography`: key 00..1f, nonce 20..2b.
    let (_root, store) = store();
    let key: Vec<u8> = (0..32).collect();
    std::fs::create_dir_all(&store.folder).expect("a folder");
    std::fs::write(store.key_path(), key).expect("written");
    std::fs::write(store.folder.join("mira_olares.com.enc"), hex(PYTHON)).expect("written");
    let read = store.read(&grant("mira@olares.com").olares_id).expect("opens").expect("there");
    assert_eq!(read.access.expose(), "h.e30.s");
    assert_eq!(read.refresh.as_ref().map(Secret::expose), Some("rt-4f1c"));
}

#[test]
fn the_cipher_is_the_one_of_the_standard() {
    // Test case 14 of the GCM specification.
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[0; 32]).expect("a key"));
    let sealed = hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    assert_eq!(open(&key, &[&[0; 12], sealed.as_slice()].concat()), Some(vec![0; 16]));
}

#[test]
fn a_damaged_file_is_an_error_and_shows_nothing() {
    let (_root, store) = store();
    let mira = grant("mira@olares.com");
    store.write(&mira).expect("written");
    let path = store.path(&mira.olares_id);
    for damaged in [vec![], vec![0; 11], vec![7; 60]] {
        std::fs::write(&path, damaged).expect("written");
        assert!(matches!(store.read(&mira.olares_id), Err(StoreError::Sealed(_))));
    }
    std::fs::write(store.key_path(), "short").expect("written");
    assert!(matches!(store.read(&mira.olares_id), Err(StoreError::Key(_))));
    assert!(matches!(store.write(&mira), Err(StoreError::Key(_))), "a wrong key is never replaced");
}

#[test]
fn the_stamp_hits_only_the_tokens_that_were_refused() {
    let (_root, store) = store();
    let old = grant("mira@olares.com");
    let mut new = old.clone();
    new.access = Secret::new("access-2");
    let at = DateTime::from_timestamp_millis(1_780_399_999_123).expect("a time");
    store.write(&new).expect("written");
    store.invalidate(&old, at).expect("a newer grant is left alone");
    assert_eq!(store.read(&old.olares_id).expect("readable").expect("there").invalidated_at, None);
    store.invalidate(&new, at).expect("stamped");
    assert_eq!(store.read(&old.olares_id).expect("readable").expect("there").invalidated_at, Some(at));
}

#[test]
fn every_token_read_is_hidden_from_then_on() {
    let (_root, store) = store();
    store.write(&grant("mira@olares.com")).expect("written");
    let redactor = Redactor::default();
    let other = TokenStore::new(&places(store.folder.parent().expect("a folder")), redactor.clone());
    other.read(&grant("mira@olares.com").olares_id).expect("readable");
    assert_eq!(redactor.text("access-1 refresh-1 session-1"), "*** *** ***");
}

#[cfg(unix)]
#[test]
fn key_and_blob_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_root, store) = store();
    let mira = grant("mira@olares.com");
    store.write(&mira).expect("written");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&store.folder), 0o700);
    assert_eq!((mode(&store.key_path()), mode(&store.path(&mira.olares_id))), (0o600, 0o600));
}

proptest::proptest! {
    #[test]
    fn what_is_sealed_opens_and_what_is_changed_does_not(text: Vec<u8>, at in 0_usize..1000) {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[9; 32]).expect("a key"));
        let mut blob = seal(&key, &text).expect("sealed");
        proptest::prop_assert_eq!(open(&key, &blob), Some(text));
        let at = at % blob.len();
        blob[at] ^= 1;
        proptest::prop_assert_eq!(open(&key, &blob), None);
    }
}

const PYTHON: &str = "202122232425262728292a2ba918c91c0dea7f7d531860f4e3759d8bb10983f0e6f2069d4295037f6ba67c6816ed8077\
    fd715ab171934ca87a6131add11ac2fdb8100f13ab040d783fda5eb2b343a329acb597e2a65e8f16d87f4413620181cb\
    a79be48e63c7ea5e3e2dc8";
