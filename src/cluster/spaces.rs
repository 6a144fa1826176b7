//! Application spaces, as `ControlHub` groups them (wire 12.4).

use super::path::Path;
use super::{Read, Request};

/// Reads the groups; the server ignores every parameter, so none is sent.
pub fn groups() -> Request<Read> {
    Request::get(Path::of("/capi/namespaces/group")).label("list application spaces")
}
