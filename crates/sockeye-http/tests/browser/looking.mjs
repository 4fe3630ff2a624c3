// What somebody looks at in a browser, from signing in to signing out; each step begins where the one before it ended.

import { assert, open, ready, row, signIn } from './browser.mjs';

/// `[what, how]`, in order.
export const STEPS = [
    ['a browser without a sign-in is led to the form, and back', async (it) => {
        it.page = await open(it.browser, it.base);
        await it.page.goto('/');
        await it.page.waitForURL(/\/-\/login/);
        await signIn(it.page, 'alice', it.passwords.alice);
        await row(it.page, 'many').waitFor();
    }],

    ['folders are entered and left by keys', async ({ page }) => {
        await row(page, 'Letters').locator('.time').click();
        await page.keyboard.press('Enter');
        await page.waitForURL('**/Letters/');
        await row(page, 'to whom.txt').waitFor();
        await page.keyboard.press('Backspace');
        await page.waitForURL((url) => url.pathname === '/');
        await row(page, 'Letters').and(page.locator('[aria-selected=true]')).waitFor();
        await page.goBack();
        await row(page, 'to whom.txt').waitFor();
    }],

    ['text, pictures and pages are looked at, and none of them runs', async ({ page }) => {
        await page.getByRole('link', { name: 'page.html' }).click();
        await page.locator('.text pre').getByText('<script>alert(1)</script>seen').waitFor();
        await page.keyboard.press('ArrowRight');
        await page.locator('.text pre').getByText('dear reader').waitFor();
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('ArrowLeft');
        await page.waitForFunction(() => document.querySelector('.stage img')?.naturalWidth === 40);
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({ state: 'detached' });
    }],

    ['what is played or printed is looked at, and what is torn is said to be', async ({ page }) => {
        await page.goto('/Media/');
        await ready(page);
        await page.getByRole('link', { name: 'leaflet.pdf' }).click();
        await page.locator('.stage iframe').waitFor();
        await page.keyboard.press('ArrowRight');
        await page.waitForFunction(() => document.querySelector('.stage audio')?.duration === 1);
        await page.keyboard.press('ArrowRight');
        await page.locator('.stage').getByText('This cannot be shown here').waitFor();
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({ state: 'detached' });
        assert(new URL(page.url()).pathname === '/Media/', 'the folder was left');
    }],

    ['going back closes what is looked at, and then leaves the folder', async ({ page }) => {
        await page.goto('/');
        await ready(page);
        await row(page, 'Letters').locator('a').click();
        await page.getByRole('link', { name: 'to whom.txt' }).click();
        await page.locator('.text pre').last().waitFor();
        await page.goBack();
        await page.locator('dialog').waitFor({ state: 'detached' });
        assert(new URL(page.url()).pathname === '/Letters/', 'the folder was left');
        await page.goBack();
        await row(page, 'Letters').waitFor();
        await page.goForward();
        await row(page, 'to whom.txt').waitFor();
    }],

    ['of two folders entered at once the later one is shown', async ({ page }) => {
        await page.goto('/');
        await ready(page);
        // The first one's listing comes after the second one's.
        let hold;
        const held = new Promise((resolve) => { hold = resolve; });
        await page.route('**/odd/?all*', async (route) => {
            await held;
            await route.continue().catch(() => {});
        });
        await row(page, 'odd').locator('a').click();
        await page.waitForURL('**/odd/');
        await page.locator('.places').getByText('Home').click();
        await row(page, 'Letters').waitFor();
        await row(page, 'Letters').locator('a').click();
        await row(page, 'to whom.txt').waitFor();
        hold();
        await page.unroute('**/odd/?all*');
        await page.locator('.status').getByText('3 items').waitFor();
        assert(await page.getByText('This folder is empty').isHidden(), 'the folder is drawn as empty');
    }],

    ['menus are had by keys, for the entry at the cursor', async ({ page }) => {
        await page.locator('.list').focus();
        await page.keyboard.press('Home');
        await page.keyboard.press('Shift+F10');
        await page.locator('.menu').getByText('Details').waitFor();
        await page.keyboard.press('Escape');
        await page.locator('.list').focus();
        await page.keyboard.press('Shift+Tab');
        await page.locator('.head .check').focus();
        await page.keyboard.press(' ');
        await page.locator('.status').getByText('3 selected').waitFor();
        await page.keyboard.press(' ');
        await page.locator('.status').getByText('3 items').waitFor();
    }],

    ['the heads of the columns stand above what is in them', async ({ page }) => {
        const edges = await page.evaluate(() => {
            const box = (element) => {
                const range = document.createRange();
                range.selectNodeContents(element);
                return range.getBoundingClientRect();
            };
            const file = [...document.querySelectorAll('.list .row')].find((it) => !it.classList.contains('folder'));
            return {
                size: box(document.querySelector('.head .size .button span')).right - box(file.querySelector('.size')).right,
                time: box(document.querySelector('.head .time .button span')).left - box(file.querySelector('time')).left,
            };
        });
        assert(Math.abs(edges.size) < 1 && Math.abs(edges.time) < 1, `off by ${JSON.stringify(edges)} pixels`);
    }],

    ['a list is filtered, sorted and shown as tiles, and stays so', async ({ page }) => {
        await page.keyboard.press('/');
        await page.keyboard.type('TO');
        await page.getByText('1 of 3 items').waitFor();
        await page.keyboard.press('Escape');
        await page.getByText('3 items').waitFor();
        await page.locator('.head').getByText('Size').click();
        assert(await page.locator('.list .row').first().getAttribute('aria-rowindex') === '2', 'the first row is not first');
        await page.locator('[aria-sort=descending].size').waitFor();
        await page.locator('.list').focus();
        await page.keyboard.press('v');
        await page.locator('.list.tiles').waitFor();
        await page.reload();
        await ready(page);
        await page.locator('.list.tiles').waitFor();
        await page.keyboard.press('v');
        await page.locator('.head').getByText('Name').click();
    }],

    ['several are selected by keys, and what is selected is said', async ({ page }) => {
        await page.locator('.list').focus();
        await page.keyboard.press('Home');
        await page.keyboard.press('Shift+ArrowDown');
        await page.locator('.status').getByText('2 selected').waitFor();
        await page.keyboard.press('Control+a');
        await page.locator('.status').getByText('3 selected').waitFor();
        await page.keyboard.press('Escape');
        await page.locator('.status').getByText('3 items').waitFor();
    }],

    ['a folder is downloaded as an archive', async ({ page }) => {
        await page.goto('/');
        await ready(page);
        await row(page, 'Letters').locator('.time').click();
        const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.tools').getByText('Download').click()]);
        assert(download.suggestedFilename() === 'Letters.zip', download.suggestedFilename());
        assert(await download.failure() === null, 'the download failed');
    }],

    ['what is chosen of a folder is downloaded as one archive', async ({ page }) => {
        await page.goto('/Letters/');
        await ready(page);
        await row(page, 'page.html').locator('.time').click();
        await row(page, 'to whom.txt').locator('.time').click({ modifiers: ['Control'] });
        const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.tools').getByText('Download').click()]);
        assert(new URL(download.url()).search === '?zip&name=page.html&name=to%20whom.txt', download.url());
        assert(await download.failure() === null, 'the download failed');
    }],

    ['names that look like markup are only names', async (it) => {
        const { page, hostile } = it;
        await page.goto('/odd/');
        await ready(page);
        assert(await page.locator('.list .row').count() === hostile.length, 'a name is missing');
        assert(await page.locator('.list .unseen').count() === 2, 'what cannot be seen is not shown');
        for (let n = 0; n < hostile.length; n += 1) {
            const one = page.locator('.list .row').nth(n);
            await one.locator('.time').click();
            await one.click({ button: 'right', position: { x: 300, y: 20 } });
            await page.locator('.menu').getByText('Details').click();
            await page.locator('dialog .facts').waitFor();
            await page.keyboard.press('Escape');
        }
        // Without script as well.
        const plain = await (await it.browser.newContext({ javaScriptEnabled: false, baseURL: it.base, storageState: await page.context().storageState() })).newPage();
        await plain.goto('/odd/');
        assert(await plain.locator('tbody a').count() === hostile.length + 1, 'a name is missing without script');
        await plain.context().close();
    }],

    ['ten thousand entries are there at once and scroll to their end', async ({ page, many }) => {
        await page.goto(many.href);
        await ready(page);
        await page.getByText(`${many.count.toLocaleString('en-GB')} items`).waitFor();
        const at = (mark) => page.evaluate((name) => Math.round(performance.getEntriesByName(name)[0].startTime), mark);
        console.log(`usable after ${await at('usable')} ms, complete after ${await at('complete')} ms`);
        await page.locator('.list').focus();
        await page.keyboard.press('End');
        await row(page, many.last).waitFor();
        assert(await page.locator('.list .row').count() < 200, 'all rows are in the page');
        const bare = await page.evaluate(async () => {
            const list = document.querySelector('.scroller');
            const { left, top, bottom } = list.getBoundingClientRect();
            list.scrollTop = 0;
            let frames = 0;
            for (let n = 0; n < 30; n += 1) {
                await new Promise((done) => requestAnimationFrame(() => {
                    list.scrollTop += 2500;
                    setTimeout(done);
                }));
                const isFull = [top + 60, bottom - 20].every((y) => document.elementFromPoint(left + 300, y)?.closest('.row'));
                // That somebody scrolls is heard of with the second frame.
                if (n > 1 && !isFull) frames += 1;
            }
            return frames;
        });
        assert(bare === 0, `${bare} frames are bare while it is flown over`);
    }],

    ['language and theme are switched, and stay so', async ({ page }) => {
        await page.locator('.account').click();
        await page.locator('.menu').getByText('Dark').click();
        await page.locator('html[data-theme=dark]').waitFor({ state: 'attached' });
        await page.locator('.account').click();
        await Promise.all([page.waitForNavigation(), page.locator('.menu').getByText('中文').click()]);
        await ready(page);
        await page.locator('.head').getByText('修改时间').waitFor();
        await page.locator('html[lang=zh-CN][data-theme=dark]').waitFor({ state: 'attached' });
        await page.locator('.account').click();
        await Promise.all([page.waitForNavigation(), page.locator('.menu').getByText('English').click()]);
        await ready(page);
    }],

    ['what lies further down is found by a part of its name, and shown where it is', async (it) => {
        const page = await open(it.browser, it.base);
        await signIn(page, 'alice', it.passwords.alice);
        await row(page, 'Letters').waitFor();
        await page.locator('input[type=search]').fill('WHOM');
        await page.getByText('Nothing here has this in its name').waitFor();
        await page.getByRole('button', { name: 'Search the folders below' }).click();
        await page.locator('dialog').getByText('to whom.txt').click();
        await page.waitForURL('**/Letters/');
        await row(page, 'to whom.txt').and(page.locator('[aria-selected=true]')).waitFor();
        assert(page.complaints.length === 0, page.complaints.join('\n'));
        await page.context().close();
    }],

    ['who signs out is shown the form again', async ({ page }) => {
        await page.locator('.account').click();
        await Promise.all([page.waitForURL((url) => !url.pathname.startsWith('/many')), page.getByText('Sign out').click()]);
        await page.goto('/Letters/');
        await page.waitForURL(/\/-\/login/);
    }],
];
