// Pictures of every view, in every language, theme and width: to be looked at, not compared.

import fs from 'node:fs/promises';
import path from 'node:path';

import { open, ready, row, signIn } from './browser.mjs';

const LOOKS = [
    { locale: 'en-GB', dark: false, narrow: false }, { locale: 'zh-CN', dark: false, narrow: false },
    { locale: 'en-GB', dark: true, narrow: false }, { locale: 'zh-CN', dark: true, narrow: true },
    { locale: 'en-GB', dark: false, narrow: true },
];

/// Pages that are shown as they are.
const PLACES = {
    odd: '/odd/', many: '/many/', trash: '/-/trash', links: '/-/shares', account: '/-/account', overview: '/-/admin',
    accounts: '/-/admin/accounts', shared: '/-/admin/shared', sessions: '/-/admin/sessions', log: '/-/admin/log', missing: '/nothing/',
};

/// `[what, how]`: a step only where a folder for the pictures is given.
export const STEPS = process.env.SOCKEYE_SHOTS ? [['pictures are taken', (it) => shoot(it, process.env.SOCKEYE_SHOTS)]] : [];

/// Puts them into a folder, which is made.
async function shoot(it, folder) {
    await fs.mkdir(folder, { recursive: true });
    for (const look of LOOKS) {
        const page = await open(it.browser, it.base, look);
        const called = `${look.locale.slice(0, 2)}-${look.dark ? 'dark' : 'light'}-${look.narrow ? 'narrow' : 'wide'}`;
        const take = (name) => page.screenshot({ path: path.join(folder, `${name}-${called}.png`) });
        await page.goto('/-/login');
        await take('login');
        await signIn(page, 'root', it.passwords.root);
        for (const name of ['Report.pdf', 'Holiday.jpg', 'notes.txt', 'Archive.zip']) {
            await page.evaluate((at) => fetch(at, { method: 'PUT', body: 'some text\n'.repeat(400), headers: { 'X-CSRF-Token': document.documentElement.dataset.csrf } }), `/${name}`);
        }
        await page.goto('/');
        await ready(page);
        await row(page, 'notes.txt').waitFor();
        await take('home');
        await row(page, 'notes.txt').locator('.picture').click();
        await take('selected');
        await page.keyboard.press('Escape');
        await row(page, 'notes.txt').click({ button: 'right', position: { x: 200, y: 20 } });
        await take('menu');
        await page.keyboard.press('Escape');
        await page.keyboard.press('v');
        await take('tiles');
        await page.keyboard.press('v');
        await row(page, 'notes.txt').locator('a').click();
        await page.locator('.text pre').last().waitFor();
        await take('preview');
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({ state: 'detached' });
        await row(page, 'notes.txt').locator('.picture').click();
        await page.keyboard.press('Delete');
        await page.locator('.toast').waitFor();
        await take('deleted');
        await page.keyboard.press('n');
        await page.locator('dialog').waitFor();
        await take('dialog');
        await page.keyboard.press('Escape');
        for (const [name, at] of Object.entries(PLACES)) {
            await page.goto(at);
            await ready(page).catch(() => {});
            await page.waitForTimeout(300);
            await take(name);
        }
        await page.context().close();
    }
    await shared(it, folder);
}

/// What others see of what is shared.
async function shared(it, folder) {
    const page = await open(it.browser, it.base);
    await signIn(page, 'alice', it.passwords.alice);
    const links = await page.evaluate(async () => {
        const add = async (share) => (await (await fetch('/-/api/v1/shares', {
            method: 'POST', body: JSON.stringify(share), headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf },
        })).json()).url;
        return {
            folder: await add({ path: '/Media' }), box: await add({ path: '/Media', kind: 'upload' }), locked: await add({ path: '/Media', password: 'open sesame' }),
        };
    });
    await page.context().close();
    for (const look of LOOKS) {
        const other = await open(it.browser, it.base, look);
        for (const [name, link] of Object.entries(links)) {
            await other.goto(name === 'folder' ? `${link}/` : link);
            await other.waitForTimeout(400);
            await other.screenshot({ path: path.join(folder, `link-${name}-${look.locale.slice(0, 2)}-${look.dark ? 'dark' : 'light'}-${look.narrow ? 'narrow' : 'wide'}.png`) });
        }
        await other.context().close();
    }
}
