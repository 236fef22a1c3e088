//! A newer redis-server than the machine's distribution has, as a second reference: that of Debian
//! 13, unpacked below the target directory with the libraries that it runs on. The system is left
//! as it is, so neither root nor a container is needed: apt keeps its lists, its cache and its
//! state in a folder of ours, and the dynamic linker that was unpacked starts the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{DEBUG, install};
use crate::server::Launch;
use crate::{Result, shell};

/// The name that `--reference` takes for it.
pub const NAME: &str = "newer";

/// Debian 13, which has Redis 8.0.
const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org/debian";

/// What apt keeps in the folder: its sources, its lists, what is installed, what it has downloaded.
const SOURCES: &str = "sources.list";
const LISTS: &str = "lists";
const STATUS: &str = "status";
const CACHE: &str = "cache";

/// The program, which lies in `redis-tools`, and all that it is linked with.
const PACKAGES: &[&str] = &[
    "redis-server",
    "redis-tools",
    "libatomic1",
    "libc6",
    "libcap2",
    "libgcc-s1",
    "libgcrypt20",
    "libjemalloc2",
    "liblzf1",
    "liblzma5",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libzstd1",
];

/// How to start it; it is installed first where it is not there.
///
/// # Errors
/// Why it cannot be had.
pub fn launch() -> Result<Launch> {
    let folder = shell::target_dir().join("newer-redis");
    let root = folder.join("root");
    // Made last, so that an interrupted installation is not taken for a whole one.
    let receipt = folder.join("installed.txt");
    let wanted = format!("{SUITE}: {}", PACKAGES.join(" "));
    if !fs::read_to_string(&receipt).is_ok_and(|installed| installed == wanted) {
        unpack(&folder, &root)?;
        fs::write(&receipt, &wanted).map_err(|e| format!("{}: {e}", receipt.display()))?;
    }
    let mut command = command(&root)?;
    let version = shell::capture(Command::new(&command[0]).args(&command[1..]).arg("--version"))?;
    let version = version.split_whitespace().find_map(|word| word.strip_prefix("v="));
    let label = format!("redis-server {}", version.unwrap_or("of Debian 13"));
    // A server rewrites what `ps` shows, and would find only the linker's name there.
    command.splice(1..1, ["--argv0".to_owned(), "redis-server".to_owned()]);
    Ok(Launch { label, command, extra: shell::words(DEBUG) })
}

/// Downloads the packages and unpacks them.
fn unpack(folder: &Path, root: &Path) -> Result {
    for program in ["apt-get", "dpkg-deb"] {
        if !shell::has(program) {
            return Err(format!("no {program} to get a newer redis-server with"));
        }
    }
    if !Path::new(KEYRING).is_file() {
        return Err(format!("no {KEYRING} to check a newer redis-server with"));
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let [debs, lists, cache] = ["debs", LISTS, CACHE].map(|name| folder.join(name));
    for folder in [root, &debs, &lists.join("partial"), &cache.join("archives/partial")] {
        install::create(folder)?;
    }
    let (sources, status) = (folder.join(SOURCES), folder.join(STATUS));
    let source = format!("deb [signed-by={KEYRING}] {MIRROR} {SUITE} main\n");
    for (file, text) in [(&sources, source), (&status, String::new())] {
        fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    shell::capture(apt_get(folder).args(["update", "--quiet"]))?;
    let download = ["download", "--quiet"];
    shell::capture(apt_get(folder).args(download).args(PACKAGES).current_dir(&debs))?;
    for entry in files(&debs)? {
        shell::capture(Command::new("dpkg-deb").arg("--extract").arg(entry).arg(root))?;
    }
    // Much larger than what they were needed for.
    for folder in [debs, lists, cache] {
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    Ok(())
}

/// apt with all that it remembers in `folder`.
fn apt_get(folder: &Path) -> Command {
    let option = |name: &str, file: &str| format!("{name}={}", folder.join(file).display());
    let mut command = Command::new("apt-get");
    for option in [
        option("Dir::Etc::sourcelist", SOURCES),
        "Dir::Etc::sourceparts=-".to_owned(),
        option("Dir::State::lists", LISTS),
        option("Dir::State::status", STATUS),
        option("Dir::Cache", CACHE),
        "Acquire::Languages=none".to_owned(),
        "Acquire::Retries=1".to_owned(),
        "Acquire::http::Timeout=20".to_owned(),
        // Else a machine without a network is told by the download only.
        "APT::Update::Error-Mode=any".to_owned(),
    ] {
        command.args(["-o", &option]);
    }
    command
}

/// The command line that starts the unpacked program with the unpacked libraries.
fn command(root: &Path) -> Result<Vec<String>> {
    for libraries in files(&root.join("usr/lib"))?.into_iter().filter(|path| path.is_dir()) {
        let is_linker = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
        };
        if let Some(linker) = files(&libraries)?.into_iter().find(is_linker) {
            let program = root.join("usr/bin/redis-server");
            let words = [&linker, Path::new("--library-path"), &libraries, &program];
            return Ok(words.iter().map(|word| word.display().to_string()).collect());
        }
    }
    Err(format!("no dynamic linker below {}", root.display()))
}

/// What lies in a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}
