//! The session: one thread that owns every tensor, steps, evaluates, searches and saves.
