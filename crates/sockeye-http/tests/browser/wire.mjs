// A wire between browser and node that can be slow, and be cut.

import net from 'node:net';

export class Wire {
    /// A wire to that port of this machine; `base` is the address of its other end.
    static async to(port) {
        const wire = new Wire();
        wire.server = net.createServer({ allowHalfOpen: true }, (client) => wire.join(client, port));
        await new Promise((resolve) => { wire.server.listen(0, '127.0.0.1', resolve); });
        wire.base = `http://localhost:${wire.server.address().port}`;
        return wire;
    }

    constructor() {
        this.pairs = new Set();
        this.isCut = false;
        /// Bytes a second from the browser on; 0 is as fast as can be.
        this.rate = 0;
    }

    join(client, port) {
        if (this.isCut) {
            client.destroy();
            return;
        }
        const node = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        const pair = [client, node];
        this.pairs.add(pair);
        const end = () => {
            pair.forEach((socket) => socket.destroy());
            this.pairs.delete(pair);
        };
        for (const socket of pair) socket.on('error', end).on('close', end);
        node.pipe(client);
        client.on('data', (bytes) => {
            const room = node.write(bytes);
            const wait = this.rate > 0 ? (bytes.length / this.rate) * 1000 : 0;
            if (room && wait === 0) return;
            client.pause();
            const on = () => setTimeout(() => client.resume(), wait);
            if (room) on();
            else node.once('drain', on);
        });
        client.on('end', () => node.end());
    }

    /// Cuts all connections, and takes no others until it is mended.
    cut() {
        this.isCut = true;
        for (const pair of this.pairs) pair.forEach((socket) => socket.destroy());
    }

    mend() {
        this.isCut = false;
    }

    close() {
        this.cut();
        this.server.close();
    }
}
