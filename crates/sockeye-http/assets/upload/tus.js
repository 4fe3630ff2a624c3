// One file to the server by tus 1.0: created, sent in pieces, and gone on with after whatever cut it.

import { proof, renew, token } from '../api.js';
import * as path from '../path.js';
import { fingerprint, forget, recall, remember } from './fingerprints.js';

const ENDPOINT = '/-/tus/';
const VERSION = { 'Tus-Resumable': '1.0.0' };

/// A request's most. What came of a piece that was cut is kept, so that pieces can be large.
const PIECE = 32 * 1024 * 1024;

/// Files up to here go with the request that creates them, and are not remembered.
const SMALL = 4 * 1024 * 1024;

/// Waits between tries, in milliseconds; the last is used from then on.
const WAITS = [500, 1000, 2000, 4000, 8000, 15_000];

/// What the server would not take; `status` says why.
export class Failed extends Error {
    constructor(status, text) {
        super(text || `HTTP ${status}`);
        this.status = status;
    }
}

export class Upload {
    /// `on` has `progress(bytes)`, and `waiting(error)` for when it is tried again in a while.
    constructor(file, target, on) {
        Object.assign(this, { file, target, on, url: null, sent: 0, stopped: false, request: null });
        this.print = fingerprint(file, target);
    }

    /// Sends all that is missing. Ends when the file stands at its place; throws `Failed`, or an `AbortError` after
    /// `stop`.
    async run(overwrite) {
        this.stopped = false;
        let renewed = false;
        let tries = 0;
        let before = -1;
        for (;;) {
            const used = token();
            try {
                await this.go(overwrite);
                forget(this.print);
                return;
            } catch (error) {
                if (this.stopped) throw new DOMException('stopped', 'AbortError');
                const again = error instanceof Cut || error.status === 423 || error.status >= 500 && error.status !== 507 || error.status === 429;
                if (error.status === 403 && !renewed) {
                    // Another page may have signed in anew.
                    renewed = true;
                    if (await renew(used).catch(() => false)) continue;
                }
                if (!again) throw error;
                // Whoever gets on is not made to wait longer and longer.
                tries = this.sent > before ? 0 : tries + 1;
                before = this.sent;
                await this.rest(WAITS[Math.min(tries, WAITS.length - 1)], error);
            }
        }
    }

    /// Stops sending; what has come stays.
    stop() {
        this.stopped = true;
        this.request?.abort();
        this.wake?.();
    }

    /// Stops, and has the server forget it.
    async drop() {
        this.stop();
        forget(this.print);
        if (this.url) await fetch(this.url, { method: 'DELETE', headers: { ...VERSION, ...proof() } }).catch(() => {});
    }

    /// Begins anew, at this target; what the server has of it is given up.
    async restart(target = this.target) {
        await this.drop();
        Object.assign(this, { target, url: null, sent: 0, print: fingerprint(this.file, target) });
    }

    async go(overwrite) {
        const { file } = this;
        this.url ??= file.size > SMALL ? recall(this.print) : null;
        if (this.url) await this.look();
        if (!this.url) {
            await this.create(overwrite);
            if (file.size <= SMALL) return;
        }
        while (this.sent < file.size) {
            const piece = file.slice(this.sent, this.sent + PIECE);
            const answer = await this.send('PATCH', this.url, {
                'Upload-Offset': this.sent, 'Content-Type': 'application/offset+octet-stream',
            }, piece);
            // Without an offset it is the file that cannot be put in its place.
            const elsewhere = answer.status === 409 && answer.getResponseHeader('Upload-Offset') !== null;
            if (elsewhere || answer.status === 460) {
                await this.look();
                continue;
            }
            if (answer.status === 404 || answer.status === 410) {
                this.lose();
                return this.go(overwrite);
            }
            expect(answer, 204, 200);
            this.sent = Number(answer.getResponseHeader('Upload-Offset')) || this.sent + piece.size;
        }
        return undefined;
    }

    /// Asks how much has come.
    async look() {
        const answer = await this.send('HEAD', this.url, {}, null);
        if (answer.status === 404 || answer.status === 410 || answer.status === 403) {
            this.lose();
            return;
        }
        expect(answer, 200, 204);
        this.sent = Number(answer.getResponseHeader('Upload-Offset')) || 0;
        this.on.progress(this.sent);
    }

    lose() {
        forget(this.print);
        this.url = null;
        this.sent = 0;
    }

    async create(overwrite) {
        const { file } = this;
        const small = file.size <= SMALL;
        const answer = await this.send('POST', ENDPOINT, {
            'Upload-Length': file.size,
            'Upload-Metadata': metadata({
                filename: path.bytes(path.last(this.target)),
                path: path.bytes(this.target),
                filetype: text(file.type || 'application/octet-stream'),
                mtime: text(String(Math.floor(file.lastModified / 1000))),
                overwrite: text(String(Boolean(overwrite))),
            }),
            ...(small ? { 'Content-Type': 'application/offset+octet-stream' } : {}),
        }, small ? file : null);
        expect(answer, 201);
        this.url = new URL(answer.getResponseHeader('Location'), new URL(ENDPOINT, location.href)).pathname;
        this.sent = small ? file.size : 0;
        if (!small) remember(this.print, this.url);
    }

    send(method, url, headers, content) {
        const request = this.request = new XMLHttpRequest();
        const begun = this.sent;
        return new Promise((resolve, reject) => {
            request.open(method, url);
            for (const [name, value] of Object.entries({ ...VERSION, ...headers, ...proof() })) request.setRequestHeader(name, value);
            // Without it a browser may ask for a password itself.
            request.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
            if (content) request.upload.onprogress = (event) => this.on.progress(begun + event.loaded);
            request.onload = () => resolve(request);
            request.onerror = () => reject(new Cut());
            request.ontimeout = request.onerror;
            request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
            request.send(content);
        });
    }

    /// Waits, or until the network is back.
    rest(wait, error) {
        this.on.waiting(error);
        return new Promise((resolve) => {
            const end = () => {
                clearTimeout(timer);
                removeEventListener('online', end);
                this.wake = null;
                resolve();
            };
            const timer = setTimeout(end, wait);
            addEventListener('online', end);
            this.wake = end;
        });
    }
}

/// The connection was cut.
class Cut extends Error {}

function expect(answer, ...statuses) {
    if (statuses.includes(answer.status)) return;
    let told = '';
    try {
        const problem = JSON.parse(answer.responseText);
        told = problem.detail || problem.title;
    } catch {
        told = answer.responseText.slice(0, 200);
    }
    throw new Failed(answer.status, told);
}

const text = (value) => new TextEncoder().encode(value);

/// Upload-Metadata: names, and values in base64.
function metadata(values) {
    return Object.entries(values).map(([name, bytes]) => `${name} ${btoa(String.fromCharCode(...bytes))}`).join(',');
}
