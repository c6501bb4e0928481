// Runs axe-core over pages, on phone and desktop, in light and dark, and fails when it finds anything. With
// --screenshots it keeps a picture of each.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fail, launch, options, screens, watch } from './browser.mjs';

const usage = 'node axe.mjs --base URL [--locale fr] [--session NAME=TOKEN] [--page PATH]... [--screenshots DIR] ' +
  '[--resolve HOST=ADDRESS] [--insecure]';
const opts = options(usage, {
  page: { type: 'string', multiple: true, default: ['/', '/ideas', '/sign-in', '/missing'] },
  session: { type: 'string' },
  prefix: { type: 'string', default: '' },
});
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

if (opts.screenshots) await mkdir(opts.screenshots, { recursive: true });
const browser = await launch(opts);
const found = [];

async function check(path, screen, colorScheme) {
  const context = await browser.newContext({
    ...screens[screen], locale: opts.locale, colorScheme, reducedMotion: 'reduce', ignoreHTTPSErrors: opts.insecure,
    // The site's policy refuses foreign scripts, and axe is one.
    bypassCSP: true,
  });
  if (opts.session) {
    const [name, value] = opts.session.split('=');
    await context.addCookies([{ name, value, url: opts.base }]);
  }
  const page = await context.newPage();
  const problems = watch(page, opts.base);
  await page.goto(opts.base + path, { waitUntil: 'load' });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags } }), rules);
  const where = `${path} (${screen}, ${colorScheme}, ${opts.locale})`;
  for (const v of violations) {
    found.push(`${where}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.target.join(' ')}: ${n.failureSummary}`).join('\n')}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) found.push(`${where}: the page is ${wide} pixels wider than the screen`);
  found.push(...problems.filter((p) => !p.startsWith('503')).map((p) => `${where}: ${p}`));
  if (opts.screenshots) {
    const name = path.replace(/[^\w]+/g, '-').replace(/^-|-$/g, '') || 'home';
    const file = `${opts.prefix}${name}-${opts.locale}-${screen}-${colorScheme}.png`;
    await page.screenshot({ path: join(opts.screenshots, file), fullPage: true });
  }
  await context.close();
}

for (const path of opts.page) {
  for (const screen of Object.keys(screens)) {
    for (const scheme of ['light', 'dark']) await check(path, screen, scheme);
  }
}
await browser.close();
if (found.length > 0) fail(`${found.length} findings:\n${found.join('\n')}`);
console.log(`axe found nothing on ${opts.page.length} pages`);
