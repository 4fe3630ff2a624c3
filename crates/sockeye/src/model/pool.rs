//! A fixed number of threads.

use std::{io, sync::Arc, thread};

use tokio::sync::{Mutex, mpsc};

use super::{Executor, Packets, Run, runtime, serve_sources};
use crate::{
    Error, Report,
    server::{Job, PacketJob, ServerContext},
};

/// Hands each piece of work to the next idle thread.
#[derive(Debug)]
struct Pool {
    queue: mpsc::Sender<Work>,
}

#[derive(Debug)]
enum Work {
    Connection(Job),
    Packet(PacketJob),
}

impl Executor for Pool {
    async fn connection(&self, job: Job) {
        // A queue without receivers means that the server has stopped.
        let _ = self.queue.send(Work::Connection(job)).await;
    }

    async fn packet(&self, job: PacketJob) {
        let _ = self.queue.send(Work::Packet(job)).await;
    }
}

impl Pool {
    /// Starts the threads. They end when the pool is dropped and its queue is empty.
    fn start(server: &Arc<ServerContext>, threads: usize) -> io::Result<Self> {
        let (queue, work) = mpsc::channel(threads);
        let work = Arc::new(Mutex::new(work));
        for number in 0..threads {
            let runtime = runtime::current_thread()?;
            let server = Arc::clone(server);
            let work = Arc::clone(&work);
            let token = server.registry.token();
            thread::Builder::new().name(format!("sockeye-pool-{number}")).spawn(move || {
                runtime.block_on(serve(&server, &work));
                runtime.shutdown_background();
                drop(token);
            })?;
        }
        Ok(Self { queue })
    }
}

async fn serve(server: &Arc<ServerContext>, work: &Mutex<mpsc::Receiver<Work>>) {
    loop {
        let next = work.lock().await.recv().await;
        match next {
            Some(Work::Connection(job)) => job.run(Arc::clone(server)).await,
            Some(Work::Packet(job)) => job.run().await,
            None => return,
        }
    }
}

pub(super) fn run(run: Run, threads: usize) -> Result<Report, Error> {
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    runtime.block_on(run.supervise(|server, sources| async move {
        let pool = Pool::start(&server, threads).map_err(Error::system("cannot start a thread"))?;
        serve_sources(&server, sources, &pool, Packets::Executor)
            .await
            .map_err(Error::system("cannot serve"))
    }))
}
