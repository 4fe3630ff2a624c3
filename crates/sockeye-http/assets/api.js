// The one way to the server's JSON API (/-/api/v1/): requests, the token that allows changes, and errors.

const BASE = '/-/api/v1/';

/// What the types of problems begin with.
const KIND = 'urn:sockeye:problem:';

/// What the server would not do, as its problem details say it (RFC 9457).
export class Refused extends Error {
    constructor(status, problem) {
        super(problem?.detail || problem?.title || `HTTP ${status}`);
        this.status = status;
        /// Which problem it is, such as `exists`; empty where the status says all.
        this.kind = problem?.type?.startsWith(KIND) ? problem.type.slice(KIND.length) : '';
    }
}

/// No answer came: the network, or the server, is away.
export class Unreachable extends Error {}

let csrf = '';
let owner = '';
let signedOut = () => {};

/// Remembers the token that every change of this sign-in of `name` carries.
export function allowChanges(token, name) {
    csrf = token ?? '';
    owner = name;
}

/// The token that changes carry now.
export function token() {
    return csrf;
}

/// Asks for the token of the sign-in that the browser has now, which may have been begun on another page; whether
/// it is of the same account and another one than `used`, with which a change was refused: what else is under way
/// on this page may have learned of it in the meantime.
export async function renew(used) {
    const told = await get('me');
    if (told.name !== owner || !told.csrf) return false;
    csrf = told.csrf;
    return csrf !== used;
}

/// Calls `run` when an answer says that nobody is signed in any more.
export function onSignedOut(run) {
    signedOut = run;
}

/// The fields by which a change is known to come from this page.
export function proof() {
    return csrf ? { 'X-CSRF-Token': csrf } : {};
}

export const get = (path, query, signal) => ask('GET', path, { query, signal });
export const post = (path, content) => ask('POST', path, { content: content ?? {} });
export const put = (path, content) => ask('PUT', path, { content: content ?? {} });
export const patch = (path, content) => ask('PATCH', path, { content: content ?? {} });
export const remove = (path, query) => ask('DELETE', path, { query });

/// The address of something in the API.
export function address(path, query) {
    const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '');
    const text = pairs.length ? `?${new URLSearchParams(pairs)}` : '';
    return `${BASE}${path}${text}`;
}

/// An answer of this site, or what says why there is none.
export async function fetchOwn(address, options) {
    let answer;
    try {
        answer = await fetch(address, { credentials: 'same-origin', cache: 'no-store', ...options });
    } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new Unreachable();
    }
    if (answer.ok) return answer;
    if (answer.status === 401) signedOut();
    throw new Refused(answer.status, parse(await answer.text()));
}

async function ask(method, path, asked) {
    const used = token();
    try {
        return await send(method, path, asked);
    } catch (error) {
        if (error.kind !== 'stale-page' || !await renew(used)) throw error;
        return send(method, path, asked);
    }
}

async function send(method, path, { query, content, signal }) {
    const headers = { Accept: 'application/json', ...(method === 'GET' ? {} : proof()) };
    if (content !== undefined) headers['Content-Type'] = 'application/json';
    const body = content === undefined ? undefined : JSON.stringify(content);
    return parse(await (await fetchOwn(address(path, query), { method, headers, signal, body })).text());
}

function parse(text) {
    try {
        return text === '' ? null : JSON.parse(text);
    } catch {
        return null;
    }
}
