//! What containers answer: to their name alone, and to `HELP`.

use resp::Reply;

use crate::context::Cx;
use crate::error::CommandError;

/// The handler of a container. It is never run: the arity asks for a subcommand, and an unknown one
/// is refused before.
///
/// # Errors
/// Always.
pub fn bare(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    Err(CommandError::arity(cx.name))
}

/// Writes the help of a container: a heading, `lines`, and what to say of `HELP` itself.
pub fn write(reply: &mut Reply, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    let heading = "<subcommand> [<arg> [value] [opt] ...]. Subcommands are:";
    reply.simple(&format!("{container} {heading}"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Print this help.");
}
