//! A benchmark of the key table: an example, so that the workspace has one binary to run.
