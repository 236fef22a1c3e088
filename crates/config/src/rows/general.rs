//! Parameters of the process: logging, supervision, databases, timers.

use super::network::END as PREVIOUS;
use crate::checks;
use crate::choice::{
    Choices, LogFormat, LogLevel, LogTimestampFormat, OomScoreAdj, ShutdownFlags, Supervised,
    SyslogFacility,
};
use crate::handle::{Bool, Choice, Int, OnSignal, OomScores, Text};
use crate::row::{INT_MAX, List, Unit, boolean, choice, flags, int, list, text};

rows! {
    General after PREVIOUS;

    DAEMONIZE: Bool = boolean("daemonize", false).immutable(),
        "Detach from the terminal and run in the background.";
    SUPERVISED: Choice<Supervised> =
        choice("supervised", Supervised::WORDS, Supervised::No as i64).immutable(),
        "Tell the service manager that started the process when it is ready.";
    PIDFILE: Text = text("pidfile", "").immutable(),
        "File that holds the process number while the server runs.";
    LOGLEVEL: Choice<LogLevel> = choice("loglevel", LogLevel::WORDS, LogLevel::Notice as i64),
        "The least important messages to log.";
    LOGFILE: Text = text("logfile", "").immutable(),
        "Log file; empty for standard output.";
    LOG_FORMAT: Choice<LogFormat> =
        choice("log-format", LogFormat::WORDS, LogFormat::Legacy as i64).planned(),
        "Shape of a log line.";
    LOG_TIMESTAMP_FORMAT: Choice<LogTimestampFormat> =
        choice("log-timestamp-format", LogTimestampFormat::WORDS, 0).planned(),
        "How a log line tells the time.";
    HIDE_USER_DATA_FROM_LOG: Bool = boolean("hide-user-data-from-log", false).planned(),
        "Keep keys, values and arguments out of log lines and crash reports.";
    SYSLOG_ENABLED: Bool = boolean("syslog-enabled", false).immutable(),
        "Log to the system log as well.";
    SYSLOG_IDENT: Text = text("syslog-ident", "redis").immutable(),
        "Name of the server in the system log.";
    SYSLOG_FACILITY: Choice<SyslogFacility> =
        choice("syslog-facility", SyslogFacility::WORDS, SyslogFacility::Local0 as i64)
            .immutable(),
        "Facility of the messages in the system log.";
    CRASH_LOG_ENABLED: Bool = boolean("crash-log-enabled", true),
        "Write a report with a stack trace when the process crashes.";
    CRASH_MEMCHECK_ENABLED: Bool = boolean("crash-memcheck-enabled", true).planned(),
        "Test the memory of the machine while a crash is reported.";
    DATABASES: Int = int("databases", 16, 1, INT_MAX).immutable(),
        "Number of databases that SELECT can choose from.";
    ALWAYS_SHOW_LOGO: Bool = boolean("always-show-logo", false).immutable(),
        "Print the start-up banner even when the log is not a terminal.";
    SET_PROC_TITLE: Bool = boolean("set-proc-title", true).immutable(),
        "Show address and mode in the process list.";
    PROC_TITLE_TEMPLATE: Text =
        text("proc-title-template", "{title} {listen-addr} {server-mode}")
            .text_check(checks::proc_title_template),
        "Template of the process title, with variables in braces.";
    LOCALE_COLLATE: Text = text("locale-collate", "").planned(),
        "Locale by which strings are compared; empty takes it from the environment.";
    DIR: Text = text("dir", "").protected().frozen_while_loading().resolved_at_start(),
        "Working directory: where the files of the dataset live.";
    SHUTDOWN_TIMEOUT: Int = int("shutdown-timeout", 10, 0, INT_MAX).unit(Unit::Seconds).planned(),
        "How long a shutdown waits for replicas that lag behind.";
    SHUTDOWN_ON_SIGINT: OnSignal =
        flags("shutdown-on-sigint", ShutdownFlags::WORDS, 0).number_check(checks::shutdown_flags),
        "How SIGINT ends the process: default, or save, nosave, now and force.";
    SHUTDOWN_ON_SIGTERM: OnSignal =
        flags("shutdown-on-sigterm", ShutdownFlags::WORDS, 0).number_check(checks::shutdown_flags),
        "How SIGTERM ends the process: default, or save, nosave, now and force.";
    HZ: Int = int("hz", 10, 0, INT_MAX).clamped(1, 500).unit(Unit::Hertz),
        "How often background tasks run; values outside 1 to 500 are brought into that range.";
    DYNAMIC_HZ: Bool = boolean("dynamic-hz", true).planned(),
        "Run background tasks more often while many clients are connected.";
    ACTIVEREHASHING: Bool = boolean("activerehashing", true).planned(),
        "Spend idle time on the growth and shrinking of tables.";
    DISABLE_THP: Bool = boolean("disable-thp", true).immutable().planned(),
        "Ask the kernel for no transparent huge pages, which make rare requests slow.";
    OOM_SCORE_ADJ: Choice<OomScoreAdj> =
        choice("oom-score-adj", OomScoreAdj::WORDS, OomScoreAdj::No as i64),
        "Tell the kernel which processes to kill last when memory runs out.";
    OOM_SCORE_ADJ_VALUES: OomScores =
        list("oom-score-adj-values", List::OomScores, "0 200 800"),
        "Scores of a primary, a replica and a background child, each from -2000 to 2000.";
    IGNORE_WARNINGS: Text = text("ignore-warnings", "").planned(),
        "Start-up warnings to skip, separated by spaces.";
    AVAILABILITY_ZONE: Text = text("availability-zone", "").planned(),
        "Name of the zone where the server runs, reported by INFO and HELLO.";
    EXTENDED_REDIS_COMPATIBILITY: Bool = boolean("extended-redis-compatibility", false).planned(),
        "Call the server Redis in the places where compatible servers use another name.";
}
