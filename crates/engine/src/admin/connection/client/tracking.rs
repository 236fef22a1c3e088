//! `CLIENT TRACKING`, `CACHING`, `GETREDIR`, `TRACKINGINFO`: the client's part of client-side
//! caching.

use command::spec::Arg;
use command::{Command, CommandError, Group, Spec};

use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::clients::ClientFlags;
use crate::tracking::{Caching, Mode, TrackingSession};

/// `CLIENT TRACKING ON | OFF [REDIRECT client-id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT]
/// [NOLOOP]`
pub static TRACKING: AdminCommand = Command::new(
    Spec::new(
        "tracking",
        Group::Connection,
        "6.0.0",
        -3,
        "O(1). Some options may introduce additional complexity.",
        "Has the server tell when keys change that the connection may have cached.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION)
    .args(&[
        Arg::one_of("status", &[Arg::word("on", "ON"), Arg::word("off", "OFF")]),
        Arg::integer("client-id").token("REDIRECT").optional(),
        Arg::string("prefix").token("PREFIX").optional().multiple_token(),
        Arg::word("bcast", "BCAST").optional(),
        Arg::word("optin", "OPTIN").optional(),
        Arg::word("optout", "OPTOUT").optional(),
        Arg::word("noloop", "NOLOOP").optional(),
    ]),
    tracking as AdminHandler,
);

/// `CLIENT CACHING YES | NO`
pub static CACHING: AdminCommand = Command::new(
    Spec::new(
        "caching",
        Group::Connection,
        "6.0.0",
        3,
        "O(1)",
        "Says whether the next command's keys are tracked.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION)
    .args(&[Arg::one_of("mode", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])]),
    caching as AdminHandler,
);

/// `CLIENT GETREDIR`
pub static GETREDIR: AdminCommand = Command::new(
    Spec::new(
        "getredir",
        Group::Connection,
        "6.0.0",
        2,
        "O(1)",
        "Tells which client gets the connection's invalidations.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION),
    get_redirect as AdminHandler,
);

/// `CLIENT TRACKINGINFO`
pub static TRACKINGINFO: AdminCommand = Command::new(
    Spec::new(
        "trackinginfo",
        Group::Connection,
        "6.2.0",
        2,
        "O(1)",
        "Tells how the server assists the connection's client-side cache.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION),
    tracking_info as AdminHandler,
);

/// What the options ask for.
#[derive(Default)]
struct Options<'a> {
    mode: Mode,
    prefixes: Vec<&'a [u8]>,
    opt_in: bool,
    opt_out: bool,
}

fn parse<'a>(admin: &AdminCx<'a>) -> Result<Options<'a>, CommandError> {
    let mut options = Options::default();
    let mut args = admin.cx.reader();
    args.bytes();
    args.bytes();
    while args.more() {
        if args.option("REDIRECT") {
            let id = args.integer();
            args.check()?;
            if options.mode.redirect != 0 {
                let text = "ERR A client can only redirect to a single other client";
                return Err(CommandError::request(text));
            }
            options.mode.redirect = id.cast_unsigned();
            if admin.engine.clients.get(options.mode.redirect).is_none() {
                let text = "ERR The client ID you want redirect to does not exist";
                return Err(CommandError::state(text));
            }
        } else if args.token("BCAST") {
            options.mode.broadcast = true;
        } else if args.token("OPTIN") {
            options.opt_in = true;
        } else if args.token("OPTOUT") {
            options.opt_out = true;
        } else if args.token("NOLOOP") {
            options.mode.no_loop = true;
        } else if args.option("PREFIX") {
            options.prefixes.push(args.bytes());
        } else {
            args.unknown();
        }
    }
    args.finish()?;
    Ok(options)
}

fn tracking(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut options = parse(admin)?;
    let word = admin.cx.arg(2)?;
    if word.eq_ignore_ascii_case(b"off") {
        admin.engine.untrack(admin.session);
        if !admin.in_transaction {
            admin.engine.forget_reads();
        }
    } else if word.eq_ignore_ascii_case(b"on") {
        check(&options, admin.session.tracking.as_deref())?;
        options.mode.caching = match (options.opt_in, options.opt_out) {
            (true, _) => Caching::OptIn,
            (_, true) => Caching::OptOut,
            _ => Caching::All,
        };
        if options.mode.broadcast && options.prefixes.is_empty() {
            options.prefixes.push(b"");
        }
        admin.engine.track(admin.session, options.mode, &options.prefixes);
    } else {
        return Err(CommandError::SYNTAX);
    }
    admin.cx.reply.ok();
    Ok(())
}

