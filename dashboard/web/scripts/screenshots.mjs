// Pictures of every page, in both themes and languages, at the widths that matter.
//
//   node scripts/screenshots.mjs [URL] [--out DIR] [--only REGEX] [--login NAME:PASSWORD]
//
// Without a URL it builds the UI and serves it with the mock. With --login the URL is a real hub:
// only what it can show is taken. Ends with 1 if a page threw, broke the content security policy
// or was wider than its window.
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { launch } from './chromium.mjs';

const SIZES = [
    [360, 740],
    [1280, 800],
    [2560, 1300],
];
const THEMES = ['light', 'dark'];
const LOCALES = ['en-GB', 'fr-FR'];

const FLEET = 'ul[aria-label] a';
const CHARTS = '.uplot canvas';

/** What to look at: a name, the mock's scenario, an address, what to wait for, what to do there. */
const VIEWS = [
    { name: 'fleet', scenario: 'fleet', path: '/', ready: FLEET, real: true },
    { name: 'fleet-well', scenario: 'well', path: '/', ready: FLEET },
    { name: 'fleet-faults', scenario: 'faults', path: '/', ready: '[role="alert"]' },
    {
        name: 'fleet-empty',
        scenario: 'empty',
        path: '/',
        ready: '.empty',
        press: ['.empty button'],
    },
    { name: 'fleet-unreachable', scenario: 'lost', path: '/', ready: FLEET, cutOff: true },
    {
        name: 'add-device',
        scenario: 'fleet',
        path: '/',
        ready: FLEET,
        press: ['header .right > button', 'dialog .primary'],
        window: true,
    },
    {
        name: 'menu',
        scenario: 'fleet',
        path: '/',
        ready: FLEET,
        press: ['header button[aria-expanded]'],
        window: true,
    },
    {
        name: 'device',
        scenario: 'fleet',
        path: '/devices/nas?range=1h',
        ready: CHARTS,
        hover: true,
    },
    { name: 'device-15m', scenario: 'fleet', path: '/devices/hub?range=15m', ready: CHARTS },
    { name: 'device-7d', scenario: 'fleet', path: '/devices/web-02?range=7d', ready: CHARTS },
    { name: 'device-laptop', scenario: 'fleet', path: '/devices/ws-05', ready: CHARTS },
    { name: 'device-offline', scenario: 'fleet', path: '/devices/ws-14', ready: CHARTS },
    { name: 'device-first', path: '/', ready: FLEET, press: [FLEET], then: CHARTS, real: true },
    { name: 'settings', scenario: 'fleet', path: '/settings', ready: 'form' },
    {
        name: 'settings-less',
        scenario: 'fleet',
        path: '/settings',
        ready: 'form',
        fill: { 'input >> nth=0': '30', 'input >> nth=1': '20' },
    },
    {
        name: 'settings-delete',
        scenario: 'fleet',
        path: '/settings',
        ready: 'form',
        fill: { 'input >> nth=0': '30', 'input >> nth=3': '300' },
    },
    { name: 'channels', scenario: 'fleet', path: '/settings/channels', ready: 'article' },
    { name: 'channels-empty', scenario: 'empty', path: '/settings/channels', ready: '.empty' },
    {
        name: 'channels-mail',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['#channel-mail button >> nth=1'],
        then: 'form fieldset',
    },
    {
        name: 'channels-webhook',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['section header button', '.choose li:nth-child(2) button'],
        then: 'form fieldset',
    },
    {
        name: 'channels-template',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['#channel-tickets button >> nth=1'],
        then: 'form fieldset',
    },
    {
        name: 'channels-ntfy',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['#channel-on-call button >> nth=1'],
        then: 'form fieldset',
    },
    {
        name: 'channels-agent',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['#channel-desks button >> nth=1'],
        then: 'form fieldset',
    },
    {
        name: 'channels-test',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['#channel-chat button >> nth=0', '#channel-mail button >> nth=0'],
        then: '#channel-mail .outcome code',
    },
    {
        name: 'channels-remove',
        scenario: 'fleet',
        path: '/settings/channels',
        ready: 'article',
        press: ['#channel-mail button >> nth=2'],
        window: true,
    },
    { name: 'login', path: '/login', ready: 'form' },
    { name: 'setup', scenario: 'setup', path: '/setup?token=let-me-in', ready: 'form' },
    { name: 'setup-link', scenario: 'setup', path: '/setup', ready: 'code' },
];

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        out: { type: 'string', default: 'screenshots' },
        only: { type: 'string', default: '' },
        login: { type: 'string' },
    },
});

