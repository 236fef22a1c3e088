//! The unrelated client: one `GET` at a steady pace, each timed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use crate::Result;
use crate::server::{Server, ask};

/// A key that no scenario touches.
const KEY: &str = "unrelated";

/// A running probe of one server.
pub struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Histogram>>,
}

impl Probe {
    /// Starts asking `server` every `interval`.
    ///
    /// # Errors
    /// When it cannot connect.
    pub fn start(server: &Server, interval: Duration) -> Result<Probe> {
        let mut client = server.connect()?;
        // The first request pays for things that later ones have ready.
        ask(&mut client, &["GET", KEY])?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let interval_ns = interval.as_nanos() as u64;
        let thread = std::thread::spawn(move || {
            let mut histogram = Histogram::default();
            while !stopped.load(Ordering::Relaxed) {
                let sent = Instant::now();
                ask(&mut client, &["GET", KEY])?;
                histogram.record_with_missed(sent.elapsed().as_nanos() as u64, interval_ns);
                std::thread::sleep(interval.saturating_sub(sent.elapsed()));
            }
            Ok(histogram)
        });
        Ok(Probe { stop, thread })
    }

    /// Stops asking and returns the latencies.
    ///
    /// # Errors
    /// What ended the probe early.
    pub fn finish(self) -> Result<Histogram> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the probe thread panicked".to_owned())?
    }
}
