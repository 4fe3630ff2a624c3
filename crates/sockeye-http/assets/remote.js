// What is asked of the server about files, by subject; here alone stands how the API names things.

import * as api from './api.js';
import * as path from './path.js';

/// Who is signed in, and what is theirs.
export const me = () => api.get('me');

/// A folder's entries as they come, in stretches: `{ entries, rights, end }`. It is the listing that a program gets:
/// a line an entry, so that none has to wait for the last. At `end` it says whether it was complete.
export async function* list(folder, { sort = 'name', descending = false, signal } = {}) {
    const query = new URLSearchParams({ sort, order: descending ? 'desc' : 'asc' });
    const answer = await api.fetchOwn(`${path.folderHref(folder)}?all&${query}`, { headers: { Accept: 'application/json' }, signal });
    // A page of somebody's in place of the listing.
    if (!answer.headers.get('Content-Type')?.startsWith('application/json')) throw new api.Unreachable();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let rights = null;
    for (;;) {
        const { value, done } = await reader.read();
        const lines = (rest + (value ?? '')).split('\n');
        rest = done ? '' : lines.pop();
        const entries = [];
        let end = null;
        for (const line of lines) {
            if (line.startsWith('{"path"')) rights = rightsOf(JSON.parse(`${line}]}`).rights);
            else if (line.startsWith(']')) end = line.includes('true');
            else if (line !== '') entries.push(entry(JSON.parse(line.endsWith(',') ? line.slice(0, -1) : line)));
        }
        if (rights) yield { entries, rights, end };
        if (end !== null) return;
        if (done) throw new api.Unreachable();
    }
}

const ALL = 'read,write,delete,list,share';

/// Rights as the server writes them: names with commas between, `all` or `none`.
export function rightsOf(text) {
    return new Set((text === 'all' ? ALL : text ?? '').split(','));
}

/// An entry as the page has it: `key` is its name in an address, `name` for people.
export function entry(told) {
    const folder = told.kind === 'folder';
    // The server spells names as this page does.
    const key = told.path ? path.last(told.path) : folder ? told.href.slice(0, -1) : told.href;
    return { key, name: path.decode(key), folder, size: told.size ?? 0, time: seconds(told.modified) };
}

/// What stands at a path: `{ folder, size, time }`, or null if there is nothing.
export async function stat(of) {
    try {
        return entry(await api.get('file', { path: of }));
    } catch (error) {
        if (error.status === 404) return null;
        throw error;
    }
}

/// A file's SHA-256 in hexadecimal digits.
export const digest = async (of) => (await api.get('file', { path: of, digest: 'sha256' })).sha256;

export const makeFolder = (at) => api.post('folders', { path: at });
export const move = (from, to, overwrite = false) => api.post('move', { from, to, overwrite });
export const copy = (from, to, overwrite = false) => api.post('copy', { from, to, overwrite });

/// What one request may name.
const MOST = 1000;

/// Moves things to the trash; gives what is there of each, so that it can be undone.
export async function discard(paths) {
    const ids = [];
    for (let n = 0; n < paths.length; n += MOST) {
        const told = await api.post('delete', { paths: paths.slice(n, n + MOST) });
        ids.push(...told.ids.filter((id) => id !== null));
    }
    return ids;
}

/// What is in the trash of a tree: the own home, or a shared folder.
export const trash = (tree, after) => api.get('trash', { tree, after });
export const restore = (ids) => api.post('trash/restore', { ids });
export const purge = (ids) => api.post('trash/purge', { ids });

export const shares = () => api.get('shares');
export const addShare = (share) => api.post('shares', share);
export const revokeShare = (id) => api.remove(`shares/${encodeURIComponent(id)}`);

/// A moment as seconds since the epoch, whether it came as text or as a number.
export function seconds(moment) {
    if (moment === null || moment === undefined) return 0;
    return typeof moment === 'number' ? moment : Date.parse(moment) / 1000;
}
