//! The reply of the `HELP` subcommands.

use resp::Reply;

/// Writes the help of a container: a heading, `lines`, and what to say of `HELP` itself.
pub fn write(reply: &mut Reply, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    let heading = "<subcommand> [<arg> [value] [opt] ...]. Subcommands are:";
    reply.simple(&format!("{container} {heading}"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Print this help.");
}
