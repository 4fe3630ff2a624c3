//! The zygote's own process: one thread, one loop, no runtime.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use super::{
    Plan, child,
    message::{MAX_ORDER, Order, Receipt, answer, receive_order},
};
use crate::sys::{
    process::{Disposition, Forked, exit_now, fork_single_threaded, reset_signals, set_signal},
    served::close_inherited,
};

/// Closes a descriptor that this process inherited and will never use.
///
/// Once only: its number may be another descriptor's afterwards, also in processes forked later.
pub(super) fn forget(descriptor: impl AsFd) {
    close_inherited(descriptor.as_fd());
}

/// Forks what the server orders until it closes its end.
pub(super) fn serve(plan: &Plan, socket: OwnedFd) -> ! {
    reset_signals();
    // The server decides when to stop; its terminal or service manager signals everyone.
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        set_signal(signal, Disposition::Absorb);
    }
    // The system buries the children.
    set_signal(libc::SIGCHLD, Disposition::Ignore);
    let mut space = vec![0; MAX_ORDER];
    loop {
        match receive_order(&socket, &mut space) {
            Ok(Some((order, descriptor))) => obey(plan, &socket, order, descriptor),
            Ok(None) => exit_now(0),
            Err(error) => {
                tracing::error!(%error, "the zygote cannot read its orders");
                exit_now(1);
            }
        }
    }
}

fn obey(plan: &Plan, socket: &OwnedFd, order: Order, descriptor: Option<OwnedFd>) {
    plan.server.take_up_reload();
    let receipt = match fork_single_threaded() {
        Ok(Forked::Child) => {
            forget(socket);
            match (order, descriptor) {
                (Order::Zygote, Some(next)) => serve(plan, next),
                (order, descriptor) => child::run(plan, order, descriptor),
            }
        }
        Ok(Forked::Parent { pid, process }) => Receipt { errno: 0, pid, process },
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EAGAIN);
            Receipt { errno, pid: 0, process: None }
        }
    };
    let answered = answer(socket, &receipt);
    // Only now: the other end of a zygote's that could not be forked tells the same, in fewer words.
    drop(descriptor);
    if let Err(error) = answered {
        // Without its server the zygote has nothing to do.
        let code = i32::from(error.kind() != io::ErrorKind::BrokenPipe);
        exit_now(code);
    }
}
