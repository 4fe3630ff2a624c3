//! Framing: finding the messages in a byte stream.
