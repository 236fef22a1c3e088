//! Searching: shapes around a centre, the distance of a position, and the cells to look into.

use super::cell::{Bounds, Cell};
use super::{Point, STEPS_MAX};

/// The earth as a sphere of this radius, in metres.
const EARTH_RADIUS_M: f64 = 6_372_797.560_856;
/// The largest coordinate of the projection, in metres: half the circumference.
const MERCATOR_MAX_M: f64 = 20_037_726.37;

/// What a search takes in around its centre. All lengths in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Everything within this distance.
    Circle {
        /// The distance.
        radius: f64,
    },
    /// A rectangle along meridians and parallels.
    Box {
        /// From its western to its eastern edge.
        width: f64,
        /// From its southern to its northern edge.
        height: f64,
    },
}

impl Shape {
    /// The shape around a place.
    #[must_use]
    pub fn around(self, centre: Point) -> Area {
        Area { shape: self, centre, cosine: centre.latitude.to_radians().cos() }
    }

    /// Half the width and half the height of the rectangle around the shape.
    fn halves(self) -> (f64, f64) {
        match self {
            Self::Circle { radius } => (radius, radius),
            Self::Box { width, height } => (width / 2.0, height / 2.0),
        }
    }

    /// The distance of the furthest position of the shape.
    fn radius(self) -> f64 {
        match self {
            Self::Circle { radius } => radius,
            Self::Box { .. } => {
                let (x, y) = self.halves();
                (x * x + y * y).sqrt()
            }
        }
    }

    /// The degrees that the shape reaches. Parallels get shorter towards the poles, so the width
    /// is measured at the edge that is nearer to one.
    fn bounds(self, centre: Point) -> Bounds {
        let (half_width, half_height) = self.halves();
        let high = degrees(half_height / EARTH_RADIUS_M);
        let edge =
            if centre.latitude < 0.0 { centre.latitude - high } else { centre.latitude + high };
        let wide = degrees(half_width / EARTH_RADIUS_M / edge.to_radians().cos());
        Bounds {
            longitude: (centre.longitude - wide, centre.longitude + wide),
            latitude: (centre.latitude - high, centre.latitude + high),
        }
    }
}

/// A shape around a place, against which many positions are held.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    shape: Shape,
    centre: Point,
    /// That of the centre's latitude.
    cosine: f64,
}

impl Area {
    /// The distance of `point` from the centre in metres; none if it lies outside the shape.
    #[must_use]
    pub fn distance(&self, point: Point) -> Option<f64> {
        let Self { shape, centre, .. } = *self;
        let up = along_meridian(centre, point);
        match shape {
            // The way is no shorter than its part to the north, whatever the last bits say: where
            // that part alone is too long, there is no need for the sines.
            Shape::Circle { radius } if up > radius * ROUNDING => None,
            Shape::Circle { radius } => {
                let distance = self.arc(point);
                (distance <= radius).then_some(distance)
            }
            Shape::Box { height, .. } if up > height / 2.0 => None,
            Shape::Box { width, .. } => {
                // The width is measured along the point's own parallel.
                let across = Point { longitude: centre.longitude, latitude: point.latitude };
                let outside = distance(point, across) > width / 2.0;
                (!outside).then(|| self.arc(point))
            }
        }
    }

    /// The length of the great circle from the centre.
    fn arc(&self, point: Point) -> f64 {
        arc(self.centre, self.cosine, point)
    }
}

/// Above what is lost to rounding in a distance by a wide margin, the worst being a place on the
/// other side of the earth, where an arc sine keeps half of the digits.
const ROUNDING: f64 = 1.0 + 1e-6;

/// Radians as degrees. It divides where the standard library multiplies: the last bit counts where
/// an edge of a shape is compared with that of a cell.
fn degrees(radians: f64) -> f64 {
    radians / 1f64.to_radians()
}

/// The length of the great circle between two positions in metres, by the haversine formula.
#[must_use]
pub fn distance(a: Point, b: Point) -> f64 {
    arc(a, a.latitude.to_radians().cos(), b)
}

/// The same, with the cosine of the first latitude.
fn arc(a: Point, cosine: f64, b: Point) -> f64 {
    let half_sine = |from: f64, to: f64| ((to.to_radians() - from.to_radians()) / 2.0).sin();
    let across = half_sine(a.longitude, b.longitude);
    // Exact, and without the loss of the formula for short arcs.
    if across == 0.0 {
        return along_meridian(a, b);
    }
    let up = half_sine(a.latitude, b.latitude);
    let cosines = cosine * b.latitude.to_radians().cos();
    2.0 * EARTH_RADIUS_M * (up * up + cosines * across * across).sqrt().asin()
}