/// Refuses options that contradict each other, or what the session has asked for already.
fn check(options: &Options<'_>, now: Option<&TrackingSession>) -> Result<(), CommandError> {
    let error = |text: &'static str| Err(CommandError::request(text));
    let broadcast = options.mode.broadcast;
    if !broadcast && !options.prefixes.is_empty() {
        return error("ERR PREFIX option requires BCAST mode to be enabled");
    }
    let mode = now.and_then(TrackingSession::mode);
    if mode.is_some_and(|mode| mode.broadcast != broadcast) {
        return error(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, \
             and then re-enabling it with a different mode.",
        );
    }
    if broadcast && (options.opt_in || options.opt_out) {
        return error("ERR OPTIN and OPTOUT are not compatible with BCAST");
    }
    if options.opt_in && options.opt_out {
        return error("ERR You can't specify both OPTIN mode and OPTOUT mode");
    }
    let switches = match mode.map(|mode| mode.caching) {
        Some(Caching::OptIn) => options.opt_out,
        Some(Caching::OptOut) => options.opt_in,
        _ => false,
    };
    if switches {
        return error(
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, \
             and then re-enabling it with a different mode.",
        );
    }
    let known = if broadcast { now.map_or(&[][..], TrackingSession::prefixes) } else { &[] };
    check_prefixes(&options.prefixes, known)
}

/// Refuses prefixes of which one begins with another: a key below both would be told twice.
fn check_prefixes(prefixes: &[&[u8]], known: &[Box<[u8]>]) -> Result<(), CommandError> {
    let overlap = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
    for (index, prefix) in prefixes.iter().enumerate() {
        if let Some(old) = known.iter().find(|old| overlap(prefix, old)) {
            return Err(overlapping(prefix, "an existing", old));
        }
        if let Some(other) = prefixes[index + 1..].iter().find(|other| overlap(prefix, other)) {
            return Err(overlapping(prefix, "another provided", other));
        }
    }
    Ok(())
}

fn overlapping(prefix: &[u8], which: &str, other: &[u8]) -> CommandError {
    let other = String::from_utf8_lossy(other);
    let after = format!(
        "' overlaps with {which} prefix '{other}'. Prefixes for a single client must not overlap."
    );
    CommandError::quoting("ERR Prefix '", prefix, &after)
}

fn caching(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let word = admin.cx.arg(2)?;
    let tracking = admin.session.tracking.as_deref_mut();
    let Some((tracking, caching)) = tracking.and_then(|tracking| {
        let caching = tracking.mode()?.caching;
        Some((tracking, caching))
    }) else {
        return Err(CommandError::state(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN \
             or OPTOUT mode enabled",
        ));
    };
    let (wanted, text) = if word.eq_ignore_ascii_case(b"yes") {
        let text = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.";
        (Caching::OptIn, text)
    } else if word.eq_ignore_ascii_case(b"no") {
        let text = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
        (Caching::OptOut, text)
    } else {
        return Err(CommandError::SYNTAX);
    };
    if caching != wanted {
        return Err(CommandError::state(text));
    }
    tracking.next = true;
    admin.cx.reply.ok();
    Ok(())
}

fn get_redirect(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mode = admin.session.tracking.as_deref().and_then(TrackingSession::mode);
    admin.cx.reply.integer(mode.map_or(-1, |mode| mode.redirect as i64));
    Ok(())
}

fn tracking_info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let tracking = admin.session.tracking.as_deref();
    let mode = tracking.and_then(TrackingSession::mode);
    let flags = tracking.map_or_else(|| vec!["off"], |t| flags(t, admin.session.handle.flags()));
    let prefixes = tracking.map_or(&[][..], TrackingSession::prefixes);
    let reply = &mut *admin.cx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"redirect");
    reply.integer(mode.map_or(-1, |mode| mode.redirect as i64));
    reply.bulk(b"prefixes");
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}

/// The words for a session's tracking.
fn flags(tracking: &TrackingSession, client: ClientFlags) -> Vec<&'static str> {
    let Some(mode) = tracking.mode() else { return vec!["off"] };
    let (opt_in, opt_out) = (mode.caching == Caching::OptIn, mode.caching == Caching::OptOut);
    [
        (true, "on"),
        (mode.broadcast, "bcast"),
        (opt_in, "optin"),
        (opt_in && tracking.next, "caching-yes"),
        (opt_out, "optout"),
        (opt_out && tracking.next, "caching-no"),
        (mode.no_loop, "noloop"),
        (client.has(ClientFlags::BROKEN_REDIRECT), "broken_redirect"),
    ]
    .into_iter()
    .filter_map(|(is, word)| is.then_some(word))
    .collect()
}
