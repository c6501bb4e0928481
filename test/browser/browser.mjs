// What the browser scripts share: options, a Chromium without a window, texts of the pages, the mail catcher.
import { readdir, readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const common = {
  base: { type: 'string' },
  locale: { type: 'string', default: 'en' },
  screenshots: { type: 'string' },
  // Host names that the machine's resolver does not know, as "name=address"; may be repeated.
  resolve: { type: 'string', multiple: true, default: [] },
  // Accepts certificates of an issuer made for the test.
  insecure: { type: 'boolean', default: false },
  chromium: { type: 'string', default: process.env.CHROMIUM || '/usr/bin/chromium' },
};

// options reads the command line; a missing one that is needed ends the program with what is right.
export function options(usage, more = {}, needed = ['base']) {
  let values;
  try {
    ({ values } = parseArgs({ options: { ...common, ...more }, strict: true }));
  } catch (error) {
    fail(`${error.message}\nusage: ${usage}`);
  }
  for (const name of needed) {
    if (!values[name]) fail(`--${name} is missing\nusage: ${usage}`);
  }
  values.base = values.base.replace(/\/+$/, '');
  return values;
}

// fail says what went wrong and ends the program.
export function fail(message) {
  console.error(message);
  process.exit(1);
}

// launch starts Chromium with everything off that would talk to the outside.
export function launch(opts) {
  const args = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ];
  if (opts.resolve.length > 0) {
    const rules = opts.resolve.map((r) => `MAP ${r.replace('=', ' ')}`);
    args.push(`--host-resolver-rules=${rules.join(', ')}`);
  }
  return chromium.launch({ executablePath: opts.chromium, headless: true, args });
}

export const screens = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1280, height: 900 } },
};

// watch collects what must not happen on any page: script errors, refused content, failed requests of the site.
export function watch(page, base) {
  const problems = [];
  page.on('pageerror', (error) => problems.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      problems.push(`console: ${message.text()}`);
    }
  });
  page.on('response', (response) => {
    if (response.url().startsWith(base) && response.status() >= 500) {
      problems.push(`${response.status()} ${new URL(response.url()).pathname}`);
    }
  });
  return problems;
}

// texts of the pages in a language, so that scripts find things by what a person reads.
export async function texts(locale) {
  const folder = new URL('../../ideas/web/translations/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith(`.${locale.split('-')[0]}.json`));
  const parts = await Promise.all(files.map(async (name) => JSON.parse(await readFile(new URL(name, folder), 'utf8'))));
  const messages = Object.assign({}, ...parts);
  return (key, values = {}) => {
    let message = messages[key];
    if (message === undefined) throw new Error(`no text ${key} in ${locale}`);
    if (typeof message === 'object') message = message.other;
    return message.replace(/{{\.(\w+)}}/g, (whole, name) => values[name] ?? whole);
  };
}

// waitForLink asks the mail catcher (Mailpit's HTTP API) until a mail to the address holds a sign-in link.
export async function waitForLink(inbox, email, seconds = 30) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const { messages } = await getJSON(`${inbox}/api/v1/messages`);
    const mail = (messages || []).find((m) => (m.To || []).some((to) => to.Address === email));
    if (mail) {
      const { Text } = await getJSON(`${inbox}/api/v1/message/${encodeURIComponent(mail.ID)}`);
      const link = Text.match(/https?:\/\/\S+\/sign-in\/link\?token=[\w-]+/);
      if (!link) throw new Error('the mail holds no sign-in link');
      return link[0];
    }
    if (Date.now() > until) throw new Error(`no mail to ${email} within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function getJSON(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`mail catcher answered ${response.status} to ${new URL(url).pathname}`);
  return response.json();
}
