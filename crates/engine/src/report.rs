//! What the engine says about itself without being asked by a client: for crash reports and logs.

use command::Cx;
use resp::{OwnedArgs, Reply, Version};
use store::{Effects, Held, Keyspace};

use crate::admin::AdminCx;
use crate::admin::connection::client::list;
use crate::admin::server::info;
use crate::clients::{ClientHandle, Endpoint};
use crate::engine::Engine;
use crate::session::Session;
use crate::thread::ThreadContext;

impl Engine {
    /// The text of `INFO everything`, as if a client of event loop `thread` had asked.
    ///
    /// Takes the locks that the command takes, so it must not be called while holding one, unless
    /// the caller can afford to wait in vain.
    #[must_use]
    pub fn info(&self, thread: &mut ThreadContext) -> String {
        let handle = self.clients.connect(thread.index, Endpoint::default(), thread.now_ms());
        let mut session = Session::new(handle, true);
        let id = session.id();
        let mut reply = Reply::new(Version::Resp2);
        let line = OwnedArgs::from_slices(&["INFO", "everything"]);
        let mut effects = Effects::default();
        let scope = self.scope(&session, thread);
        let held = Held::none();
        let rng = &mut thread.rng;
        let db = Keyspace::new(&self.store, held, &mut effects, scope, rng);
        let args = line.as_args();
        let cx = Cx { args, reply: &mut reply, db, config: &self.config, name: "info" };
        let mut admin = AdminCx::new(self, &mut session, thread.index, cx);
        let text = info::sections(&mut admin);
        drop(admin);
        self.clients.disconnect(id);
        text
    }

    /// The line that `CLIENT LIST` shows for `client`, without a line end.
    #[must_use]
    pub fn describe(&self, client: &ClientHandle) -> String {
        list::describe(self, client, self.clock.unix_ms())
    }
}
