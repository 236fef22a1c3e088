//! `PFSELFTEST`.

use collections::hyperloglog::self_test;
use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

/// `PFSELFTEST`.
pub(super) static PFSELFTEST: DataCommand = DataCommand::new(
    Spec::new(
        "pfselftest",
        Group::HyperLogLog,
        "2.8.9",
        1,
        "N/A",
        "Checks that HyperLogLogs work on this machine.",
    )
    .flags(Flags::ADMIN)
    .acl(Categories::HYPERLOGLOG)
    .system(),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    self_test().map_err(|fault| CommandError::state(format!("TESTFAILED {fault}")))?;
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn passes() {
        assert_eq!(Bench::new().run("PFSELFTEST"), "+OK\r\n");
    }
}
