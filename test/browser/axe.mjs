// Runs axe-core over every page type, on phone and desktop, in light and dark, and fails when it finds anything.
// With --screenshots it keeps a picture of each. With --inbox it joins as a new member, so that the pages of
// members are looked at too; without, only those that everybody sees.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from './accessibility.mjs';
import { fail, launch, options, screens, texts, waitForLink, watch } from './browser.mjs';

const usage = 'node axe.mjs --base URL [--inbox URL] [--locale fr] [--page PATH]... [--screenshots DIR] ' +
  '[--resolve HOST=ADDRESS] [--insecure]';
const opts = options(usage, { inbox: { type: 'string' }, page: { type: 'string', multiple: true } });
const t = await texts(opts.locale);
const stamp = Math.random().toString(36).slice(2, 10);
const found = [];

if (opts.screenshots) await mkdir(opts.screenshots, { recursive: true });
const browser = await launch(opts);

// address opens a page that has an address of its own.
const address = (path) => (page) => page.goto(opts.base + path, { waitUntil: 'load' });

// sent opens a form, fills it in and sends it.
const sent = (path, form, values = {}) => async (page) => {
  await page.goto(opts.base + path, { waitUntil: 'load' });
  for (const [field, value] of Object.entries(values)) await page.locator(`${form} [name="${field}"]`).fill(value);
  await page.locator(`${form} [type="submit"]`).first().click();
  await page.waitForLoadState('load');
};

// views that everybody sees. Some answer with an error, which is what they are there for.
const views = opts.page
  ? opts.page.map((path) => ({ name: path, open: address(path) }))
  : [
    { name: 'home', open: address('/') },
    { name: 'list', open: address('/ideas') },
    { name: 'list-newest', open: address('/ideas?order=newest') },
    { name: 'search-nothing', open: address('/ideas?q=qzxqzxqzx') },
    { name: 'sign-in', open: address('/sign-in') },
    { name: 'sign-in-wrong', open: sent('/sign-in?returnTo=/ideas/new', 'main form', { email: 'wrong' }) },
    { name: 'sent', open: address('/sign-in/sent') },
    { name: 'link', open: address('/sign-in/link?token=any') },
    { name: 'link-spent', open: address('/sign-in/link') },
    { name: 'missing', open: address('/missing') },
  ];

// becomeMember joins with an idea and a comment, and adds what members see.
async function becomeMember() {
  const email = `axe-${stamp}@members.example`;
  const context = await browser.newContext({ locale: opts.locale, ignoreHTTPSErrors: opts.insecure });
  const page = await context.newPage();
  await sent('/sign-in', 'main form', { email })(page);
  await page.goto(await waitForLink(opts.inbox, email));
  await page.locator('main [type="submit"]').first().click();
  await page.locator('[name="name"]').fill(`Axe ${stamp}`);
  await page.locator('main [type="submit"]').first().click();
  await sent('/ideas/new', 'main form', {
    title: `A page to look at closely, ${stamp}`,
    body: '# Heading\n\nText with **bold**, `code` and a [link](https://brand.example).\n\n> quoted\n\n1. one\n2. two',
  })(page);
  const idea = new URL(page.url()).pathname;
  await page.locator('.comment-form [name="body"]').fill('A comment\n\n- with a list');
  await page.locator('.comment-form [type="submit"]').first().click();
  await page.locator('.comment').first().waitFor();
  const cookies = await context.cookies();
  await context.close();
  const member = (name, open) => ({ name, open, cookies });
  views.push(
    { name: 'idea', open: address(idea) },
    member('member-home', address('/')),
    member('member-idea', address(idea)),
    member('member-idea-supported', async (page) => {
      await page.goto(opts.base + idea, { waitUntil: 'load' });
      const button = page.locator('.vote-big .vote-button');
      if (await button.getAttribute('aria-pressed') === 'false') await button.click();
      await page.locator('.vote-big [aria-pressed="true"]').waitFor();
    }),
    member('member-comment-wrong', sent(idea, '.comment-form')),
    member('member-menu', async (page) => {
      await page.goto(`${opts.base}/ideas`, { waitUntil: 'load' });
      await page.locator('.account').click();
      await page.getByRole('link', { name: t('nav.profile') }).waitFor();
    }),
    member('submit', address('/ideas/new')),
    member('submit-wrong', sent('/ideas/new', 'main form', { title: 'x'.repeat(130) })),
    member('profile', address('/profile')),
    member('profile-welcome', address('/profile?welcome=true&returnTo=/ideas')),
    member('profile-wrong', sent('/profile', 'main form.form', { name: '' })),
  );
}

// look opens a view once and turns it around: what a screen is like and how bright it is changes without a new
// request, and darkness changes nothing but colours.
async function look(view) {
  const context = await browser.newContext({
    ...screens.desktop, locale: opts.locale, colorScheme: 'light', reducedMotion: 'reduce', ignoreHTTPSErrors: opts.insecure,
    // The site's policy refuses foreign scripts, and axe is one.
    bypassCSP: true,
  });
  context.setDefaultTimeout(15_000);
  if (view.cookies) await context.addCookies(view.cookies);
  const page = await context.newPage();
  const problems = watch(page, opts.base);
  await view.open(page);
  for (const screen of Object.keys(screens)) {
    await page.setViewportSize(screens[screen].viewport);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      found.push(...await inspect(page, `${view.name} (${screen}, ${scheme}, ${opts.locale})`, scheme));
      if (!opts.screenshots) continue;
      const name = view.name.replace(/[^\w]+/g, '-').replace(/^-|-$/g, '') || 'home';
      await page.screenshot({ path: join(opts.screenshots, `${name}-${opts.locale}-${screen}-${scheme}.png`), fullPage: true });
    }
  }
  found.push(...problems.map((p) => `${view.name} (${opts.locale}): ${p}`));
  await context.close();
}

try {
  if (opts.inbox) await becomeMember();
  for (const view of views) await look(view);
} catch (error) {
  await browser.close();
  fail(`axe could not look at everything: ${error.message}`);
}
await browser.close();
if (found.length > 0) fail(`${found.length} findings:\n${found.join('\n')}`);
console.log(`axe found nothing on ${views.length} pages (phone and desktop, light and dark, ${opts.locale})`);
