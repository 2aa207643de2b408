//! The update rules of sagetrain's optimizers: one pass over flat memory, no libtorch and no JavaScript.
