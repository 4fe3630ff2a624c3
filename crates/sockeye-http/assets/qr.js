// A QR code (ISO/IEC 18004) of a text, byte mode, error correction level M, versions 1 to 20; drawn as SVG.

// For each version: error correction bytes of a block, and the number of blocks (table 9, level M).
const BLOCKS = [
    null, [10, 1], [16, 1], [26, 1], [18, 2], [24, 2], [16, 4], [18, 4], [22, 4], [22, 5], [26, 5],
    [30, 5], [22, 8], [22, 9], [24, 9], [24, 10], [28, 10], [28, 11], [26, 13], [26, 14], [26, 16],
];

/// The picture, with what it is for readers that see none.
export function qr(text, label) {
    const rows = encode(new TextEncoder().encode(text));
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const size = rows.length + 8;
    svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
    svg.setAttribute('class', 'qr');
    svg.setAttribute('shape-rendering', 'crispEdges');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    let d = '';
    rows.forEach((row, y) => row.forEach((dark, x) => { if (dark) d += `M${x + 4} ${y + 4}h1v1h-1z`; }));
    path.setAttribute('d', d);
    svg.append(path);
    return svg;
}

/// The modules, row by row; true is dark. Throws a RangeError for more than fits.
export function encode(data) {
    const version = BLOCKS.findIndex((block, v) => block && data.length + (v < 10 ? 2 : 3) <= capacity(v));
    if (version < 0) throw new RangeError('too long for a QR code');
    const words = interleave(version, pack(version, data));
    const size = 17 + 4 * version;
    let best = null;
    for (let mask = 0; mask < 8; mask += 1) {
        const code = draw(version, size, words, mask);
        const cost = penalty(code);
        if (!best || cost < best.cost) best = { code, cost };
    }
    return best.code;
}

/// Modules that hold data and error correction.
function modules(version) {
    let n = (16 * version + 128) * version + 64;
    if (version > 1) {
        const aligns = Math.floor(version / 7) + 2;
        n -= (25 * aligns - 10) * aligns - 55;
        if (version > 6) n -= 36;
    }
    return n;
}

/// Bytes of data, the mode's and the length's included.
function capacity(version) {
    const [each, blocks] = BLOCKS[version];
    return Math.floor(modules(version) / 8) - each * blocks;
}

function pack(version, data) {
    const bits = [];
    const put = (value, length) => { for (let i = length - 1; i >= 0; i -= 1) bits.push((value >> i) & 1); };
    put(4, 4);
    put(data.length, version < 10 ? 8 : 16);
    for (const byte of data) put(byte, 8);
    const room = capacity(version);
    put(0, Math.min(4, room * 8 - bits.length));
    while (bits.length % 8) bits.push(0);
    const out = [];
    for (let i = 0; i < bits.length; i += 8) out.push(parseInt(bits.slice(i, i + 8).join(''), 2));
    for (let pad = 0xec; out.length < room; pad ^= 0xec ^ 0x11) out.push(pad);
    return out;
}

function interleave(version, data) {
    const [each, count] = BLOCKS[version];
    const total = Math.floor(modules(version) / 8);
    const short = Math.floor(total / count) - each;
    const long = total % count;
    const divisor = generator(each);
    const blocks = [];
    for (let i = 0, at = 0; i < count; i += 1) {
        const length = short + (i >= count - long ? 1 : 0);
        const part = data.slice(at, at + length);
        at += length;
        blocks.push({ part, check: remainder(part, divisor) });
    }
    const out = [];
    for (let i = 0; i <= short; i += 1) for (const { part } of blocks) if (i < part.length) out.push(part[i]);
    for (let i = 0; i < each; i += 1) for (const { check } of blocks) out.push(check[i]);
    return out;
}

/// In the field of 256 elements over x⁸ + x⁴ + x³ + x² + 1.
function multiply(a, b) {
    let z = 0;
    for (let i = 7; i >= 0; i -= 1) {
        z = (z << 1) ^ ((z >>> 7) * 0x11d);
        z ^= ((b >>> i) & 1) * a;
    }
    return z;
}

function generator(degree) {
    const out = new Array(degree).fill(0);
    out[degree - 1] = 1;
    for (let i = 0, root = 1; i < degree; i += 1, root = multiply(root, 2)) {
        for (let j = 0; j < degree; j += 1) out[j] = multiply(out[j], root) ^ (out[j + 1] ?? 0);
    }
    return out;
}

