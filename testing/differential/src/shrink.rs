//! Delta debugging: makes a failing stream short by leaving out chunks for as long as it still
//! fails, in halves, quarters and so on down to single commands.

/// Returns a shortest found subsequence of `items` for which `fails` still holds, trying at most
/// `tries_max` candidates. `items` itself is assumed to fail.
///
/// # Errors
/// The first error of `fails`.
pub fn shrink<T: Clone, E>(
    items: &[T],
    tries_max: usize,
    mut fails: impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    let mut best = items.to_vec();
    let mut chunk = best.len().div_ceil(2);
    let mut tries = 0;
    while chunk > 0 && !best.is_empty() {
        let mut removed = false;
        // From the end, because the commands after the failing one are the easiest to lose.
        let mut end = best.len();
        while end > 0 {
            if tries == tries_max {
                return Ok(best);
            }
            tries += 1;
            let start = end.saturating_sub(chunk);
            let candidate = [&best[..start], &best[end..]].concat();
            if fails(&candidate)? {
                best = candidate;
                removed = true;
            }
            end = start;
        }
        // Single commands are tried until none can go: one may have hung on another.
        if chunk > 1 {
            chunk = chunk.div_ceil(2).min(chunk - 1);
        } else if !removed {
            break;
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(items: std::ops::Range<u32>, fails: impl Fn(&[u32]) -> bool) -> Vec<u32> {
        let items: Vec<u32> = items.collect();
        shrink(&items, 10_000, |candidate| Ok::<_, ()>(fails(candidate))).unwrap()
    }

    #[test]
    fn finds_the_commands_that_matter() {
        assert_eq!(shrunk(0..1000, |c| c.contains(&777)), [777]);
        assert_eq!(shrunk(0..1000, |c| c.contains(&3) && c.contains(&998)), [3, 998]);
        let sum_of_three = |c: &[u32]| c.len() >= 3;
        assert_eq!(shrunk(0..50, sum_of_three).len(), 3);
        // One element may go only after a later one has gone.
        let hangs = |c: &[u32]| c.contains(&5) && (!c.contains(&7) || c.contains(&2));
        assert_eq!(shrunk(0..10, hangs), [5]);
        assert_eq!(shrunk(0..0, |_| true), [0; 0]);
    }

    #[test]
    fn stops_after_its_tries_and_passes_errors_on() {
        let items: Vec<u32> = (0..100).collect();
        let mut calls = 0;
        let best = shrink(&items, 10, |_| {
            calls += 1;
            Ok::<_, ()>(false)
        });
        assert_eq!((best.unwrap().len(), calls), (100, 10));
        assert_eq!(shrink(&items, 10, |_| Err("gone")), Err("gone"));
    }
}
