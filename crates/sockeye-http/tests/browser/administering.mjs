// What an administrator sees and does in a browser, at a whole node: its accounts, how it is, and its log.

import { assert, open, ready, signIn } from './browser.mjs';

/// Views of the site, where nothing may be wider than a narrow screen.
const VIEWS = [
    '/', '/-/trash', '/-/shares', '/-/account', '/-/admin', '/-/admin/accounts', '/-/admin/shared', '/-/admin/links', '/-/admin/sessions',
    '/-/admin/log',
];

/// `[what, how]`, in order; the first one opens the browser of all.
export const STEPS = [
    ['an administrator adds an account, and bounds and locks it', async (it) => {
        await it.page?.context().close();
        const page = it.page = await open(it.browser, it.whole);
        await signIn(page, 'root', it.passwords.root);
        await page.goto('/-/admin/accounts');
        await ready(page);
        await page.getByText('New account').click();
        await page.locator('dialog input').first().fill('carol');
        await page.locator('dialog').getByLabel('Quota').fill('2 GiB');
        await page.locator('dialog').getByText('Create', { exact: true }).click();
        const initial = await page.locator('dialog input.address').inputValue();
        await page.locator('dialog').getByText('Done', { exact: true }).click();
        const row = page.locator('.data tr', { hasText: 'carol' });
        await row.getByText('of 2.0 GiB used').waitFor();

        const carol = await open(it.browser, it.whole);
        await signIn(carol, 'carol', initial);
        await carol.getByText('Somebody else has set your password').waitFor();
        await item(row, 'Set the quota');
        await page.locator('dialog input').fill('3 GiB');
        await page.locator('dialog').getByText('Save', { exact: true }).click();
        await row.getByText('of 3.0 GiB used').waitFor();
        await item(row, 'Lock');
        await row.getByText('locked').waitFor();
        await carol.goto('/');
        await carol.waitForURL(/\/-\/login/);
        await carol.context().close();
    }],

    ['an administrator sees how the node is and where it listens', async ({ page, whole }) => {
        await page.locator('.tabs').getByText('Overview').click();
        for (const [what, value] of [['State', 'ready'], ['Takes changes', 'yes'], ['Process', /^\d+$/], ['Disk, free', /iB$/], ['Log records', /^\d+$/]]) {
            const vital = page.locator('.vital', { has: page.getByText(what, { exact: true }) });
            await vital.locator('.large').getByText(value).waitFor();
        }
        const listener = page.locator('.data tbody tr');
        await listener.getByText(`tcp://127.0.0.1:${new URL(whole).port}`).waitFor();
        assert(Number(await listener.locator('.end').innerText()) >= 1, 'nobody is connected, not even this browser');
        await page.getByText('Read the configuration again').click();
        await page.locator('dialog').getByText('Nothing has changed.').waitFor();
        await page.locator('dialog').getByText('Done', { exact: true }).click();
    }],

    ['the log is narrowed by each filter, and followed', async ({ page }) => {
        for (const path of ['/first', '/first/within', '/second']) await makeFolder(page, path);
        await page.locator('.tabs').getByText('Log').click();
        const rows = page.locator('.data tbody tr');
        await rows.filter({ hasText: '/second' }).first().waitFor();
        await page.getByPlaceholder('Operation').fill('mkdir');
        await rows.filter({ hasNotText: 'mkdir' }).first().waitFor({ state: 'detached' });
        assert(await rows.count() === 3, `${await rows.count()} folders were made`);
        await page.getByPlaceholder('Path').fill('/first');
        await rows.filter({ hasText: '/second' }).waitFor({ state: 'detached' });
        assert(await rows.count() === 2, 'what lies below is missing');
        await page.getByPlaceholder('Account').fill('carol');
        await page.getByText('No records like these').waitFor();
        await page.getByPlaceholder('Account').fill('root');
        await rows.first().waitFor();
        await page.getByText('Follow', { exact: true }).click();
        await page.locator('[aria-pressed=true]').getByText('Follow').waitFor();
        await makeFolder(page, '/third');
        await makeFolder(page, '/first/later');
        await rows.filter({ hasText: '/first/later' }).waitFor();
        assert(await rows.filter({ hasText: '/third' }).count() === 0, 'what is filtered out is shown when it comes');
        assert(await rows.count() === 3, 'a record is shown twice');
    }],

    ['on a narrow screen nothing is scrolled sideways but tables, in either language', async (it) => {
        for (const locale of ['en-GB', 'zh-CN']) {
            const page = await open(it.browser, it.whole, { locale, narrow: true });
            await page.goto('/-/login');
            await fits(page);
            await signIn(page, 'root', it.passwords.root);
            for (const view of VIEWS) {
                await page.goto(view);
                await ready(page);
                await fits(page);
            }
            assert(page.complaints.length === 0, page.complaints.join('\n'));
            await page.context().close();
        }
        await it.page.context().close();
        it.page = null;
    }],
];

/// Chooses an item of a row's menu.
async function item(row, label) {
    await row.getByTitle('More').click();
    await row.page().locator('.menu').getByText(label, { exact: true }).click();
}

async function makeFolder(page, path) {
    const status = await page.evaluate(async (at) => {
        const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf };
        return (await fetch('/-/api/v1/folders', { method: 'POST', headers, body: JSON.stringify({ path: at }) })).status;
    }, path);
    assert(status === 201, `a folder is not made: ${status}`);
}

/// Holds the page, as it is now, to the width of its screen.
async function fits(page) {
    const [wide, most] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert(wide <= most, `${new URL(page.url()).pathname} is ${wide} pixels wide, and the screen ${most}`);
}
