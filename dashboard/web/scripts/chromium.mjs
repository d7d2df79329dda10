// How Chromium is started for pictures and for the whole-system browser test.
import { chromium } from 'playwright-core';

/** Starts it without a window; it asks nothing of any host that it was not sent to. */
export function launch() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: [
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
        ],
    });
}
