//! What tch lacks of libtorch, behind a safe and fallible API.
