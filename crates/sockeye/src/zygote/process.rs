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
    bereaved::{end_with_server, set_life_line},
    process::{
        Disposition, Forked, HeldSignals, exit_now, fork_single_threaded, reset_signals, set_signal,
    },
    served::close_inherited,
};

/// Closes a descriptor that this process inherited and will never use.
///
/// Once only: its number may be another descriptor's afterwards, also in processes forked later.
pub(super) fn forget(descriptor: impl AsFd) {
    close_inherited(descriptor.as_fd());
}

/// Makes this process, forked from the server, a zygote: what signals do to it, and to all that it
/// forks, is settled before any of those arrives that were `held` since before the fork.
pub(super) fn settle(plan: &Plan, held: HeldSignals) {
    reset_signals();
    // The server decides when to stop; its terminal or service manager signals everyone.
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        set_signal(signal, Disposition::Absorb);
    }
    // The system buries the children.
    set_signal(libc::SIGCHLD, Disposition::Ignore);
    if let Err(error) = set_life_line(plan.lines.life.as_fd()) {
        tracing::warn!(%error, "a child that hangs would outlive a server that is killed");
    }
    held.release_all();
}

/// Forks what the server orders until it closes its end.
///
/// `parent` is the process that forked this one: the server, or another zygote, whose signals it
/// has.
pub(super) fn serve(plan: &Plan, socket: OwnedFd, parent: u32) -> ! {
    end_with_server(parent);
    let process = std::process::id();
    let mut space = vec![0; MAX_ORDER];
    loop {
        match receive_order(&socket, &mut space) {
            Ok(Some((order, descriptor))) => {
                plan.server.take_up_reload();
                match fork_single_threaded() {
                    Ok(Forked::Child) => {
                        drop(socket);
                        begin(plan, process, order, descriptor)
                    }
                    forked => tell(&socket, forked, descriptor),
                }
            }
            Ok(None) => exit_now(0),
            Err(error) => {
                tracing::error!(%error, "the zygote cannot read its orders");
                exit_now(1);
            }
        }
    }
}

/// What was forked begins; `parent` is the zygote.
fn begin(plan: &Plan, parent: u32, order: Order, descriptor: Option<OwnedFd>) -> ! {
    match (order, descriptor) {
        (Order::Zygote, Some(next)) => serve(plan, next, parent),
        (order, descriptor) => {
            end_with_server(parent);
            child::run(plan, order, descriptor)
        }
    }
}

/// Tells the server what became of its order.
fn tell(socket: &OwnedFd, forked: io::Result<Forked>, descriptor: Option<OwnedFd>) {
    let receipt = match forked {
        Ok(Forked::Parent { pid, process }) => Receipt { errno: 0, pid, process },
        Ok(Forked::Child) => return,
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
