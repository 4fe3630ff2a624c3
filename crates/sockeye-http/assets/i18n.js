// What the page says, in the reader's language: a table each in i18n/.

let table = {};
let tongue = 'en';
let plurals = null;

/// The languages there are, with their own names.
export const LANGUAGES = [['en', 'English'], ['zh', '中文']];

/// Loads the table of the page's language.
export async function learn(wanted) {
    tongue = wanted.startsWith('zh') ? 'zh' : 'en';
    table = (await import(`./i18n/${tongue}.js`)).default;
    plurals = null;
}

/// The language's tag.
export function language() {
    return tongue === 'zh' ? 'zh-CN' : 'en-GB';
}

/// The text of that key. `{n}` and other names in braces are replaced; with `n` the table may have `key.one`.
export function t(key, values) {
    let text = table[key];
    if (values?.n !== undefined) {
        plurals ??= new Intl.PluralRules(language());
        text = table[`${key}.${plurals.select(Number(values.n))}`] ?? text;
    }
    if (text === undefined) return key;
    return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole)) : text;
}

/// Whether there is a text of that key.
export function knows(key) {
    return key in table;
}

function shown(value) {
    return typeof value === 'number' ? value.toLocaleString(language()) : String(value);
}
