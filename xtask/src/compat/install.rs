//! Getting the programs and libraries that the compatibility run needs.
//!
//! System packages come from apt where that is possible without a question; libraries go below
//! the target directory, which `cargo clean` removes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, shell};

/// What the checks of redis-py are written for; it needs xxhash to compute a digest.
const REDIS_PY: &[&str] = &["redis[xxhash]==8.1.*"];
/// What is built on redis-py: queues, locks, rate limits and sessions.
const PYTHON_LIBRARIES: &[&str] = &[
    "celery[redis]==5.7.*",
    "flask==3.1.*",
    "flask-session==0.8.*",
    "limits==5.8.*",
    "pottery==3.0.1",
    "redis==8.1.*",
    "rq==2.12.*",
];

/// The oldest Node that ioredis 6 and node-redis 6 run on; Debian 12 has 18.
const NODE: u32 = 20;

/// Where client libraries are installed.
fn folder() -> PathBuf {
    shell::target_dir().join("clients")
}

/// Makes sure that `redis-server` and `redis-cli` exist.
///
/// # Errors
/// Why they cannot be had.
pub fn redis_server() -> Result {
    apt(&["redis-server", "redis-cli"], &["redis-server", "redis-tools"])
}

/// Makes sure that `redis-benchmark` exists.
///
/// # Errors
/// Why it cannot be had.
pub fn redis_benchmark() -> Result {
    apt(&["redis-benchmark"], &["redis-tools"])
}

/// A Python that has redis-py.
///
/// # Errors
/// Why it cannot be had.
pub fn python_with_redis() -> Result<PathBuf> {
    python_with("venv", REDIS_PY)
}

/// A Python that has RQ, Celery and the libraries for locks, limits and sessions.
///
/// # Errors
/// Why it cannot be had.
pub fn python_with_libraries() -> Result<PathBuf> {
    python_with("venv-libraries", PYTHON_LIBRARIES)
}

/// The Python of a virtual environment with exactly those packages.
fn python_with(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let venv = folder().join(name);
    let python = venv.join("bin").join("python");
    // Written last, so that an interrupted installation is not taken for a whole one.
    let receipt = venv.join("installed.txt");
    let wanted = packages.join("\n");
    let current = fs::read_to_string(&receipt).is_ok_and(|installed| installed == wanted);
    if current && works(Command::new(&python).args(["-c", "import redis"])) {
        return Ok(python);
    }
    // The venv module is a package of its own on Debian.
    if !works(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        apt_install(&["python3", "python3-venv"])?;
    }
    create(&folder())?;
    shell::capture(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet"];
    shell::capture(Command::new(&python).args(pip).args(packages))?;
    fs::write(&receipt, &wanted).map_err(|e| format!("{}: {e}", receipt.display()))?;
    Ok(python)
}

/// The folder whose `node_modules` has the Node clients of `testing/clients/node/package.json`.
///
/// # Errors
/// Why it cannot be had.
pub fn node_modules() -> Result<PathBuf> {
    apt(&["node", "npm"], &["nodejs", "npm"])?;
    let version = shell::capture(Command::new("node").args(["-p", "process.versions.node"]))?;
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        return Err(format!("the Node clients need Node {NODE}, here is {}", version.trim()));
    }
    let folder = folder().join("node");
    let modules = folder.join("node_modules");
    let wanted = shell::root().join("testing/clients/node/package.json");
    let wanted = fs::read_to_string(&wanted).map_err(|e| format!("{}: {e}", wanted.display()))?;
    let manifest = folder.join("package.json");
    let current = fs::read_to_string(&manifest).is_ok_and(|installed| installed == wanted);
    if !(current && dependencies(&wanted)?.iter().all(|package| modules.join(package).is_dir())) {
        create(&folder)?;
        fs::write(&manifest, &wanted).map_err(|e| format!("{}: {e}", manifest.display()))?;
        let npm = ["install", "--silent", "--no-audit", "--no-fund"];
        shell::capture(Command::new("npm").args(npm).current_dir(&folder))?;
    }
    Ok(modules)
}

/// The names of the packages that a `package.json` asks for.
fn dependencies(manifest: &str) -> Result<Vec<String>> {
    let manifest: serde_json::Value =
        serde_json::from_str(manifest).map_err(|e| format!("package.json: {e}"))?;
    let packages = manifest["dependencies"].as_object().ok_or("package.json: no dependencies")?;
    Ok(packages.keys().cloned().collect())
}

/// Makes sure that `ruby` and `sidekiq` exist, in the version of the distribution: a Ruby of its
/// own is more than one part of the run is worth.
///
/// # Errors
/// Why they cannot be had.
pub fn sidekiq() -> Result {
    apt(&["ruby", "sidekiq"], &["ruby", "ruby-sidekiq"])
}

/// Makes a folder and those above it.
///
/// # Errors
/// Why it cannot be made.
pub fn create(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

/// Installs `packages` when one of `programs` is missing.
fn apt(programs: &[&str], packages: &[&str]) -> Result {
    if programs.iter().all(|program| shell::has(program)) {
        return Ok(());
    }
    apt_install(packages)
}

fn apt_install(packages: &[&str]) -> Result {
    let missing = packages.join(" ");
    if !shell::has("apt-get") {
        return Err(format!("no apt-get to install {missing} with"));
    }
    let root = shell::capture(Command::new("id").arg("-u"))?.trim() == "0";
    if !root && !works(Command::new("sudo").args(["-n", "true"])) {
        return Err(format!("neither root nor sudo without a password to install {missing} with"));
    }
    let apt_get = || {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.arg("apt-get");
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    shell::capture(apt_get().args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    shell::capture(apt_get().args(install).args(packages)).map(|_| ())
}

fn works(command: &mut Command) -> bool {
    shell::capture(command).is_ok()
}
