//! Random fields of a hash: only such as are not due.

use std::collections::HashSet;

use stdx::rng::Rng;

use super::{Field, Hash, PAIRED, STALE};
use crate::compact::{self, Place, View};
use crate::listpack::Item;

/// After so many draws of fields that are due, all fields are gone through.
const DRAWS_MAX: usize = 64;

impl Hash {
    /// One of the fields that are not due at `now`, each equally likely; none if there is none.
    pub fn sample(&self, rng: &mut Rng, now: u64) -> Option<Place> {
        if !self.may_be_due(now) {
            return self.compact.sample(rng, 2);
        }
        self.draw(rng, now).or_else(|| self.choose(rng, 1, now).pop())
    }

    /// `count` different fields that are not due at `now`, or all if there are not so many; every
    /// choice equally likely.
    pub fn sample_distinct(&self, rng: &mut Rng, count: usize, now: u64) -> Vec<Place> {
        if !self.may_be_due(now) {
            return self.compact.sample_distinct(rng, count, 2);
        }
        let (mut places, mut drawn) = (Vec::new(), HashSet::new());
        // Drawing again what has been drawn is cheap for as long as most has not.
        if count <= self.len() / 8 {
            for _ in 0..count + count / 4 + DRAWS_MAX {
                match self.draw(rng, now) {
                    Some(place) if drawn.insert(place) => places.push(place),
                    Some(_) => {}
                    None => break,
                }
                if places.len() == count {
                    return places;
                }
            }
        }
        self.choose(rng, count, now)
    }

    /// Draws until a field is found that is not due, but not for long.
    fn draw(&self, rng: &mut Rng, now: u64) -> Option<Place> {
        let mut draws = (0..DRAWS_MAX).map_while(|_| self.compact.sample(rng, 2));
        draws.find(|&place| !self.at(place).is_due(now))
    }

    /// Goes through all fields and takes `count` of those that are not due.
    fn choose(&self, rng: &mut Rng, count: usize, now: u64) -> Vec<Place> {
        let all = self.compact.sample_distinct(rng, usize::MAX, 2);
        let alive = all.into_iter().filter(|&place| !self.at(place).is_due(now));
        compact::select(rng, alive, self.count(now), count)
    }

    /// The field at a place.
    ///
    /// # Panics
    /// If the hash has changed since the place was given out.
    #[must_use]
    pub fn at(&self, place: Place) -> Field<'_> {
        match (self.compact.view(), place) {
            (View::Listpack(listpack), Place::Listpack(name)) => {
                let value: Item<'_> = listpack.get(listpack.next(name).expect(PAIRED));
                Field { name: listpack.get(name), value, deadline: None }
            }
            (View::Timed(timed), Place::Listpack(name)) => Field::from(timed.field(name)),
            (View::Table(table), Place::Table(at)) => Field::from(table.get(at)),
            _ => panic!("{STALE}"),
        }
    }
}
