//! Socket activation and readiness, as systemd defines them.
