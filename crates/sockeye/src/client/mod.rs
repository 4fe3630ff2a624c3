//! Connecting: every address of the grammar, every resolved address in turn.
