//! What needs the whole document: names, outputs, secrets, retries. Sends nothing.
//!
//! | file | complains about |
//! |---|---|
//! | `names` | names that do not exist, outputs read before or without being made |
//! | `secrets` | secrets where they would be shown |
//! | `retries` | tries of what may not be done twice |
//! | `support` | what this version cannot carry out (asked by `run`, not by `check`) |

mod names;
mod retries;
mod secrets;
mod support;
mod uses;
mod visible;

pub use secrets::taints;
pub use support::unsupported;
pub use uses::steps_read_by;

use super::Runbook;
use crate::source::Diagnostic;

/// All complaints that need the whole document.
pub(super) fn check(book: &Runbook) -> Vec<Diagnostic> {
    let mut out = names::complaints(book);
    out.extend(secrets::complaints(book));
    out.extend(retries::complaints(book));
    out
}
