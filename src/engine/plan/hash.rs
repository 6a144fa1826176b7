//! What a run is bound to, in one number (runbook-format §8).
//!
//! Bound are the book, the inputs, the target, the picked tags, and of each
//! step whether it happens and its effects, down to fields, UIDs and states.
//! Not bound is what says nothing of what will be done: times, counts of
//! requests, words for people, outputs of reads.

use std::num::NonZeroU32;

use ring::digest::{SHA256, digest};
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use serde_json::{Value, json};

use crate::action::hex;
use crate::engine::order::Order;
use crate::event::{Fingerprint, Plan, PlannedEffect, PlannedStep};

/// Rounds of the slow digest of secret inputs: a guess costs as much as the plan.
const ROUNDS: u32 = 210_000;

/// The SHA-256 of a text, in hex.
pub(super) fn of_text(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

/// The SHA-256, in hex, over all of a plan that a run is bound to.
pub fn of(plan: &Plan) -> String {
    let bound = json!({
        "format": plan.format_version,
        "book": plan.book.hash,
        "inputs": plan.inputs,
        "secret-inputs": plan.secret_inputs,
        "target": plan.target,
        "tags": [plan.tags, plan.skip_tags],
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
    });
    of_text(&bound.to_string())
}

fn step(step: &PlannedStep) -> Value {
    json!({"step": step.step, "happens": step.happens, "effects": step.effects.iter().map(effect).collect::<Vec<_>>()})
}

fn effect(effect: &PlannedEffect) -> Value {
    let PlannedEffect { kind, object, fields, state, objects, pods, .. } = effect;
    json!({"kind": kind, "object": object, "fields": fields, "state": state, "objects": objects, "pods": pods})
}

/// What tells other secret inputs from these; nothing where none is secret.
pub(super) fn fingerprint(order: &Order) -> Option<Fingerprint> {
    let secret: Vec<(&String, &Value)> =
        order.inputs.secret.iter().filter_map(|name| order.inputs.values.get_key_value(name)).collect();
    if secret.is_empty() {
        return None;
    }
    // The same salt for the same book and target, so that equal plans have equal hashes.
    let seed = format!("runhub plan {} {}", of_text(order.book.source.text()), order.target.url);
    let salt = digest(&SHA256, seed.as_bytes());
    let mut out = [0_u8; 32];
    let rounds = NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MIN);
    derive(PBKDF2_HMAC_SHA256, rounds, salt.as_ref(), json!(secret).to_string().as_bytes(), &mut out);
    Some(Fingerprint { salt: hex(salt.as_ref()), digest: hex(&out) })
}
