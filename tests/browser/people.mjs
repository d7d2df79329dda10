// Who sits at the desk, and what everybody does there first.

export const NAME = 'Ada';
export const PASSWORD = 'a horse, a staple';
/** Words of the page to log in. */
export const ENGLISH = { name: 'Name', password: 'Password', submit: 'Log in' };

/** From the link that the hub printed to the page with all devices. */
export async function setUp(desk, hub) {
    const { page } = desk;
    await page.goto(hub.setupLink);
    await page.getByRole('heading', { name: 'Set up this hub' }).waitFor();
    await desk.picture('setup');
    await page.getByLabel('Name').fill(NAME);
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByText(/5 more characters/).waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    const card = cards(page).first();
    await card.waitFor();
    return (await card.getAttribute('href')).split('/').pop();
}

export async function logIn(desk, words) {
    await desk.page.goto(desk.base);
    await desk.page.getByLabel(words.name, { exact: true }).fill(NAME);
    await desk.page.getByLabel(words.password, { exact: true }).fill(PASSWORD);
    await desk.page.getByRole('button', { name: words.submit }).click();
    await cards(desk.page).first().waitFor();
}

export function cards(page) {
    return page.locator('ul[aria-label] > li > a');
}

export function cardOf(page, id) {
    return page.locator(`ul[aria-label] > li > a[href="/devices/${id}"]`);
}
