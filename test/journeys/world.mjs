// What journeys share: people with browsers of their own, the service's clock, mails, and pictures of what was seen.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from '../browser/accessibility.mjs';
import { fail, launch, options, screens, texts, watch } from '../browser/browser.mjs';

// schemes in the order in which pages are looked at; pictures are of the last.
const schemes = process.env.JOURNEY_SCHEME === 'dark' ? ['light', 'dark'] : ['dark', 'light'];

// journey runs the steps of a script: journey(async (w) => { ... }). It ends the program with status 1 and the name of
// the step when something is not as it should be, or when a page had a script error or a server error.
export async function journey(steps) {
  const opts = options('node JOURNEY.mjs --base URL --world URL [--locale fr] [--screen phone|desktop] [--screenshots DIR]',
    { world: { type: 'string' }, screen: { type: 'string', default: 'desktop' } }, ['base', 'world']);
  const w = new World(opts, await texts(opts.locale), await launch(opts));
  if (opts.screenshots) await mkdir(opts.screenshots, { recursive: true });
  let failure;
  try {
    await steps(w);
    w.assert(w.problems.length === 0, w.problems.join('\n'));
  } catch (error) {
    failure = `journey failed at "${w.current}": ${error.stack}\n${w.problems.join('\n')}`;
    for (const [i, page] of w.pages.entries()) {
      failure += `\npage ${i}: ${page.url().replace(/token=[\w-]+/, 'token=…')}`;
      if (opts.screenshots) await page.screenshot({ path: join(opts.screenshots, `failed-${i}.png`), fullPage: true }).catch(() => {});
    }
  }
  await w.browser.close();
  if (failure) fail(failure);
}

class World {
  constructor(opts, t, browser) {
    this.opts = opts;
    this.base = opts.base;
    this.locale = opts.locale;
    // t is a text of the pages in the journey's language: w.t('nav.submit').
    this.t = t;
    this.browser = browser;
    this.current = 'start';
    this.pages = [];
    this.watched = [];
    this.findings = [];
    this.shots = 0;
  }

  // problems are what must not happen on any page.
  get problems() { return [...this.watched.flat(), ...this.findings]; }

  // step names what happens until the next one.
  async step(name, run) {
    this.current = name;
    return run();
  }

  assert(condition, message) {
    if (!condition) throw new Error(message);
  }

  // visitor is somebody who is not signed in: a page with a few ways of doing things.
  async visitor(locale = this.locale) {
    const context = await this.browser.newContext({ ...screens[this.opts.screen], locale });
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    this.watched.push(watch(page, this.base));
    this.pages.push(page);
    return page;
  }

  // member is a page of somebody who is signed in with that address, a member from the first time on. The display name
  // is set on the profile when it is given.
  async member(email, name = '') {
    const session = await this.ask('member', { email, locale: this.locale });
    const page = await this.visitor();
    await page.context().addCookies([{ name: session.Name, value: session.Value, url: this.base }]);
    if (name) await this.rename(page, name);
    return page;
  }

  async rename(page, name) {
    await page.goto(`${this.base}/profile`);
    await page.getByLabel(this.t('profile.name'), { exact: true }).fill(name);
    await page.getByRole('button', { name: this.t('profile.button'), exact: true }).click();
    await page.getByText(this.t('flash.saved')).first().waitFor();
  }

  // team are members of the brand's team, lead@brand.example and so on, who are of age and answer more where it is asked.
  async team(...roles) {
    const more = typeof roles[0] === 'object' ? roles.shift() : {};
    return Promise.all(roles.map((role) => this.newcomer(`${role}@brand.example`, '', { born: '1985-01-15', ...more })));
  }

  // newcomer is a member who answers what the house asks for on joining, with a picture of the page where it has a name.
  async newcomer(email, name, answers, picture = '') {
    const page = await this.member(email);
    await this.goto(page, '/join');
    if (new URL(page.url()).pathname === '/join') {
      if (picture) await this.shot(page, picture);
      await this.join(page, answers);
    }
    if (name) await this.rename(page, name);
    return page;
  }

  // born is the birth date of somebody who was so old yesterday.
  born(years) {
    const day = new Date(Date.now() - 86_400_000);
    return new Date(Date.UTC(day.getUTCFullYear() - years, day.getUTCMonth(), day.getUTCDate())).toISOString().slice(0, 10);
  }

  // days as a duration.
  days(n) { return `${n * 24}h`; }

  // number and money (in euros) as the pages write them.
  number(n) { return new Intl.NumberFormat(this.locale).format(n); }

  money(euros) { return this.t('money.symbol', { Sign: '', Amount: new Intl.NumberFormat(this.locale, { minimumFractionDigits: 2 }).format(euros), Symbol: '€' }); }

  // climb lets a crowd support an idea until its page says what is to be read there.
  async climb(page, idea, supporters, text) {
    await this.crowd(idea, supporters);
    await this.carriedOut();
    await this.goto(page, `/ideas/${idea}`);
    await this.eventually(page, () => page.getByText(text).first().isVisible(), `${supporters} supporters`);
  }

