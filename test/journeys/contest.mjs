// A contest: entries with a drawing and what the team alone sees, a hidden score in random order, a result that anybody can
// count again, a jury with a conflict of interest, and a decision with public reasons.
import { journey } from './world.mjs';

await journey(async (w) => {
  const people = [];
  for (const [address, name] of [['ines@members.example', 'Inès'], ['noor@members.example', 'Noor'], ['camille@members.example', 'Camille']]) {
    people.push(await w.member(address, name));
  }
  const [ines, noor, camille] = people;
  const [lead] = await w.team('lead');
  const page = '/challenges/weekly-design';
  const file = (content) => ({ name: 'drawing.png', mimeType: 'image/png', buffer: Buffer.from(content) });

  await w.step('enter', async () => {
    await w.goto(ines, '/challenges');
    await w.shot(ines, 'challenges');
    for (const [who, title, top] of [[ines, 'A lantern of paper', 120], [noor, 'A tent of stars', 0]]) {
      await w.goto(who, page);
      await who.locator('main').getByRole('link', { name: w.t('part.enter') }).first().click();
      if (top === 120) await w.shot(who, 'empty form');
      await who.locator('[name="title"]').fill(title);
      await who.locator('[name="body"]').fill('Two colours, one line.');
      await who.locator('[name="form.studio"]').fill('12 Mill Lane');
      await who.locator('[name="form.drawing"]').setInputFiles(file('no picture'));
      await w.press(who, 'entry.button');
      await who.locator('[id="form.drawing-error"]').waitFor();
      w.assert(await who.locator('[name="title"]').inputValue() === title, 'the title was not kept');
      await w.shot(who, 'form');
      const drawing = await w.pages[0].screenshot({ clip: { x: 0, y: top, width: 360, height: 240 } });
      await who.locator('[name="form.drawing"]').setInputFiles(file(drawing));
      await who.locator('input[value="ink"]').check({ force: true });
      await w.press(who, 'entry.button');
      await who.getByText(w.t('flash.entered')).waitFor();
    }
    await noor.getByText('12 Mill Lane').waitFor();
    await noor.locator('.entry-file img').waitFor();
    await w.shot(noor, 'entered');
    await w.goto(camille, new URL(noor.url()).pathname);
    w.assert(await camille.getByText('12 Mill Lane').count() === 0, 'a private answer is shown');
    await camille.locator('.entry-file img').scrollIntoViewIfNeeded();
    await camille.waitForFunction(() => document.querySelector('.entry-file img').naturalWidth > 0);
  });

  await w.step('vote', async () => {
    await w.advance('168h');
    for (const [who, points] of [[camille, ['5', '2']], [ines, ['3', null]]]) {
      await w.goto(who, page);
      for (const [i, title] of ['A tent of stars', 'A lantern of paper'].entries()) {
        if (points[i] === null) continue;
        const entry = who.locator('article[id^="entry-"]', { hasText: title });
        await entry.getByRole('button', { name: points[i], exact: true }).click();
        await entry.locator('.score-choice[aria-pressed="true"]', { hasText: points[i] }).waitFor();
      }
      w.assert(!(await who.locator('main').innerText()).includes(w.t('ballot.votes', { Count: '2' })), 'a hidden count is shown');
    }
    await w.press(camille, 'follow.start');
    await camille.getByRole('button', { name: w.t('follow.stop') }).waitFor();
    await w.shot(camille, 'voted');
  });

  await w.step('count again', async () => {
    await w.advance('168h');
    await w.goto(camille, page);
    await w.eventually(camille, () => camille.locator('.result-hash code').isVisible(), 'the result is published');
    await w.shot(camille, 'result');
    const [download] = await Promise.all([camille.waitForEvent('download'), camille.getByRole('link', { name: w.t('result.download') }).click()]);
    w.assert((await download.path()) !== null, 'the result cannot be downloaded');
  });

  await w.step('judge', async () => {
    const jurors = [await w.member('jury@brand.example', 'Jo'), await w.member('gallery@brand.example', 'Gaël')];
    for (const [i, juror] of jurors.entries()) {
      await w.goto(juror, page);
      await juror.getByRole('link', { name: w.t('jury.open') }).click();
      await juror.locator('.jury-entry').nth(1).waitFor();
      await w.shot(juror, 'jury');
      for (const [title, points] of [['A tent of stars', ['9', '8']], ['A lantern of paper', ['6', '7']]]) {
        await juror.locator('.jury-entry', { hasText: title }).click();
        await juror.getByRole('heading', { level: 1, name: title }).waitFor();
        if (i === 1 && title === 'A lantern of paper') {
          await juror.locator('#reason').fill('We share a studio.');
          await w.press(juror, 'jury.conflict.button');
          await juror.locator('.jury-entry', { hasText: w.t('jury.conflict') }).click();
          await juror.getByText(w.t('jury.conflict.declared')).waitFor();
          await w.shot(juror, 'conflict of interest');
          continue;
        }
        await juror.locator('#score-originality').fill('eleven');
        await w.press(juror, 'jury.score.button');
        await juror.locator('#score-originality-error').waitFor();
        if (i === 0) await w.shot(juror, 'no score');
        for (const [n, name] of ['originality', 'print'].entries()) await juror.locator(`#score-${name}`).fill(points[n]);
        await w.press(juror, 'jury.score.button');
        await juror.locator('.jury-entry').first().waitFor();
      }
    }
  });

  await w.step('decide', async () => {
    await w.goto(lead, '/team/challenges');
    await w.shot(lead, 'challenges of the team');
    await lead.getByRole('row').getByRole('link').first().click();
    await lead.locator('.verdict').first().waitFor();
    await w.press(lead, 'decision.button');
    await lead.locator('.alert').first().waitFor();
    await w.shot(lead, 'no decision');
    const best = lead.locator('.team-entry', { hasText: 'A tent of stars' });
    await best.locator('input[name^="rank-"]').fill('1');
    await best.locator('textarea[name^="reason-"]').fill('One line, and the night is there.');
    await lead.locator('#reason').fill('Jury and community agreed.');
    await w.press(lead, 'decision.button');
    await lead.locator('.outcome').waitFor();
    await w.goto(camille, page);
    await camille.getByText('One line, and the night is there.').first().waitFor();
    await camille.getByText('Jury and community agreed.').waitFor();
    await w.shot(camille, 'winners');
    await w.goto(camille, '/notices');
    await w.eventually(camille, () => camille.getByText(w.t('notice.challenge_decided')).first().isVisible(), 'who follows the contest is told of the decision');
  });
});
