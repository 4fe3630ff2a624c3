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
    const key = folder ? told.href.slice(0, -1) : told.href;
    return {
        key, name: path.decode(key), folder,
        size: told.size ?? 0, time: seconds(told.modified),
    };
}

/// What stands at a path: `{ folder, size, time }`, or null if there is nothing.
export async function stat(of) {
    const answer = await fetch(of, { method: 'HEAD', redirect: 'manual', credentials: 'same-origin', cache: 'no-store' }).catch(() => null);
    if (!answer) throw new api.Unreachable();
    // To the same address with a slash at its end.
    if (answer.type === 'opaqueredirect') return { folder: true, size: 0, time: 0 };
    if (answer.status === 404) return null;
    if (!answer.ok) throw new api.Refused(answer.status, null);
    const { headers } = answer;
    return { folder: false, size: Number(headers.get('Content-Length')), time: Date.parse(headers.get('Last-Modified')) / 1000 };
}

/// A file's SHA-256 in hexadecimal digits, or null while it is not known (RFC 9530).
export async function digest(of) {
    const answer = await api.fetchOwn(of, { method: 'HEAD', headers: { 'Want-Repr-Digest': 'sha-256=1' } });
    const found = /sha-256=:([A-Za-z0-9+/=]+):/.exec(answer.headers.get('Repr-Digest') ?? '');
    return found && [...atob(found[1])].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

// These are WebDAV's (RFC 4918 §9), which says whether something was there as well.
export const makeFolder = (at) => api.fetchOwn(path.folderHref(at), { method: 'MKCOL', headers: api.proof() });
export const move = (from, to, overwrite = false) => carry('MOVE', from, to, overwrite);
export const copy = (from, to, overwrite = false) => carry('COPY', from, to, overwrite);

function carry(method, from, to, overwrite) {
    return api.fetchOwn(from, { method, headers: { ...api.proof(), Destination: location.origin + to, Overwrite: overwrite ? 'T' : 'F' } });
}

/// Moves things to the trash; gives what is there for each, so that it can be undone.
export async function discard(paths) {
    const told = await api.post('delete', { paths });
    return told.ids ?? told.deleted ?? [];
}

export const trash = (after) => api.get('trash', { after });
export const restore = (ids) => api.post('trash/restore', { ids });
export const purge = (ids) => api.post('trash/purge', { ids });

export const shares = () => api.get('shares');
export const addShare = (share) => api.post('shares', share);
export const revokeShare = (id) => api.remove(`shares/${encodeURIComponent(id)}`);

export const uploads = () => api.get('uploads');
export const dropUpload = (zone, id) => api.remove(`uploads/${encodeURIComponent(zone)}/${encodeURIComponent(id)}`);

/// A moment as seconds since the epoch, whether it came as text or as a number.
export function seconds(moment) {
    if (moment === null || moment === undefined) return 0;
    return typeof moment === 'number' ? moment : Date.parse(moment) / 1000;
}
