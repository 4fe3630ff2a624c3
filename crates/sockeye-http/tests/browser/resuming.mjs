// Uploads that were cut, and how they go on other than by what the page offers; begins where nobody has signed in.

import fs from 'node:fs/promises';
import path from 'node:path';

import { assert, drop, left, open, ready, row, signIn, under, upload } from './browser.mjs';

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
        await upload(page, file);
        await under(page, 3);
        assert((await page.locator('.uploads li').innerText()).includes('/Letters'), 'it is not said where the file goes');
        await page.reload();
        await ready(page);
        await page.locator('.unfinished').getByText('resumed.bin').waitFor();
        it.wire.rate = 0;
        const first = page.waitForRequest((request) => request.method() === 'PATCH');
        await upload(page, file);
        assert(Number((await first).headers()['upload-offset']) > 0, 'the upload began anew');
        await page.locator('.uploads').getByText('1 file uploaded').waitFor();
        await page.locator('.unfinished').waitFor({ state: 'detached' });
        const left = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('resumed.bin')));
        assert(left.length === 0, `still remembered: ${left}`);
    }],

    ['an upload says how fast it is, stops by a button, and goes on by another from where it was', async ({ page, scratch, wire }) => {
        const file = path.join(scratch, 'paused.bin');
        await fs.writeFile(file, Buffer.alloc(SIZE, 'halibut '));
        await page.reload();
        await ready(page);
        wire.rate = 1 << 20;
        await upload(page, file);
        await under(page, 5);
        await page.locator('.uploads .line', { hasText: /\d\s[KM]?i?B\/s\s·\s.+\sleft/ }).waitFor();
        await page.getByTitle('Pause all').click();
        await page.locator('.uploads li.paused').getByText('paused.bin').waitFor();
        // Until the server has given up on what was on its way; then nothing more comes.
        const stopped = await left(page, 'paused.bin');
        wire.rate = 0;
        const first = page.waitForRequest((request) => request.method() === 'PATCH');
        await page.getByTitle('Go on with all').click();
        const offset = Number((await first).headers()['upload-offset']);
        assert(offset === stopped.offset && offset > 0 && offset < SIZE, `it goes on at ${offset}, and was at ${stopped.offset}`);
        await page.locator('.uploads').getByText('1 file uploaded').waitFor();
        await row(page, 'paused.bin').waitFor();
    }],

    ['files and folders that are dropped on the page are uploaded as they are', async ({ page, scratch }) => {
        await fs.mkdir(path.join(scratch, 'desk/inner'), { recursive: true });
        await fs.mkdir(path.join(scratch, 'desk/nothing in it'), { recursive: true });
        await fs.writeFile(path.join(scratch, 'desk/inner/three.txt'), 'three');
        await fs.writeFile(path.join(scratch, 'single.txt'), 'single');
        await drop(page, page.locator('.scroller'), [path.join(scratch, 'desk'), path.join(scratch, 'single.txt')]);
        await row(page, 'single.txt').waitFor();
        await row(page, 'desk').locator('a').click();
        await row(page, 'nothing in it').waitFor();
        await row(page, 'inner').locator('a').click();
        await page.getByRole('link', { name: 'three.txt' }).click();
        await page.locator('.text pre').getByText('three').waitFor();
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({ state: 'detached' });
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
