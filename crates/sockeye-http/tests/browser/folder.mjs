// The page of one folder that is served to everybody, without accounts; each step has a browser of its own.

import { assert, open, ready, row } from './browser.mjs';

/// `[what, how]`, in order.
export const STEPS = [
    ['one folder is filtered, looked at and downloaded, and asks nobody who they are', async (it) => {
        const asked = [];
        const page = await open(it.browser, it.folder);
        page.on('request', (request) => asked.push(new URL(request.url()).pathname));
        await page.goto('/');
        await ready(page);
        for (const name of ['notes.txt', 'drawing.svg', 'sub', 'site']) await row(page, name).waitFor();
        await row(page, 'drawing.svg').locator('.picture img').waitFor();
        assert(await page.getByText('Sign in').count() === 0, 'there is nobody to sign in');
        await page.locator('input[type=search]').fill('note');
        await row(page, 'sub').waitFor({ state: 'detached' });
        await page.getByRole('link', { name: 'notes.txt' }).click();
        await page.locator('.text pre').getByText('to be read').waitFor();
        await page.keyboard.press('Escape');
        await page.locator('input[type=search]').fill('');
        await row(page, 'sub').waitFor();
        await row(page, 'sub').locator('.time').click({ button: 'right' });
        for (const not of ['Delete', 'Rename', 'Share']) assert(await page.locator('.menu').getByText(not, { exact: true }).count() === 0, `${not} is offered`);
        const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.menu').getByText('Download as zip').click()]);
        assert(download.suggestedFilename() === 'sub.zip' && await download.failure() === null, 'the archive is not had');
        await row(page, 'sub').locator('a').click();
        await row(page, 'deep.txt').waitFor();
        assert(await page.locator('.crumbs').innerText() !== '', 'it is not said where one is');
        assert(!asked.some((path) => path.startsWith('/-/') && !path.startsWith('/-/static/')), `asked: ${asked}`);
        assert(page.complaints.length === 0, page.complaints.join('\n'));
        await page.context().close();
    }],

    ['Markdown is shown as it is meant to look, and nothing in it acts', async (it) => {
        const page = await open(it.browser, it.folder);
        await page.goto('/');
        await ready(page);
        await page.getByRole('link', { name: 'guide.md' }).click();
        const shown = page.locator('.markdown');
        await shown.getByRole('heading', { name: 'Guide' }).waitFor();
        await shown.getByRole('listitem').getByText('first').waitFor();
        await shown.getByRole('cell', { name: '42' }).waitFor();
        assert(await shown.locator('strong').innerText() === 'well', 'nothing is strong');
        await shown.getByText('<img src=x onerror=alert(1)>').waitFor();
        assert(await shown.locator('img, script, [onerror]').count() === 0, 'markup of the file is markup of the page');
        const links = await shown.locator('a').evaluateAll((all) => all.map((link) => link.href));
        assert(links.length === 1 && links[0] === `${it.folder}/sub/deep.txt`, `links: ${links}`);
        await page.getByTitle('Show the source').click();
        await page.locator('.text pre').getByText('# Guide').waitFor();
        await page.getByTitle('Show the source').click();
        await shown.waitFor();
        // Long runs of blanks, through which a careless pattern would look again from each of them.
        await page.keyboard.press('Escape');
        await page.getByRole('link', { name: 'blanks.md' }).click();
        await shown.getByText('the end').waitFor();
        assert(page.complaints.length === 0, page.complaints.join('\n'));
        await page.context().close();
    }],

    ['a folder with an index file is shown by that, also when it is entered from the page', async (it) => {
        const page = await open(it.browser, it.folder);
        await page.goto('/');
        await ready(page);
        await row(page, 'site').locator('a').click();
        await page.getByText('Welcome to the site').waitFor();
        assert(new URL(page.url()).pathname === '/site/', page.url());
        await page.context().close();
    }],

    ['without script one folder is listed, sorted and had as an archive', async (it) => {
        const context = await it.browser.newContext({ baseURL: it.folder, javaScriptEnabled: false, locale: 'en-GB', acceptDownloads: true });
        const page = await context.newPage();
        await page.goto('/');
        await page.getByRole('button', { name: 'Size' }).click();
        await page.getByRole('button', { name: 'Size ↑' }).waitFor();
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download as zip' }).click()]);
        assert(await download.failure() === null, 'the archive is not had');
        await page.getByRole('link', { name: 'sub/' }).click();
        await page.getByRole('link', { name: 'deep.txt' }).waitFor();
        await context.close();
    }],
];