/// The distance of the parallels of two positions in metres.
fn along_meridian(a: Point, b: Point) -> f64 {
    EARTH_RADIUS_M * (b.latitude.to_radians() - a.latitude.to_radians()).abs()
}

/// How often the axes are halved for cells that, nine together, take in a circle around a place of
/// this latitude in degrees. `radius` is in metres.
#[must_use]
pub fn steps_for_radius(radius: f64, latitude: f64) -> u8 {
    if radius == 0.0 {
        return STEPS_MAX;
    }
    // The world is 2^steps cells wide, and a cell at least twice the radius: so that the circle
    // ends in a neighbour wherever in its cell the centre lies.
    let mut halvings = 0i32;
    let mut reach = radius;
    while reach < MERCATOR_MAX_M && halvings <= i32::from(STEPS_MAX) + 2 {
        reach *= 2.0;
        halvings += 1;
    }
    // In the projection a metre grows towards the poles.
    let stretched = i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    (halvings - 1 - stretched).clamp(1, i32::from(STEPS_MAX)) as u8
}

/// The neighbours of a cell as steps to the east and to the north, in the order of a search.
const NEIGHBOURS: [(i8, i8); 8] =
    [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// The cells that together take in the shape, at most nine, the centre's first. On a coarse grid a
/// cell may come twice, but not in a row.
#[must_use]
pub fn cover(centre: Point, shape: Shape) -> Vec<Cell> {
    let wanted = shape.bounds(centre);
    let mut steps = steps_for_radius(shape.radius(), centre.latitude);
    let mut cell = Cell::around(centre, steps);
    if steps > 1 && !neighbours_reach(cell, wanted) {
        steps -= 1;
        cell = Cell::around(centre, steps);
    }
    let own = cell.bounds();
    // What the cell itself takes in on one side needs no neighbour there. A world of few cells is
    // round, where sides mean little.
    let is_needed = |&(east, north): &(i8, i8)| {
        steps < 2
            || !((north < 0 && own.latitude.0 < wanted.latitude.0)
                || (north > 0 && own.latitude.1 > wanted.latitude.1)
                || (east < 0 && own.longitude.0 < wanted.longitude.0)
                || (east > 0 && own.longitude.1 > wanted.longitude.1))
    };
    let neighbours = NEIGHBOURS.into_iter().filter(is_needed);
    let mut cells = vec![cell];
    cells.extend(neighbours.map(|(east, north)| cell.neighbour(east, north)));
    cells.dedup();
    cells
}

/// Whether the cells around `cell` reach the edges of `wanted`.
fn neighbours_reach(cell: Cell, wanted: Bounds) -> bool {
    let at = |east, north| cell.neighbour(east, north).bounds();
    at(0, 1).latitude.1 >= wanted.latitude.1
        && at(0, -1).latitude.0 <= wanted.latitude.0
        && at(1, 0).longitude.1 >= wanted.longitude.1
        && at(-1, 0).longitude.0 <= wanted.longitude.0
}

#[cfg(test)]
mod tests {
    use super::super::{LATITUDE_MAX, LONGITUDE_MAX};
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn steps_follow_from_the_radius_and_the_latitude() {
        for (radius, latitude, steps) in [
            (0.0, 0.0, 26),
            (0.001, 0.0, 26),
            (1.0, 0.0, 24),
            (1000.0, 0.0, 14),
            (1000.0, 67.0, 13),
            (1000.0, -81.0, 12),
            (5e6, 0.0, 2),
            (2e7, 0.0, 1),
            (1e12, 85.0, 1),
            (f64::INFINITY, 0.0, 1),
        ] {
            assert_eq!(steps_for_radius(radius, latitude), steps, "{radius} m at {latitude}");
        }
    }

    #[test]
    fn boxes_measure_each_axis() {
        let centre = Point::new(0.0, 0.0).unwrap();
        let at = |longitude, latitude| Point::new(longitude, latitude).unwrap();
        let wide = Shape::Box { width: 400_000.0, height: 100_000.0 };
        let wide = wide.around(centre);
        assert!(wide.distance(at(1.7, 0.0)).is_some());
        assert!(wide.distance(at(0.0, 0.5)).is_none());
        assert!(wide.distance(at(-1.9, 0.0)).is_none());
        let circle = |radius| Shape::Circle { radius }.around(centre);
        assert!(circle(1.0).distance(centre).is_some());
        assert_eq!(circle(0.0).distance(centre), Some(0.0));
        assert!(circle(f64::NAN).distance(centre).is_none());
    }

    #[test]
    fn a_box_in_the_middle_of_a_cell_needs_no_neighbour() {
        let cell = Cell::around(Point::new(10.0, 10.0).unwrap(), 10);
        let bounds = cell.bounds();
        let middle = |(min, max): (f64, f64)| (min + max) / 2.0;
        let centre = Point::new(middle(bounds.longitude), middle(bounds.latitude)).unwrap();
        let cells = cover(centre, Shape::Box { width: 30_000.0, height: 10_000.0 });
        assert_eq!(cells, [cell]);
        let higher = Shape::Box { width: 30_000.0, height: 25_000.0 };
        assert_eq!(cover(centre, higher), [cell, cell.neighbour(0, 1), cell.neighbour(0, -1)]);
        assert!(cover(Point::new(0.0, 0.0).unwrap(), Shape::Circle { radius: 10.0 }).len() > 1);
    }

    /// Away from the poles and from the meridian where the map is cut, the cells take in every
    /// position of the shape.
    #[test]
    fn the_cells_cover_the_shape() {
        let seed = 3;
        let mut rng = Rng::seed(seed);
        for round in 0..3000 {
            let centre = Point {
                longitude: (rng.unit_f64() * 2.0 - 1.0) * 120.0,
                latitude: (rng.unit_f64() * 2.0 - 1.0) * 70.0,
            };
            let size = 10f64.powf(rng.unit_f64() * 6.0);
            let shape = if rng.chance(1, 2) {
                Shape::Circle { radius: size }
            } else {
                Shape::Box { width: size * 2.0, height: size * (0.1 + rng.unit_f64()) }
            };
            let cells = cover(centre, shape);
            assert!((1..=9).contains(&cells.len()));
            let Bounds { longitude, latitude } = shape.bounds(centre);
            let inside = |(min, max): (f64, f64), share: f64| min + (max - min) * share;
            for _ in 0..50 {
                let found =
                    Point::new(inside(longitude, rng.unit_f64()), inside(latitude, rng.unit_f64()));
                let Some(point) = found else { continue };
                if shape.around(centre).distance(point).is_some() {
                    let covered = cells.iter().any(|cell| cell.hashes().contains(&point.hash()));
                    assert!(covered, "seed {seed} round {round}: {centre:?} {shape:?} {point:?}");
                }
            }
        }
    }

    /// What is told without the sines is told as with them, at the very edge too.
    #[test]
    fn circles_take_in_what_is_no_further_than_their_radius() {
        let seed = 11;
        let mut rng = Rng::seed(seed);
        let mut anywhere = || Point {
            longitude: (rng.unit_f64() * 2.0 - 1.0) * LONGITUDE_MAX,
            latitude: (rng.unit_f64() * 2.0 - 1.0) * LATITUDE_MAX,
        };
        for round in 0..20_000 {
            let (centre, mut point) = (anywhere(), anywhere());
            match round % 4 {
                0 => point.longitude = centre.longitude + 1e-9,
                1 => point.longitude = centre.longitude + LONGITUDE_MAX,
                2 => point.latitude = -centre.latitude,
                _ => {}
            }
            let far = distance(centre, point);
            for radius in [far, far.next_down(), far.next_up(), far / 2.0, 0.0] {
                let found = Shape::Circle { radius }.around(centre).distance(point);
                let expected = (far <= radius).then_some(far);
                assert_eq!(found, expected, "seed {seed} round {round}: {centre:?} {point:?}");
            }
        }
    }

    #[test]
    fn absurd_shapes_neither_panic_nor_hang() {
        let sizes = [0.0, -1.0, 1e-300, 1e300, f64::INFINITY, f64::NAN, 5e6, 2e7];
        for longitude in [-LONGITUDE_MAX, 0.0, LONGITUDE_MAX] {
            for latitude in [-LATITUDE_MAX, -80.0, 0.0, 66.5, LATITUDE_MAX] {
                let centre = Point::new(longitude, latitude).unwrap();
                for width in sizes {
                    assert!(cover(centre, Shape::Circle { radius: width }).len() <= 9);
                    for height in sizes {
                        assert!(cover(centre, Shape::Box { width, height }).len() <= 9);
                    }
                }
            }
        }
    }
}