let cookies;
let complaints = 0;
const { url, close } = await serverAt(positionals[0]);
await mkdir(values.out, { recursive: true });
const browser = await launch();
const only = new RegExp(values.only);
for (const view of VIEWS) {
    if (values.login === undefined ? view.name === 'device-first' : !view.real) continue;
    for (const [width, height] of SIZES) {
        for (const colorScheme of THEMES) {
            for (const locale of LOCALES) {
                const name = [view.name, width, colorScheme, locale.slice(0, 2)].join('-');
                if (!only.test(name)) continue;
                const context = await browser.newContext({
                    viewport: { width, height },
                    colorScheme,
                    locale,
                });
                await picture(context, view, name);
                await context.close();
            }
        }
    }
}
await browser.close();
await close();
process.exitCode = complaints > 0 ? 1 : 0;

async function serverAt(given) {
    if (given !== undefined) return { url: given.replace(/\/$/, ''), close: async () => {} };
    const vite = await import('vite');
    await vite.build({ logLevel: 'warn' });
    const server = await vite.preview({
        preview: { port: 0, host: '127.0.0.1' },
        logLevel: 'warn',
    });
    return { url: server.resolvedUrls.local[0].replace(/\/$/, ''), close: () => server.close() };
}

async function picture(context, view, name) {
    const complain = (text) => {
        complaints += 1;
        console.error(`${name}: ${text}`);
    };
    await enter(context, view);
    const page = await context.newPage();
    page.on('pageerror', (error) => complain(error.message));
    page.on('console', (message) => {
        const expected = /\b40[13]\b|ERR_FAILED|ERR_INCOMPLETE|ERR_CONNECTION/.test(message.text());
        if (message.type() === 'error' && !expected) complain(message.text());
    });
    await page.goto(url + view.path);
    await page.waitForSelector(view.ready);
    if (view.cutOff) {
        // The mock ends the stream, and nothing answers any more.
        await context.route('**/api/**', (route) => route.abort());
        await page.waitForSelector('[role="alert"]');
    }
    for (const [selector, text] of Object.entries(view.fill ?? {})) await page.fill(selector, text);
    for (const selector of view.press ?? []) await page.click(selector);
    if (view.then) await page.waitForSelector(view.then);
    // The first live values come within a few seconds, and the charts draw in the next frame.
    await page.waitForTimeout(view.ready === CHARTS || view.then === CHARTS ? 1500 : 400);
    const { width, height } = page.viewportSize();
    const [wide, tall] = await page.evaluate(() => {
        const { scrollWidth, scrollHeight } = document.documentElement;
        return [scrollWidth, scrollHeight];
    });
    if (wide > width) complain(`${wide} px wide`);
    // As tall as the page: what is off screen is not drawn.
    if (tall > height && !view.window) {
        await page.setViewportSize({ width, height: tall });
        await page.waitForTimeout(400);
    }
    if (view.hover) await page.hover('.u-over', { position: { x: 60, y: 60 } });
    await page.screenshot({ path: `${values.out}/${name}.png` });
}

/** Cookies for the mock, or of a login at a real hub: one for all pictures. */
async function enter(context, view) {
    if (values.login !== undefined) {
        cookies ??= await logIn(context);
        await context.addCookies(cookies);
        return;
    }
    if (view.scenario === undefined) return;
    await context.addCookies([
        { name: 'mock', value: view.scenario, url },
        { name: 'session', value: '1', url },
    ]);
}

async function logIn(context) {
    const [user, password] = values.login.split(/:(.*)/s);
    const answer = await context.request.post(`${url}/api/v1/login`, {
        data: { name: user, password },
        headers: { 'X-Requested-With': 'netmonitor' },
    });
    if (!answer.ok()) throw new Error(`cannot log in: ${answer.status()}`);
    return context.cookies();
}
