// A contest: entries with a form, a hidden score in random order, a shortlist, and a result that anybody can count again.
import { journey } from './world.mjs';

await journey(async (w) => {
  const people = [];
  for (const [address, name] of [['ines@members.example', 'Inès'], ['noor@members.example', 'Noor'], ['camille@members.example', 'Camille']]) {
    people.push(await w.member(address, name));
  }
  const [ines, noor, camille] = people;

  await w.step('enter', async () => {
    for (const [page, title] of [[ines, 'A lantern of paper'], [noor, 'A tent of stars']]) {
      await w.goto(page, '/challenges/weekly-design');
      await page.locator('main').getByRole('link', { name: w.t('part.enter') }).first().click();
      await page.locator('[name="title"]').fill(title);
      await page.locator('[name="body"]').fill('Two colours, one line.');
      await page.getByRole('button', { name: w.t('entry.button'), exact: true }).click();
      await page.locator('[aria-invalid="true"], .field-wrong').first().waitFor();
      w.assert(await page.locator('[name="title"]').inputValue() === title, 'the title was not kept');
      await w.shot(page, 'form');
      await page.locator('input[value="ink"]').check({ force: true });
      await page.getByRole('button', { name: w.t('entry.button'), exact: true }).click();
      await page.getByText(w.t('flash.entered')).waitFor();
    }
    await w.shot(noor, 'entered');
  });

  await w.step('vote', async () => {
    await w.advance('168h');
    for (const [page, points] of [[camille, ['5', '2']], [ines, ['3', null]]]) {
      await w.goto(page, '/challenges/weekly-design');
      for (const [i, title] of ['A tent of stars', 'A lantern of paper'].entries()) {
        if (points[i] === null) continue;
        const entry = page.locator('article[id^="entry-"]', { hasText: title });
        await entry.getByRole('button', { name: points[i], exact: true }).click();
        await entry.locator('.score-choice[aria-pressed="true"]', { hasText: points[i] }).waitFor();
      }
      w.assert(!(await page.locator('main').innerText()).includes(w.t('ballot.votes', { Count: '2' })), 'a hidden count is shown');
    }
    await w.shot(camille, 'voted');
  });

  await w.step('count again', async () => {
    await w.advance('168h');
    await w.eventually(camille, () => camille.locator('.result-hash code').isVisible(), 'the result is published');
    await w.shot(camille, 'result');
    const [download] = await Promise.all([camille.waitForEvent('download'), camille.getByRole('link', { name: w.t('result.download') }).click()]);
    w.assert((await download.path()) !== null, 'the result cannot be downloaded');
  });
});
