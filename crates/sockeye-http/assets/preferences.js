// What a reader has chosen about the page: language, theme, how lists look. Language and theme lie in cookies of
// their own, so that the server's pages agree; the rest stays in the browser.

const YEAR = 31_536_000;

/// The theme chosen: `light`, `dark`, or '' for the system's.
export function theme() {
    return document.documentElement.dataset.theme ?? '';
}

export function setTheme(wanted) {
    if (wanted) document.documentElement.dataset.theme = wanted;
    else delete document.documentElement.dataset.theme;
    cookie('sockeye-theme', wanted);
}

export function setLanguage(wanted) {
    cookie('sockeye-language', wanted);
}

function cookie(name, value) {
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${value ? YEAR : 0}${secure}`;
}

/// What was kept under that name, or `otherwise`.
export function recall(name, otherwise) {
    try {
        return JSON.parse(localStorage.getItem(`sockeye.${name}`)) ?? otherwise;
    } catch {
        return otherwise;
    }
}

export function keep(name, value) {
    try {
        localStorage.setItem(`sockeye.${name}`, JSON.stringify(value));
    } catch { /* full or forbidden: it is forgotten with the page */ }
}
