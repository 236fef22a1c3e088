//! What a search asks for: the centre, the shape, the order, how many, and what becomes of them.
//!
//! `GEOSEARCH` names everything; the older `GEORADIUS` family has the centre and the radius at
//! fixed places. Both share the other options, so they share this parser.

use collections::sorted_set::SortedSet;
use command::{ArgReader, CommandError};
use stdx::geo::{Point, Shape};
use stdx::num::{parse_f64, parse_i64};

use super::unit::Unit;
use super::{point, position};

/// Which command says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `GEORADIUS`: centre and radius come first.
    Radius,
    /// `GEORADIUSBYMEMBER`: a member and the radius come first.
    RadiusByMember,
    /// `GEOSEARCH`: everything is named.
    Search,
    /// `GEOSEARCHSTORE`: as `GEOSEARCH`, and the destination is known.
    SearchStore,
}

/// In which order results come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    NearestFirst,
    FarthestFirst,
}

/// A search.
#[derive(Debug)]
pub(super) struct Query<'a> {
    /// Where, unless that is a member of an index that does not exist.
    pub(super) centre: Option<Point>,
    /// Around it; lengths in metres.
    pub(super) shape: Shape,
    /// What distances are replied in.
    pub(super) unit: Unit,
    pub(super) order: Option<Order>,
    /// At most so many.
    pub(super) count: Option<usize>,
    /// The first that are found, and not the nearest.
    pub(super) any: bool,
    pub(super) with_distance: bool,
    pub(super) with_hash: bool,
    pub(super) with_position: bool,
    /// Where results are stored instead of replied.
    pub(super) destination: Option<&'a [u8]>,
    /// Distances and not hashes are stored.
    pub(super) store_distance: bool,
}

/// Reads a search step by step.
pub(super) struct Parser<'q, 'a> {
    form: Form,
    /// Whether `STORE` and `STOREDIST` may come with a key.
    may_store: bool,
    /// The index that is searched.
    set: Option<&'q SortedSet>,
    query: Query<'a>,
    from_member: bool,
    from_point: bool,
    by_radius: bool,
    by_box: bool,
}

impl<'q, 'a> Parser<'q, 'a> {
    /// A parser for what comes after the keys. A member as the centre is looked up in `set`.
    pub(super) fn new(
        form: Form,
        may_store: bool,
        set: Option<&'q SortedSet>,
        destination: Option<&'a [u8]>,
    ) -> Self {
        let query = Query {
            centre: None,
            shape: Shape::Circle { radius: 0.0 },
            unit: Unit::METRE,
            order: None,
            count: None,
            any: false,
            with_distance: false,
            with_hash: false,
            with_position: false,
            destination,
            store_distance: false,
        };
        let [from_member, from_point, by_radius, by_box] = [false; 4];
        Self { form, may_store, set, query, from_member, from_point, by_radius, by_box }
    }

