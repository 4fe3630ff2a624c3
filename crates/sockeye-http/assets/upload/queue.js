// The uploads of this page: so many at once, each in one state, with questions asked one at a time.

import { ask, isThere } from '../actions.js';
import * as path from '../path.js';
import * as remote from '../remote.js';
import { tell } from '../state.js';
import { explain } from '../toast.js';
import { t } from '../i18n.js';
import { Refused, Unreachable } from '../api.js';
import { showPanel } from './panel.js';
import { Upload } from './tus.js';

const AT_ONCE = 3;

/// An item's states: `waiting`, `running`, `stalled` (no connection), `paused`, `asking`, `done`, `same` (was there
/// already), `skipped`, `failed`.
export const items = [];
const BUSY = new Set(['running', 'stalled', 'asking']);
const OPEN = new Set(['waiting', 'running', 'stalled', 'paused', 'asking']);

/// The sum over all that was not cleared away.
export const sum = { bytes: 0, sent: 0, files: 0, over: 0 };

let next = 0;
let busy = 0;
let answer = null;
let paused = false;

/// Adds files: `{ file, target }`.
export function enqueue(files) {
    if (files.length === 0) return;
    for (const { file, target } of files) {
        const item = { file, target, name: path.decode(path.last(target)), state: 'waiting', sent: 0, fault: '', overwrite: false };
        item.upload = new Upload(file, target, {
            progress: (bytes) => {
                sum.sent += bytes - item.sent;
                item.sent = bytes;
                item.state = 'running';
                item.fault = '';
                tell('uploads');
            },
            waiting: (error) => {
                // That there is no connection is what the state says; of an answer, what it was.
                item.fault = error.status ? whatToDo(error) : '';
                change(item, 'stalled');
            },
        });
        items.push(item);
        sum.bytes += file.size;
        sum.files += 1;
    }
    showPanel();
    pump();
}

function change(item, state) {
    if (OPEN.has(item.state) && !OPEN.has(state)) sum.over += 1;
    if (!OPEN.has(item.state) && OPEN.has(state)) sum.over -= 1;
    item.state = state;
    tell('uploads');
}

/// Starts what may be started.
function pump() {
    tell('uploads');
    while (!paused && busy < AT_ONCE) {
        while (next < items.length && items[next].state !== 'waiting') next += 1;
        if (next >= items.length) break;
        busy += 1;
        run(items[next]).finally(() => {
            busy -= 1;
            pump();
        });
    }
    if (isBusy()) return;
    answer = null;
    // Until there is more to do, anybody may remove what was made.
    folders.clear();
}

async function run(item) {
    change(item, 'running');
    try {
        await ensureFolder(path.parent(item.target));
        await send(item);
        finish(item);
    } catch (error) {
        if (error.name === 'AbortError') {
            if (item.state !== 'skipped') change(item, 'paused');
            return;
        }
        item.fault = whatToDo(error);
        change(item, 'failed');
    }
}

/// Sends it, and asks if something else is there.
async function send(item) {
    try {
        await item.upload.run(item.overwrite);
    } catch (error) {
        if (!isThere(error)) throw error;
        const there = await remote.stat(item.target);
        if (!there) {
            await makeAnew(item, error);
            await send(item);
            return;
        }
        if (isSame(there, item.file)) {
            change(item, 'same');
            return;
        }
        const chosen = await question(item);
        if (chosen === 'skip') {
            change(item, 'skipped');
            return;
        }
        if (chosen === 'replace') {
            item.overwrite = true;
            await item.upload.restart();
        } else await rename(item);
        change(item, 'running');
        await send(item);
    }
}

/// Nothing is at its place, so that what is missing is the folder, which was there or made before; once.
async function makeAnew(item, error) {
    if (item.remade) throw error;
    item.remade = true;
    const at = path.parent(item.target);
    for (const made of folders.keys()) if (path.within(at, made) || path.within(made, at)) folders.delete(made);
    await ensureFolder(at);
}

function isSame(there, file) {
    return !there.folder && there.size === file.size && Math.abs(there.time - Math.floor(file.lastModified / 1000)) <= 1;
}

let asking = Promise.resolve();

/// One question at a time; an answer for all holds until the queue is empty.
function question(item) {
    change(item, 'asking');
    const mine = asking.then(async () => {
        if (answer) return answer;
        const open = items.filter((it) => OPEN.has(it.state)).length;
        const chosen = await ask({ name: item.name }, open > 1);
        if (!chosen) return 'skip';
        if (chosen.all) answer = chosen.what;
        return chosen.what;
    });
    asking = mine.catch(() => {});
    return mine;
}

