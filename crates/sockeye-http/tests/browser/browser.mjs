// What the steps share: a browser, a page that must not complain, and waiting for what is to be seen.

import fs from 'node:fs/promises';
import path from 'node:path';

import { chromium } from 'playwright-core';

const FLAGS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
];

/// How long anything may take. The machine may be busy with other tests.
export const PATIENCE = 30_000;

export async function launch(executablePath) {
    return chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE });
}

/// A page of a browser of its own, at this address; what runs in it and fails is a failure of the test.
export async function open(browser, base, { locale = 'en-GB', dark = false, narrow = false } = {}) {
    const context = await browser.newContext({
        baseURL: base, locale, colorScheme: dark ? 'dark' : 'light', timezoneId: 'UTC', ignoreHTTPSErrors: true,
        viewport: narrow ? { width: 390, height: 780 } : { width: 1280, height: 800 },
        hasTouch: narrow, isMobile: narrow, acceptDownloads: true,
    });
    context.setDefaultTimeout(PATIENCE);
    if (process.env.SOCKEYE_ASSETS) await fromDisk(context, process.env.SOCKEYE_ASSETS);
    const page = await context.newPage();
    page.complaints = [];
    page.on('pageerror', (error) => page.complaints.push(String(error.stack ?? error)));
    page.on('console', (message) => {
        // What the page's policy refuses is said here; a request that fails is the step's affair.
        if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) page.complaints.push(message.text());
    });
    // The browser's own viewer of PDF is an extension, which takes its styles from the browser itself.
    page.on('request', (request) => {
        if (!request.url().startsWith(base) && !/^(data|blob|chrome|chrome-extension):/.test(request.url())) page.complaints.push(`a request leaves the site: ${request.url()}`);
    });
    // Leaving in the midst of an upload asks first.
    page.on('dialog', (dialog) => (dialog.type() === 'beforeunload' ? dialog.accept() : page.complaints.push(`a dialog: ${dialog.message()}`)));
    return page;
}

/// Modules and styles come from this folder, so that they can be tried without building the node anew.
async function fromDisk(context, folder) {
    await context.route('**/-/static/**', async (route) => {
        const name = new URL(route.request().url()).pathname.split('/').slice(4).join('/');
        if (name !== 'style.css') {
            await route.fulfill({ path: path.join(folder, name) });
            return;
        }
        const parts = ['base', 'frame', 'list', 'dialog', 'upload', 'preview', 'admin', 'plain'].map((part) => fs.readFile(path.join(folder, `css/${part}.css`), 'utf8'));
        await route.fulfill({ contentType: 'text/css', body: (await Promise.all(parts)).join('') });
    });
}

/// Until the module has taken the page over.
export async function ready(page) {
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
}

/// Until the list has an entry of that name.
export function row(page, name) {
    return page.locator('.list .row', { has: page.getByText(name, { exact: true }) });
}

export async function signIn(page, name, password, next = '/') {
    await page.goto(`/-/login?next=${encodeURIComponent(next)}`);
    await page.fill('input[name=name]', name);
    await page.fill('input[name=password]', password);
    await Promise.all([page.waitForURL((url) => url.pathname === next), page.click('form [type=submit], form button')]);
    await ready(page);
}

/// Picks what lies at those paths of this machine by the page's Upload button.
export async function upload(page, paths, item = 'Upload files') {
    await page.locator('.tools').getByText('Upload', { exact: true }).click();
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.menu').getByText(item, { exact: true }).click()]);
    await chooser.setFiles(paths);
}

/// Until more than so many parts of a hundred of the one upload that runs have been sent.
export async function under(page, percent) {
    await page.waitForFunction((most) => parseInt(document.querySelector('.uploads li.running .number')?.textContent ?? '0', 10) > most, percent);
}

/// What the server has of an upload of that name, once nobody is at it any more.
export async function left(page, name) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
        const { uploads } = await page.evaluate(async () => (await fetch('/-/api/v1/uploads')).json());
        const found = uploads.find((one) => one.path.endsWith(`/${name}`));
        if (found?.in_use === false) return found;
        assert(Date.now() < deadline, `the upload of ${name}: ${JSON.stringify(found)}`);
    }
}

/// Drops what lies at those paths of this machine, as a person would from a file manager.
export async function drop(page, onto, paths) {
    const session = await page.context().newCDPSession(page);
    const box = await onto.boundingBox();
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) {
        await session.send('Input.dispatchDragEvent', { type, x: box.x + box.width / 2, y: box.y + 20, data });
    }
    await session.detach();
}

export function assert(holds, text) {
    if (!holds) throw new Error(text);
}
