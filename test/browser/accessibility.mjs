// What axe-core finds on a page, and whether the page fits its screen.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

// inspect returns findings as texts, none when all is well. In the dark only colours are looked at: nothing else changes.
export async function inspect(page, where, scheme = 'light') {
  const found = [];
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axe);
  const runOnly = scheme === 'light'
    ? { type: 'tag', values: rules }
    : { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };
  const { violations } = await page.evaluate((only) => window.axe.run(document, { runOnly: only }), runOnly);
  for (const v of violations) {
    found.push(`${where}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.target.join(' ')}: ${n.failureSummary}`).join('\n')}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) found.push(`${where}: the page is ${wide} pixels wider than the screen`);
  return found;
}
