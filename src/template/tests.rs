use super::*;
use crate::clock::Clock;

pub(in crate::template) fn functions() -> Functions {
    Functions {
        jsonpath: |value, path| {
            let pointer = path.strip_prefix('$').ok_or("a path begins with `$`")?.replace('.', "/");
            Ok(value.pointer(&pointer).cloned().into_iter().collect())
        },
        clock: Clock::starting_at("2026-01-02T03:04:05Z".parse().expect("a valid stamp")),
    }
}
