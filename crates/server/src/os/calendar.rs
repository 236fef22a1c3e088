//! Timestamps of log lines: `21 Nov 2026 02:39:56.451`, local time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in the local time zone, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    year: i64,
    month: usize,
    day: i64,
    second_of_day: i64,
    millisecond: u32,
}

impl LocalTime {
    /// The present.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
        let offset = sys::local_time::offset_seconds(seconds);
        Self::from_seconds(seconds.saturating_add(offset), since_epoch.subsec_millis())
    }

    /// From seconds since 1970 as a local clock counts them.
    ///
    /// The Gregorian calendar repeats every 400 years of 146,097 days. Counting years from March
    /// puts the leap day last, so that a day of the year gives the month by one division.
    fn from_seconds(seconds: i64, millisecond: u32) -> Self {
        const DAYS_PER_ERA: i64 = 146_097;
        const DAYS_FROM_MARCH_OF_YEAR_0: i64 = 719_468;
        let days = seconds.div_euclid(86_400) + DAYS_FROM_MARCH_OF_YEAR_0;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March have 31 30 31 30 31 days, again and again: 153 days in five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = usize::try_from((month_from_march + 2) % 12).unwrap_or(0);
        Self {
            year: era * 400 + year_of_era + i64::from(month < 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            second_of_day: seconds.rem_euclid(86_400),
            millisecond,
        }
    }

    /// The form of the system log: `Nov 21 02:39:56`, days below ten after a space.
    pub fn syslog(self) -> String {
        let clock = self.second_of_day;
        format!(
            "{} {:>2} {:02}:{:02}:{:02}",
            MONTHS[self.month],
            self.day,
            clock / 3_600,
            clock / 60 % 60,
            clock % 60
        )
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:02} {} {:04} {:02}:{:02}:{:02}.{:03}",
            self.day,
            MONTHS[self.month],
            self.year,
            self.second_of_day / 3_600,
            self.second_of_day / 60 % 60,
            self.second_of_day % 60,
            self.millisecond
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        let cases = [
            (0, "01 Jan 1970 00:00:00.007"),
            (951_782_400, "29 Feb 2000 00:00:00.007"),
            (951_868_799, "29 Feb 2000 23:59:59.007"),
            (951_868_800, "01 Mar 2000 00:00:00.007"),
            (1_709_251_199, "29 Feb 2024 23:59:59.007"),
            (1_795_228_796, "21 Nov 2026 02:39:56.007"),
            (4_102_444_800, "01 Jan 2100 00:00:00.007"),
            (-1, "31 Dec 1969 23:59:59.007"),
        ];
        for (seconds, text) in cases {
            assert_eq!(LocalTime::from_seconds(seconds, 7).to_string(), text);
        }
        assert_eq!(LocalTime::from_seconds(951_868_800, 7).syslog(), "Mar  1 00:00:00");
    }

    #[test]
    fn every_day_of_four_centuries_follows_its_predecessor() {
        let mut previous = LocalTime::from_seconds(-86_400, 0);
        for day in 0..146_097 {
            let now = LocalTime::from_seconds(day * 86_400, 0);
            let next_day =
                (now.year, now.month, now.day) == (previous.year, previous.month, previous.day + 1);
            let next_month = now.day == 1
                && (now.year, now.month) == (previous.year, previous.month + 1)
                && previous.day >= 28;
            let next_year = (now.day, now.month, now.year) == (1, 0, previous.year + 1)
                && (previous.day, previous.month) == (31, 11);
            assert!(next_day || next_month || next_year, "{previous} then {now}");
            previous = now;
        }
    }
}