  // join answers what the house asks of everybody who joins: { born, guardian, attributes: { name: option } }.
  async join(page, { born, guardian, attributes = {} }) {
    await this.goto(page, '/join');
    for (const [field, value] of [['#born', born], ['#guardian', guardian]]) {
      if (value && await page.locator(field).count() > 0) await page.locator(field).fill(value);
    }
    for (const [name, option] of Object.entries(attributes)) {
      await page.locator(`input[name="attribute.${name}"][value="${option}"]`).check({ force: true });
    }
    for (const one of await page.locator('main input[name="accept"]').all()) await one.check({ force: true });
    await this.press(page, 'join.button');
  }

  // press presses the button of a text.
  async press(page, key) {
    await page.getByRole('button', { name: this.t(key), exact: true }).first().click();
  }

  // enter enters an idea into a challenge and returns its number; fields fills the form's own.
  async enter(page, challenge, title, body, fields = async () => {}) {
    await this.goto(page, `/challenges/${challenge}/enter`);
    await page.locator('[name="title"]').fill(title);
    await page.locator('[name="body"]').fill(body);
    await fields(page);
    await this.press(page, 'entry.button');
    await page.locator('p.notice').waitFor();
    await this.goto(page, '/profile/ideas');
    const link = page.getByRole('link', { name: title, exact: true });
    return Number((await link.getAttribute('href')).match(/\/ideas\/(\d+)/)[1]);
  }

  // screen decides about what waits for a moderator: 'publish', 'changes' or 'reject', the latter two with a reason.
  async screen(page, titles, decision, code = '', reason = '') {
    await this.goto(page, '/team/moderation');
    for (const title of titles) await page.getByRole('checkbox', { name: this.t('queue.select', { Title: title }) }).check();
    if (code) await page.locator('#code').selectOption(code);
    if (reason) await page.locator('#reason').fill(reason);
    await this.press(page, `queue.${decision}`);
    await page.getByText(this.t('flash.idea_decided')).first().waitFor();
  }

  // move takes an idea one step further as one of the team.
  async move(page, idea, to, reason = '') {
    await this.goto(page, `/team/ideas/${idea}`);
    await page.locator(`input[name="to"][value="${to}"]`).check({ force: true });
    if (reason) await page.locator('#reason').fill(reason);
    await this.press(page, 'manage.move.button');
    await page.getByText(this.t('flash.idea_decided')).first().waitFor();
  }

  // implement takes an idea on to its launch, by the forms of the page that move uses.
  async implement(page, idea) {
    for (const to of ['planned', 'in_development', 'launched']) {
      const answer = await page.request.post(`${this.base}/team/ideas/${idea}`, {
        form: { do: 'move', to }, headers: { Origin: this.base }, maxRedirects: 0,
      });
      this.assert(answer.status() === 303, `taking an idea to ${to} answered ${answer.status()}`);
    }
  }

  // crowd lets an idea have so many supporters in all.
  async crowd(idea, supporters) { await this.ask('crowd', { idea, supporters }); }

  // carriedOut has the service do what dates and thresholds have brought about.
  async carriedOut() { await this.advance('1s'); }

  // figures has the service write those of the day, as it does every hour.
  async figures() { await this.ask('figures', {}); }

  // advance moves the service's clock on by a duration such as "36h".
  async advance(by) { await this.ask('advance', { by }); }

  // mail waits for a mail to an address whose subject or text matches, and returns { Found, Text }.
  async mail(to, match) { return this.ask('mail', { to, match: match.source ?? match }); }

  // shot looks at the page with axe-core, in light and dark, and keeps a picture of the whole page.
  async shot(page, name) {
    // Else what sticks to the screen is where the page was scrolled to, and covers something.
    await page.evaluate(() => window.scrollTo(0, 0));
    for (const scheme of schemes) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      this.findings.push(...await inspect(page, `${name} (${scheme}, ${this.locale})`, scheme));
    }
    await this.ask('seen', { path: new URL(page.url()).pathname, locale: this.locale });
    if (!this.opts.screenshots) return;
    this.shots += 1;
    const file = `${String(this.shots).padStart(2, '0')}-${name.replaceAll(' ', '-')}.png`;
    await page.screenshot({ path: join(this.opts.screenshots, file), fullPage: true });
  }

  // goto opens a path of the community and expects a page.
  async goto(page, path, status = 200) {
    const response = await page.goto(`${this.base}${path}`);
    this.assert(response.status() === status, `${path} answered ${response.status()}, want ${status}`);
  }

  // eventually reloads a page until the condition holds: for what jobs bring about.
  async eventually(page, condition, what, seconds = 30) {
    const until = Date.now() + seconds * 1000;
    for (;;) {
      if (await condition()) return;
      this.assert(Date.now() < until, `not within ${seconds} s: ${what}`);
      await page.waitForTimeout(300);
      await page.reload();
    }
  }

  async ask(what, question) {
    const response = await fetch(`${this.opts.world}/${what}`, { method: 'POST', body: JSON.stringify(question) });
    if (!response.ok) throw new Error(`${what}: ${await response.text()}`);
    return response.json();
  }
}