/// The first name with a number that is free.
async function rename(item) {
    const dot = item.name.lastIndexOf('.');
    const [stem, end] = dot > 0 ? [item.name.slice(0, dot), item.name.slice(dot)] : [item.name, ''];
    for (let n = 2; ; n += 1) {
        const name = `${stem} (${n})${end}`;
        const target = path.join(path.parent(item.target), path.encode(name));
        if (await remote.stat(target)) continue;
        Object.assign(item, { name, target });
        await item.upload.restart(target);
        return;
    }
}

function finish(item) {
    if (item.state === 'skipped') {
        sum.sent += item.file.size - item.sent;
        item.sent = item.file.size;
        return;
    }
    sum.sent += item.file.size - item.sent;
    item.sent = item.file.size;
    if (item.state !== 'same') change(item, 'done');
    const at = path.parent(item.target);
    tell('entry', { at, entry: { key: path.last(item.target), name: item.name, folder: false, size: item.file.size, time: Math.floor(item.file.lastModified / 1000) } });
    if (!isBusy()) tell('space');
}

const folders = new Map();

/// Makes a folder and those above it, each once.
export function ensureFolder(at) {
    if (at === '/' || at === '/shared' || at === '/public') return Promise.resolve();
    let making = folders.get(at);
    if (!making) {
        making = make(at).catch((error) => {
            folders.delete(at);
            throw error;
        });
        folders.set(at, making);
    }
    return making;
}

async function make(at) {
    // Most often it is there: where the page is.
    const there = await remote.stat(at);
    if (there) return;
    await ensureFolder(path.parent(at));
    try {
        await remote.makeFolder(at);
        tell('entry', { at: path.parent(at), entry: { key: path.last(at), name: path.decode(path.last(at)), folder: true, size: 0, time: Date.now() / 1000 } });
    } catch (error) {
        if (!isThere(error)) throw error;
    }
}

/// What went wrong with a file, and what to do.
function whatToDo(error) {
    if (error instanceof Refused || error instanceof Unreachable) return explain(error);
    if (error.status >= 500 && error.status !== 507) return t('upload.failing', { status: error.status });
    const key = { 401: 'upload.401', 403: 'upload.403', 413: 'upload.507', 507: 'upload.507', 423: 'upload.423' }[error.status];
    if (key) return t(key);
    if (error.name === 'NotFoundError' || error.name === 'NotReadableError') return t('upload.unreadable');
    return error.message;
}

/// What tells the files apart that are under way, or about to be.
export const prints = () => new Set(items.filter((item) => OPEN.has(item.state)).map((item) => item.upload.print));

export const isPaused = () => paused;
export const isBusy = () => items.some((item) => item.state === 'waiting' || BUSY.has(item.state));
export const isOpen = () => items.some((item) => OPEN.has(item.state));

/// Stops all, so that they can go on.
export function pauseAll() {
    paused = true;
    for (const item of items) if (item.state === 'running' || item.state === 'stalled') item.upload.stop();
    tell('uploads');
}

export function resumeAll() {
    paused = false;
    for (const item of items) if (item.state === 'paused') again(item, false);
    pump();
}

export function pause(item) {
    item.upload.stop();
    if (item.state === 'waiting') change(item, 'paused');
}

/// Goes on with one that was paused or has failed.
export function again(item, start = true) {
    item.fault = '';
    change(item, 'waiting');
    next = Math.min(next, items.indexOf(item));
    if (start) {
        paused = false;
        pump();
    }
}

/// Gives one up.
export function cancel(item) {
    change(item, 'skipped');
    sum.bytes -= item.file.size;
    sum.sent -= item.sent;
    item.sent = 0;
    item.upload.drop();
    pump();
}

export function cancelAll() {
    for (const item of items) if (OPEN.has(item.state)) cancel(item);
}

/// Takes what is over from the list.
export function clear() {
    const open = items.filter((item) => OPEN.has(item.state));
    items.splice(0, items.length, ...open);
    Object.assign(sum, { files: open.length, over: 0, bytes: 0, sent: 0 });
    for (const item of open) {
        sum.bytes += item.file.size;
        sum.sent += item.sent;
    }
    next = 0;
    folders.clear();
    tell('uploads');
}

addEventListener('beforeunload', (event) => { if (isBusy()) event.preventDefault(); });
