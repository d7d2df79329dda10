// Pictures of every page, in both themes and languages, at the widths that matter.
//
//   node scripts/screenshots.mjs [URL of a running server] [--out DIR] [--only TEXT]
//
// Without a URL it builds the UI and serves it with the mock.
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', default: 'screenshots' }, only: { type: 'string' } },
});

const SIZES = [
    [360, 740],
    [1280, 800],
    [2560, 1300],
];
const THEMES = ['light', 'dark'];
const LOCALES = ['en-GB', 'fr-FR'];

/** What to look at: a name, the mock's scenario, an address, what to wait for, what to do there. */
const VIEWS = [
    { name: 'fleet', scenario: 'fleet', path: '/', ready: '[aria-label="nas"]' },
    { name: 'fleet-well', scenario: 'well', path: '/', ready: '[aria-label="ws-01"]' },
    { name: 'fleet-faults', scenario: 'faults', path: '/', ready: '[role="alert"]' },
    { name: 'fleet-empty', scenario: 'empty', path: '/', ready: '.empty', press: '.empty button' },
    {
        name: 'fleet-unreachable',
        scenario: 'fleet',
        path: '/',
        ready: '[aria-label="nas"]',
        cutOff: true,
    },
    {
        name: 'add-device',
        scenario: 'fleet',
        path: '/',
        ready: '[aria-label="nas"]',
        press: 'header .right > button',
        then: 'dialog .primary',
    },
    {
        name: 'menu',
        scenario: 'fleet',
        path: '/',
        ready: '[aria-label="nas"]',
        press: 'header button[aria-expanded]',
    },
    { name: 'device', scenario: 'fleet', path: '/devices/nas?range=1h', ready: '.uplot canvas' },
    {
        name: 'device-15m',
        scenario: 'fleet',
        path: '/devices/hub?range=15m',
        ready: '.uplot canvas',
    },
    {
        name: 'device-7d',
        scenario: 'fleet',
        path: '/devices/web-02?range=7d',
        ready: '.uplot canvas',
    },
    { name: 'device-offline', scenario: 'fleet', path: '/devices/ws-14', ready: '.uplot canvas' },
    { name: 'login', path: '/login', ready: 'form' },
    { name: 'setup', scenario: 'setup', path: '/setup?token=let-me-in', ready: 'form' },
    { name: 'setup-link', scenario: 'setup', path: '/setup', ready: 'code' },
];

let url = positionals[0];
let server;
if (url === undefined) {
    const vite = await import('vite');
    await vite.build({ logLevel: 'warn' });
    server = await vite.preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'warn' });
    url = server.resolvedUrls.local[0];
}
url = url.replace(/\/$/, '');
await mkdir(values.out, { recursive: true });

const browser = await chromium.launch({
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

let complaints = 0;
for (const view of VIEWS) {
    for (const [width, height] of SIZES) {
        for (const theme of THEMES) {
            for (const locale of LOCALES) {
                const name = [view.name, width, theme, locale.slice(0, 2)].join('-');
                if (values.only !== undefined && !new RegExp(values.only).test(name)) continue;
                await picture(view, name, { width, height }, theme, locale);
            }
        }
    }
}
await browser.close();
await server?.close();
process.exitCode = complaints > 0 ? 1 : 0;

async function picture(view, name, viewport, theme, locale) {
    const context = await browser.newContext({ viewport, colorScheme: theme, locale });
    const cookies = [];
    if (view.scenario) {
        cookies.push(
            { name: 'mock', value: view.scenario, url },
            { name: 'session', value: '1', url },
        );
    }
    await context.addCookies(cookies);
    const page = await context.newPage();
    const complain = (text) => {
        complaints += 1;
        console.error(`${name}: ${text}`);
    };
    page.on('pageerror', (error) => complain(error.message));
    page.on('console', (message) => {
        const expected = /401|ERR_INTERNET_DISCONNECTED|ERR_FAILED/.test(message.text());
        if (message.type() === 'error' && !expected) complain(message.text());
    });
    await page.goto(url + view.path);
    await page.waitForSelector(view.ready);
    if (view.cutOff) {
        await context.setOffline(true);
        await page.reload().catch(() => undefined);
    }
    if (view.press) await page.click(view.press);
    if (view.then) await page.click(view.then);
    // The charts draw in the next frame, the first live values come within a few seconds.
    await page.waitForTimeout(view.path.startsWith('/devices') ? 1500 : 500);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > viewport.width) complain(`${wide} px wide`);
    // As tall as the page: what is off screen is not drawn.
    const tall = await page.evaluate(() => document.documentElement.scrollHeight);
    if (tall > viewport.height && !view.press) {
        await page.setViewportSize({ width: viewport.width, height: tall });
        await page.waitForTimeout(400);
    }
    await page.screenshot({ path: `${values.out}/${name}.png` });
    await context.close();
}