function remainder(data, divisor) {
    const out = new Array(divisor.length).fill(0);
    for (const byte of data) {
        const factor = byte ^ out.shift();
        out.push(0);
        divisor.forEach((value, i) => { out[i] ^= multiply(value, factor); });
    }
    return out;
}

const MASKS = [
    (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
    (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
    (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function draw(version, size, words, mask) {
    const code = Array.from({ length: size }, () => new Array(size).fill(false));
    const fixed = Array.from({ length: size }, () => new Array(size).fill(false));
    const set = (x, y, dark) => {
        if (x < 0 || y < 0 || x >= size || y >= size) return;
        code[y][x] = Boolean(dark);
        fixed[y][x] = true;
    };
    for (let i = 0; i < size; i += 1) {
        set(6, i, i % 2 === 0);
        set(i, 6, i % 2 === 0);
    }
    for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
        for (let dy = -4; dy <= 4; dy += 1) {
            for (let dx = -4; dx <= 4; dx += 1) {
                const far = Math.max(Math.abs(dx), Math.abs(dy));
                set(cx + dx, cy + dy, far !== 2 && far !== 4);
            }
        }
    }
    const places = aligned(version, size);
    places.forEach((cx, i) => places.forEach((cy, j) => {
        const end = places.length - 1;
        if ((i === 0 && j === 0) || (i === 0 && j === end) || (i === end && j === 0)) return;
        for (let dy = -2; dy <= 2; dy += 1) for (let dx = -2; dx <= 2; dx += 1) set(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    }));
    drawFormat(set, size, mask);
    if (version >= 7) drawVersion(set, size, version);
    let bit = 0;
    for (let right = size - 1; right >= 1; right -= 2) {
        if (right === 6) right = 5;
        for (let n = 0; n < size; n += 1) {
            for (let j = 0; j < 2; j += 1) {
                const x = right - j;
                const y = ((right + 1) & 2) === 0 ? size - 1 - n : n;
                if (fixed[y][x]) continue;
                const dark = bit < words.length * 8 && ((words[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
                bit += 1;
                code[y][x] = dark !== MASKS[mask](x, y);
            }
        }
    }
    return code;
}

function aligned(version, size) {
    if (version === 1) return [];
    const count = Math.floor(version / 7) + 2;
    const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
    const out = [6];
    for (let at = size - 7; out.length < count; at -= step) out.splice(1, 0, at);
    return out;
}

function drawFormat(set, size, mask) {
    // Level M is 00.
    let rest = mask;
    for (let i = 0; i < 10; i += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
    const bits = ((mask << 10) | rest) ^ 0x5412;
    const bit = (i) => (bits >>> i) & 1;
    for (let i = 0; i <= 5; i += 1) set(8, i, bit(i));
    set(8, 7, bit(6));
    set(8, 8, bit(7));
    set(7, 8, bit(8));
    for (let i = 9; i < 15; i += 1) set(14 - i, 8, bit(i));
    for (let i = 0; i < 8; i += 1) set(size - 1 - i, 8, bit(i));
    for (let i = 8; i < 15; i += 1) set(8, size - 15 + i, bit(i));
    set(8, size - 8, true);
}

function drawVersion(set, size, version) {
    let rest = version;
    for (let i = 0; i < 12; i += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
    const bits = (version << 12) | rest;
    for (let i = 0; i < 18; i += 1) {
        const a = size - 11 + (i % 3);
        const b = Math.floor(i / 3);
        set(a, b, (bits >>> i) & 1);
        set(b, a, (bits >>> i) & 1);
    }
}

function penalty(code) {
    const size = code.length;
    let cost = 0;
    let dark = 0;
    const lines = [...code, ...code.map((_, x) => code.map((row) => row[x]))];
    for (const line of lines) {
        const text = line.map(Number).join('');
        for (const run of text.match(/0+|1+/g)) if (run.length >= 5) cost += run.length - 2;
        for (let i = 0; i + 11 <= size; i += 1) {
            const part = text.slice(i, i + 11);
            if (part === '10111010000' || part === '00001011101') cost += 40;
        }
    }
    for (let y = 0; y < size; y += 1) {
        for (let x = 0; x < size; x += 1) {
            if (code[y][x]) dark += 1;
            if (x && y && code[y][x] === code[y - 1][x] && code[y][x] === code[y][x - 1] && code[y][x] === code[y - 1][x - 1]) cost += 3;
        }
    }
    return cost + Math.floor(Math.abs((dark * 20) / (size * size) - 10)) * 10;
}
