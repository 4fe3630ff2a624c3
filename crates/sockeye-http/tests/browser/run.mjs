// Runs the steps, or those that SOCKEYE_ONLY fits, against a node: `node run.mjs SETTINGS`, a JSON object with
// port, folder, whole, chromium, passwords, scratch, many.

import fs from 'node:fs/promises';

import { STEPS as ADMINISTERING } from './administering.mjs';
import { launch } from './browser.mjs';
import { STEPS as CHANGING } from './changing.mjs';
import { STEPS as DROPPING } from './dropping.mjs';
import { STEPS as FOLDER } from './folder.mjs';
import { STEPS as LOOKING } from './looking.mjs';
import { STEPS as RESUMING } from './resuming.mjs';
import { STEPS as SHARING } from './sharing.mjs';
import { STEPS as SHOTS } from './shots.mjs';
import { STEPS as VISITING } from './visiting.mjs';
import { Wire } from './wire.mjs';

const it = JSON.parse(process.argv[2]);
it.wire = await Wire.to(it.port);
it.base = it.wire.base;
it.browser = await launch(it.chromium);
let code = 0;
for (const [what, how] of [...FOLDER, ...LOOKING, ...CHANGING, ...SHARING, ...RESUMING, ...DROPPING, ...SHOTS, ...VISITING, ...ADMINISTERING]) {
    if (process.env.SOCKEYE_ONLY && !new RegExp(process.env.SOCKEYE_ONLY).test(what)) continue;
    const begun = performance.now();
    try {
        await how(it);
        const complaints = it.page?.complaints ?? [];
        if (complaints.length > 0) throw new Error(complaints.join('\n'));
        console.log(`ok: ${what} (${Math.round(performance.now() - begun)} ms)`);
    } catch (error) {
        console.log(`FAILED: ${what}\n${error.stack}`);
        await it.page?.screenshot({ path: `${it.scratch}/failed.png` }).catch(() => {});
        for (const page of [it.page, it.visitor].filter(Boolean)) {
            const seen = await page.locator('body').innerText().catch(() => '');
            console.log(`the page at ${page.url()} says:\n${seen.slice(0, 2000)}\n${page.complaints.join('\n')}`);
        }
        code = 1;
        break;
    }
}
await it.browser.close();
it.wire.close();
await fs.writeFile(`${it.scratch}/done`, String(code));
process.exit(code);
