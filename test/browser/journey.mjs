// A newcomer's way through a community: home, sign-in by mail, a first idea, support, a comment. Every step
// asserts what a person would see. Prints one line of JSON about what was left behind.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, launch, options, screens, texts, waitForLink, watch } from './browser.mjs';

const usage = 'node journey.mjs --base URL --inbox URL [--locale fr] [--screen phone|desktop] [--screenshots DIR] ' +
  '[--email ADDRESS] [--name NAME] [--no-javascript] [--resolve HOST=ADDRESS] [--insecure]';
const opts = options(usage, {
  inbox: { type: 'string' },
  screen: { type: 'string', default: 'desktop' },
  email: { type: 'string' },
  name: { type: 'string', default: 'Camille Journey' },
  'no-javascript': { type: 'boolean', default: false },
}, ['base', 'inbox']);

const stamp = `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
const email = opts.email || `journey-${stamp}@members.example`;
const title = `Journey ${stamp}: a lighter tent & a "better" <pole>`;
const t = await texts(opts.locale);

const browser = await launch(opts);
const context = await browser.newContext({
  ...screens[opts.screen], locale: opts.locale, javaScriptEnabled: !opts['no-javascript'],
  ignoreHTTPSErrors: opts.insecure,
});
context.setDefaultTimeout(15_000);
const page = await context.newPage();
const problems = watch(page, opts.base);
if (opts.screenshots) await mkdir(opts.screenshots, { recursive: true });

let shots = 0;
let current = 'start';
async function step(name, run) {
  current = name;
  await run();
  if (!opts.screenshots) return;
  shots += 1;
  const file = `${String(shots).padStart(2, '0')}-${name.replaceAll(' ', '-')}-${opts.locale}.png`;
  await page.screenshot({ path: join(opts.screenshots, file), fullPage: true });
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

const button = (key) => page.getByRole('button', { name: t(key), exact: true });
const heading = (key) => page.getByRole('heading', { level: 1, name: t(key) }).waitFor();

// layoutShift is how far things jumped while the page loaded (web.dev: good is below 0.1).
const layoutShift = () => page.evaluate(() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => resolve(sum), 200);
}));

async function home() {
  const response = await page.goto(`${opts.base}/`, { waitUntil: 'load' });
  assert(response.status() === 200, `home answered ${response.status()}`);
  const lang = await page.locator('html').getAttribute('lang');
  assert(lang.startsWith(opts.locale.split('-')[0]), `home is in "${lang}", asked for "${opts.locale}"`);
  assert((await page.getByRole('heading', { level: 1 }).innerText()).trim() !== '', 'home has no headline');
  await page.getByRole('heading', { name: t('home.how'), exact: true }).waitFor();
  if (!opts['no-javascript']) {
    const shift = await layoutShift();
    assert(shift < 0.05, `home jumped by ${shift.toFixed(3)} while loading`);
  }
}

async function askForLink() {
  await page.getByRole('link', { name: t('nav.submit'), exact: true }).first().click();
  await heading('sign_in.title');
  await page.getByText(t('sign_in.reason.submit')).waitFor();
  await page.getByLabel(t('sign_in.email')).fill('not an address');
  await button('sign_in.button').click();
  await page.getByText(t('error.email.invalid')).waitFor();
  assert(await page.getByLabel(t('sign_in.email')).inputValue() === 'not an address', 'the wrong input was not kept');
  await page.getByLabel(t('sign_in.email')).fill(email);
  await button('sign_in.button').click();
  await heading('sent.title');
  await page.getByText(email).waitFor();
}

async function followLink() {
  const link = await waitForLink(opts.inbox, email);
  await page.goto(link);
  await heading('link.title');
}

async function confirm() {
  const used = page.url();
  await button('link.button').click();
  await heading('profile.welcome');
  await page.getByLabel(t('profile.name'), { exact: true }).fill(opts.name);
  await button('profile.button').click();
  await heading('submit.title');
  assert(new URL(page.url()).pathname === '/ideas/new', `came back to ${page.url()}`);
  const second = await context.newPage();
  await second.goto(used);
  const [again] = await Promise.all([
    second.waitForResponse((response) => response.request().method() === 'POST'),
    second.getByRole('button', { name: t('link.button'), exact: true }).click(),
  ]);
  await second.close();
  assert(again.status() === 410, `the link worked twice: ${again.status()}`);
}

async function submit() {
  await page.getByLabel(t('submit.field.title')).fill(title);
  await button('submit.button').click();
  await page.getByText(t('error.required')).waitFor();
  assert(await page.getByLabel(t('submit.field.title')).inputValue() === title, 'the title was not kept');
  const body = page.getByLabel(t('submit.field.body'));
  assert(await body.getAttribute('aria-invalid') === 'true', 'the empty field is not marked');
  await body.fill('What I miss is a **bold** tent.\n\n- light\n- dry\n\n<script>window.stolen = true</script>');
  await button('submit.button').click();
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  assert(await page.locator('.prose strong').first().innerText() === 'bold', 'Markdown was not rendered');
  if (!opts['no-javascript']) {
    assert(await page.evaluate(() => window.stolen === undefined), 'a script from an idea ran');
  }
}

async function support() {
  const vote = button('vote.button');
  assert(await vote.getAttribute('aria-pressed') === 'false', 'a new idea is supported already');
  await vote.click();
  await page.locator('.vote-big .vote-button[aria-pressed="true"]').waitFor();
  assert(await page.locator('.vote-count strong').innerText() === '1', 'the support was not counted');
  await page.reload();
  await page.locator('.vote-big .vote-button[aria-pressed="true"]').waitFor();
}

async function comment() {
  await page.getByLabel(t('idea.comment.label')).fill('Count me in, *really*.');
  await button('idea.comment.button').click();
  await page.locator('.comment', { hasText: 'Count me in, really.' }).waitFor();
  assert(await page.locator('.comment-name').last().innerText() === opts.name, 'the comment lacks its author');
}

async function search() {
  await page.goto(`${opts.base}/ideas?order=newest`);
  await page.getByRole('heading', { level: 3, name: title, exact: true }).waitFor();
  await page.getByRole('searchbox').fill(stamp);
  await page.getByRole('searchbox').press('Enter');
  await page.getByText(t('ideas.search.results', { Search: stamp })).first().waitFor();
  assert(await page.locator('.card').count() === 1, 'the search did not find the one idea');
}

async function signOut() {
  await page.goto(`${opts.base}/profile`);
  await page.locator('main').getByRole('button', { name: t('nav.sign_out') }).click();
  await page.getByRole('link', { name: t('nav.sign_in'), exact: true }).waitFor();
}

try {
  await step('home', home);
  await step('ask for link', askForLink);
  await step('follow link', followLink);
  await step('confirm', confirm);
  await step('submit', submit);
  await step('support', support);
  await step('comment', comment);
  const idea = page.url().split('#')[0];
  await step('search', search);
  await step('sign out', signOut);
  assert(problems.length === 0, problems.join('\n'));
  console.log(JSON.stringify({ idea, title, email, name: opts.name, supporters: 1, comments: 1 }));
} catch (error) {
  if (opts.screenshots) {
    await page.screenshot({ path: join(opts.screenshots, 'failed.png'), fullPage: true }).catch(() => {});
  }
  await browser.close();
  const address = page.url().replace(/token=[\w-]+/, 'token=…');
  fail(`journey failed at "${current}" (${address}): ${error.message}${problems.length ? `\n${problems.join('\n')}` : ''}`);
}
await browser.close();
