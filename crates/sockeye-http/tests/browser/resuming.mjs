// Uploads that were cut, and how they go on other than by what the page offers; begins where nobody has signed in.

import fs from 'node:fs/promises';
import path from 'node:path';

import { assert, open, ready, signIn } from './browser.mjs';

const SIZE = 16 * 1024 * 1024;

/// `[what, how]`, in order.
export const STEPS = [
    ['what was cut is no longer offered once it goes on by the ordinary button', async (it) => {
        await it.page?.context().close();
        const page = it.page = await open(it.browser, it.base);
        await signIn(page, 'alice', it.passwords.alice, '/Letters/');
        const file = path.join(it.scratch, 'resumed.bin');
        await fs.writeFile(file, Buffer.alloc(SIZE, 'salmon '));
        it.wire.rate = 1 << 20;
        await choose(page, file);
        await page.waitForFunction(() => parseInt(document.querySelector('.uploads li.running .number')?.textContent ?? '0', 10) > 3);
        assert((await page.locator('.uploads li').innerText()).includes('/Letters'), 'it is not said where the file goes');
        await page.reload();
        await ready(page);
        await page.locator('.unfinished').getByText('resumed.bin').waitFor();
        it.wire.rate = 0;
        const first = page.waitForRequest((request) => request.method() === 'PATCH');
        await choose(page, file);
        assert(Number((await first).headers()['upload-offset']) > 0, 'the upload began anew');
        await page.locator('.uploads').getByText('1 file uploaded').waitFor();
        await page.locator('.unfinished').waitFor({ state: 'detached' });
        const left = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('resumed.bin')));
        assert(left.length === 0, `still remembered: ${left}`);
    }],

    ['the public folder is at the side for whoever fills it, and not for others', async (it) => {
        const fills = await open(it.browser, it.base);
        await signIn(fills, 'bob', it.passwords.bob);
        await fills.locator('.places').getByText('Public').click();
        await fills.waitForURL('**/public/');
        await fills.getByText('Drop files or folders here').waitFor();
        assert(fills.complaints.length === 0, fills.complaints.join('\n'));
        await fills.context().close();
        // What is the account's alone is drawn once the server has said who it is.
        await it.page.locator('.places').getByText('Trash').waitFor();
        assert(await it.page.locator('.places').getByText('Public').count() === 0, 'Public is shown, and not to be had');
    }],
];

async function choose(page, file) {
    await page.locator('.tools').getByText('Upload', { exact: true }).click();
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.menu').getByText('Upload files').click()]);
    await chooser.setFiles(file);
}
