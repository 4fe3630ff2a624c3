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

/// What lies below a folder and has this in its name: `{ entries, complete }`.
export const search = (below, name, signal) => api.get('search', { path: below, name }, signal);

export const makeFolder = (at) => api.post('folders', { path: at });
export const move = (from, to, overwrite = false) => api.post('move', { from, to, overwrite });
export const copy = (from, to, overwrite = false) => api.post('copy', { from, to, overwrite });

/// What one request may name.
const MOST = 1000;

/// Asks for something to be done to each of `names`, so many at once: `{ done, failed }`, where `failed` has `{ name,
/// error }`. Throws where nothing was done at all.
async function each(names, key, ask, told) {
    const sum = { done: [], failed: [] };
    for (let n = 0; n < names.length; n += MOST) {
        const some = names.slice(n, n + MOST);
        try {
            const answer = await ask(some);
            sum.done.push(...told(answer, some));
            sum.failed.push(...answer.failed.map((one) => ({ name: one[key], error: new api.Refused(one.problem.status, one.problem) })));
        } catch (error) {
            if (!(error instanceof api.Refused) || (names.length <= MOST)) throw error;
            sum.failed.push(...some.map((name) => ({ name, error })));
        }
    }
    if (sum.done.length === 0 && sum.failed.length > 0) throw sum.failed[0].error;
    return sum;
}

/// Moves things to the trash. What was done is `{ path, id }`, without an id where it cannot be undone.
export const discard = (paths) => each(paths, 'path', (some) => api.post('delete', { paths: some }), (answer) => answer.deleted);

/// What is in the trash of a tree, the newest first: of the own home, a shared folder or the public tree.
export const trash = (tree, after) => api.get('trash', { tree, after });

/// Puts things back. What was done is `{ id, path }`.
export const restore = (ids) => each(ids, 'id', (some) => api.post('trash/restore', { ids: some }), (answer) => answer.restored);

/// Destroys things in the trash for good.
export const purge = (ids) => each(ids, 'id', (some) => api.post('trash/purge', { ids: some }), (answer, some) => some);

/// Destroys all that is in the trash of a tree.
export const emptyTrash = (tree) => api.post('trash/empty', { tree });

/// Uploads to a tree that were begun and left: the zone is `home`, `public` or `shared:NAME`.
export const uploads = (zone) => api.get('uploads', { zone });
export const dropUpload = ({ zone, id }) => api.remove(`uploads/${encodeURIComponent(zone)}/${encodeURIComponent(id)}`);

/// A page of one's own shares; `next` is what the page behind it comes after.
export const shares = (after) => api.get('shares', { after });

/// All of them.
export async function allShares() {
    const all = [];
    let next;
    do {
        const told = await shares(next);
        all.push(...told.shares);
        ({ next } = told);
    } while (next);
    return all;
}

export const addShare = (share) => api.post('shares', share);
export const revokeShare = (id) => api.remove(`shares/${encodeURIComponent(id)}`);

/// A moment as seconds since the epoch, whether it came as text or as a number.
export function seconds(moment) {
    if (moment === null || moment === undefined) return 0;
    return typeof moment === 'number' ? moment : Date.parse(moment) / 1000;
}
