//! Parameters of threads and of the cores they run on.

use super::tls::END as PREVIOUS;
use crate::handle::{Bool, Int, Text};
use crate::row::{INT_MAX, boolean, int, text};

rows! {
    Threads after PREVIOUS;

    IO_THREADS: Int = int("io-threads", 1, 1, 128).immutable().debug().resolved_at_start(),
        "Event-loop threads, each of which also executes commands; by default one for each core.";
    IO_THREADS_DO_READS: Bool = boolean("io-threads-do-reads", false)
        .immutable().unlisted().debug(),
        "Has no effect: every event-loop thread reads, executes and writes.";
    EVENTS_PER_IO_THREAD: Int = int("events-per-io-thread", 2, 0, INT_MAX).planned(),
        "Has no effect: connections belong to one thread for life.";
    PREFETCH_BATCH_MAX_SIZE: Int = int("prefetch-batch-max-size", 16, 0, 128).planned(),
        "Keys whose memory is fetched ahead of a batch of commands.";
    LOOKAHEAD: Int = int("lookahead", 16, 1, INT_MAX).planned(),
        "Pipelined commands of one client that are parsed ahead of execution.";
    SERVER_CPULIST: Text =
        text("server-cpulist", "").aliases(&["server_cpulist"]).immutable().planned(),
        "Cores for the event-loop threads, such as 0-7:2.";
    BIO_CPULIST: Text = text("bio-cpulist", "").aliases(&["bio_cpulist"]).immutable().planned(),
        "Cores for the background threads.";
    AOF_REWRITE_CPULIST: Text =
        text("aof-rewrite-cpulist", "").aliases(&["aof_rewrite_cpulist"]).immutable().planned(),
        "Cores for rewriting the append-only file.";
    BGSAVE_CPULIST: Text =
        text("bgsave-cpulist", "").aliases(&["bgsave_cpulist"]).immutable().planned(),
        "Cores for snapshots.";
}