    /// Reads all of it. `name` is the command as the client wrote it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn parse(
        mut self,
        mut reader: ArgReader<'a>,
        name: &[u8],
    ) -> Result<Query<'a>, CommandError> {
        match self.form {
            Form::Radius => {
                self.query.centre = Some(point(reader.bytes(), reader.bytes())?);
                self.radius(&mut reader)?;
            }
            Form::RadiusByMember => {
                let member = reader.bytes();
                if self.set.is_some() {
                    self.member(member)?;
                    self.radius(&mut reader)?;
                } else {
                    // There is nothing to search. The options are still checked.
                    let _ = (reader.bytes(), reader.bytes());
                }
            }
            Form::Search | Form::SearchStore => {}
        }
        while reader.more() {
            let taken = self.plain_option(&mut reader)?
                || self.store_option(&mut reader)
                || self.is_search() && self.search_option(&mut reader)?;
            if !taken {
                return Err(CommandError::SYNTAX);
            }
        }
        self.check(name)?;
        if self.query.count.is_some() && self.query.order.is_none() && !self.query.any {
            self.query.order = Some(Order::NearestFirst);
        }
        Ok(self.query)
    }

    fn is_search(&self) -> bool {
        matches!(self.form, Form::Search | Form::SearchStore)
    }

    fn plain_option(&mut self, reader: &mut ArgReader<'a>) -> Result<bool, CommandError> {
        let query = &mut self.query;
        if reader.token("WITHDIST") {
            query.with_distance = true;
        } else if reader.token("WITHHASH") {
            query.with_hash = true;
        } else if reader.token("WITHCOORD") {
            query.with_position = true;
        } else if reader.token("ANY") {
            query.any = true;
        } else if reader.token("ASC") {
            query.order = Some(Order::NearestFirst);
        } else if reader.token("DESC") {
            query.order = Some(Order::FarthestFirst);
        } else if reader.option("COUNT") {
            let count = parse_i64(reader.bytes()).ok_or(CommandError::NOT_INTEGER)?;
            if count <= 0 {
                return Err(CommandError::request("ERR COUNT must be > 0"));
            }
            query.count = Some(usize::try_from(count).unwrap_or(usize::MAX));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn store_option(&mut self, reader: &mut ArgReader<'a>) -> bool {
        if self.form == Form::SearchStore && reader.token("STOREDIST") {
            self.query.store_distance = true;
            return true;
        }
        if !self.may_store {
            return false;
        }
        let plain = reader.option("STORE");
        if !plain && !reader.option("STOREDIST") {
            return false;
        }
        self.query.destination = Some(reader.bytes());
        self.query.store_distance = !plain;
        true
    }

    fn search_option(&mut self, reader: &mut ArgReader<'a>) -> Result<bool, CommandError> {
        let left = reader.remaining();
        if !self.from_point && reader.option("FROMMEMBER") {
            self.from_member = true;
            self.member(reader.bytes())?;
        } else if !self.from_member && left > 2 && reader.token("FROMLONLAT") {
            self.from_point = true;
            self.query.centre = Some(point(reader.bytes(), reader.bytes())?);
        } else if !self.by_box && left > 2 && reader.token("BYRADIUS") {
            self.by_radius = true;
            self.radius(reader)?;
        } else if !self.by_radius && left > 3 && reader.token("BYBOX") {
            self.by_box = true;
            self.rectangle(reader)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Makes a member the centre. Where there is no index, there is no centre.
    fn member(&mut self, member: &[u8]) -> Result<(), CommandError> {
        let Some(set) = self.set else { return Ok(()) };
        let score = set
            .score(member)
            .ok_or_else(|| CommandError::state("ERR could not decode requested zset member"))?;
        self.query.centre = Some(position(score));
        Ok(())
    }

    fn radius(&mut self, reader: &mut ArgReader<'a>) -> Result<(), CommandError> {
        let radius = length(reader.bytes(), "ERR need numeric radius")?;
        if radius < 0.0 {
            return Err(CommandError::request("ERR radius cannot be negative"));
        }
        self.query.unit = Unit::parse(reader.bytes())?;
        self.query.shape = Shape::Circle { radius: self.query.unit.to_metres(radius) };
        Ok(())
    }

    fn rectangle(&mut self, reader: &mut ArgReader<'a>) -> Result<(), CommandError> {
        let width = length(reader.bytes(), "ERR need numeric width")?;
        let height = length(reader.bytes(), "ERR need numeric height")?;
        if width < 0.0 || height < 0.0 {
            return Err(CommandError::request("ERR height or width cannot be negative"));
        }
        let unit = Unit::parse(reader.bytes())?;
        self.query.unit = unit;
        self.query.shape =
            Shape::Box { width: unit.to_metres(width), height: unit.to_metres(height) };
        Ok(())
    }

    /// Checks the options against each other.
    fn check(&self, name: &[u8]) -> Result<(), CommandError> {
        let query = &self.query;
        let shows = query.with_distance || query.with_hash || query.with_position;
        if query.destination.is_some() && shows {
            let what = if self.form == Form::SearchStore {
                "GEOSEARCHSTORE"
            } else {
                "STORE option in GEORADIUS"
            };
            return Err(CommandError::request(format!(
                "ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        if self.is_search() && !self.from_member && !self.from_point {
            let before = "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ";
            return Err(CommandError::quoting(before, name, ""));
        }
        if self.is_search() && !self.by_radius && !self.by_box {
            let before = "ERR exactly one of BYRADIUS and BYBOX can be specified for ";
            return Err(CommandError::quoting(before, name, ""));
        }
        if query.any && query.count.is_none() {
            return Err(CommandError::request("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }
}

fn length(text: &[u8], error: &'static str) -> Result<f64, CommandError> {
    parse_f64(text).ok_or_else(|| CommandError::request(error))
}
