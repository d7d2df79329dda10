// What every story in a browser begins and ends with: a hub of its own, and a desk before it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { Desk } from './desk.mjs';
import { startHub } from './programs.mjs';

/**
 * A test that is told `{ hub, desk }`. The folder with pictures of every page is printed; if it fails,
 * what the hub and the browser had to say as well.
 */
export function story(name, tell) {
    test(name, async (t) => {
        const pictures = await mkdtemp(join(tmpdir(), 'netmonitor-pictures-'));
        t.diagnostic(`pictures in ${pictures}`);
        const home = await mkdtemp(join(tmpdir(), 'netmonitor-browser-'));
        let hub;
        let desk;
        try {
            hub = await startHub(home);
            desk = await Desk.open(hub.base, pictures);
            await tell({ hub, desk });
            await desk.close();
        } catch (error) {
            await desk?.picture('failure').catch(() => undefined);
            for (const line of hub?.stderr ?? []) t.diagnostic(`hub: ${line}`);
            for (const line of desk?.complaints ?? []) t.diagnostic(`browser: ${line}`);
            throw error;
        } finally {
            await desk?.end();
            await hub?.end();
            await rm(home, { recursive: true, force: true });
        }
    });
}
