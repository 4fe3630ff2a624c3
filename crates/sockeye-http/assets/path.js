// Paths, as the address bar has them: each name percent-encoded byte by byte, so that every name there can be on
// a disk has one spelling. A folder's path has no slash at its end, but `/` itself.

const UTF8 = new TextEncoder();
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PLAIN = /[A-Za-z0-9\-._~]/;

/// The encoded form of a name that was typed or picked.
export function encode(name) {
    return encodeBytes(UTF8.encode(name));
}

function encodeBytes(bytes) {
    let out = '';
    for (const byte of bytes) {
        const character = String.fromCharCode(byte);
        out += byte < 128 && PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    return out;
}

/// The bytes of an encoded path or name.
export function bytes(encoded) {
    const out = [];
    for (let i = 0; i < encoded.length; i += 1) {
        if (encoded[i] === '%' && /^[0-9A-Fa-f]{2}$/.test(encoded.slice(i + 1, i + 3))) {
            out.push(parseInt(encoded.slice(i + 1, i + 3), 16));
            i += 2;
        } else {
            out.push(...UTF8.encode(String.fromCodePoint(encoded.codePointAt(i))));
            if (encoded.codePointAt(i) > 0xffff) i += 1;
        }
    }
    return Uint8Array.from(out);
}

/// The name for people; bytes that are no text as `\xHH`.
export function decode(encoded) {
    if (!encoded.includes('%')) return encoded;
    const raw = bytes(encoded);
    try {
        return STRICT.decode(raw);
    } catch {
        return readable(raw);
    }
}

function readable(raw) {
    let out = '';
    let from = 0;
    while (from < raw.length) {
        // The longest text from here on: names are short, and this is rare.
        let to = Math.min(from + 4, raw.length);
        let text = null;
        for (; to > from && text === null; to -= 1) {
            try {
                const one = STRICT.decode(raw.subarray(from, to));
                if ([...one].length === 1) text = [one, to];
            } catch { /* not this long */ }
        }
        if (text) {
            out += text[0];
            from = text[1];
        } else {
            out += `\\x${raw[from].toString(16).toUpperCase().padStart(2, '0')}`;
            from += 1;
        }
    }
    return out;
}

/// The one spelling of an address's path.
export function canonical(pathname) {
    const names = pathname.split('/').filter((name) => name !== '').map((name) => encodeBytes(bytes(name)));
    return `/${names.join('/')}`;
}

/// The path of `name`, encoded, in a folder.
export function join(folder, name) {
    return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/// The folder that a path is in.
export function parent(path) {
    return path.slice(0, path.lastIndexOf('/')) || '/';
}

/// The encoded name at a path's end.
export function last(path) {
    return path.slice(path.lastIndexOf('/') + 1);
}

/// The address of a folder.
export function folderHref(path) {
    return path === '/' ? '/' : `${path}/`;
}

/// Whether `path` is `folder` or lies in it.
export function within(path, folder) {
    return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

/// A path for people.
export function show(path) {
    return path === '/' ? '/' : path.split('/').map(decode).join('/');
}

/// What is wrong with a name that was typed, as a key of the texts; null if nothing is.
export function fault(name) {
    if (name === '') return 'name.empty';
    if (name === '.' || name === '..') return 'name.dots';
    if (name.includes('/')) return 'name.slash';
    if (name.includes('\0')) return 'name.nul';
    if (UTF8.encode(name).length > 255) return 'name.long';
    return null;
}
