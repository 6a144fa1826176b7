//! The whole report as JSON.

use super::{Error, Report};

/// Pretty, with a newline at the end, keys in the order of the schema.
pub(super) fn write(report: &Report) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(report)?;
    bytes.push(b'\n');
    Ok(bytes)
}
