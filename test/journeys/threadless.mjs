// In the style of Threadless: staff screens designs, the community scores each for seven days, a jury looks at the
// shortlist, one is printed, and the rights in the others return to who drew them.
import { journey } from './world.mjs';

await journey(async (w) => {
  const [lead, moderator, juror] = await w.team('lead', 'moderator', 'jury');
  const [ines, noor, camille] = await Promise.all([
    w.newcomer('ines@members.example', 'Inès', {}, 'terms'),
    w.newcomer('noor@members.example', 'Noor', {}),
    w.newcomer('camille@members.example', 'Camille', {}),
  ]);
  const page = '/challenges/weekly-design';
  const technique = (name) => (form) => form.locator(`input[value="${name}"]`).check({ force: true });

  const designs = await w.step('enter', async () => {
    await w.goto(ines, page);
    await w.shot(ines, 'call');
    const all = {
      lantern: await w.enter(ines, 'weekly-design', 'A lantern of paper', 'Two colours, one line. The light is the shirt itself.', technique('ink')),
      stars: await w.enter(noor, 'weekly-design', 'A tent of stars', 'The seams are the constellations.', technique('digital')),
      logo: await w.enter(noor, 'weekly-design', 'Buy at my shop', 'Everything at half price.', technique('digital')),
    };
    await w.shot(noor, 'own designs');
    return all;
  });

  await w.step('screen', async () => {
    await w.screen(moderator, ['Buy at my shop'], 'reject', 'advertising', 'A design, please, and no shop.');
    await w.screen(moderator, ['A lantern of paper', 'A tent of stars'], 'publish');
    await w.goto(noor, `/ideas/${designs.logo}`);
    await noor.getByText('A design, please, and no shop.').first().waitFor();
    await w.shot(noor, 'refused');
  });

  await w.step('a later design', async () => {
    await w.advance(w.days(3));
    designs.tide = await w.enter(camille, 'weekly-design', 'The tide comes in', 'It rises with every wash.', technique('ink'));
    await w.screen(moderator, ['The tide comes in'], 'publish');
  });

  const entry = (who, title) => who.locator('article[id^="entry-"]', { hasText: title });
  const score = async (who, title, points) => {
    await w.goto(who, page);
    await entry(who, title).getByRole('button', { name: points, exact: true }).click();
    await entry(who, title).locator('.score-choice[aria-pressed="true"]', { hasText: points }).waitFor();
  };
  await w.step('score', async () => {
    await score(camille, 'A tent of stars', '5');
    await score(camille, 'A lantern of paper', '2');
    await score(ines, 'A tent of stars', '4');
    await score(noor, 'A lantern of paper', '3');
    await w.shot(camille, 'scored');
    w.assert(!(await camille.locator('main').innerText()).includes(w.t('ballot.votes', { Count: '2' })), 'a hidden count is shown');
  });

  await w.step('seven days each', async () => {
    await w.advance(w.days(5));
    await w.goto(ines, page);
    w.assert(await entry(ines, 'A tent of stars').locator('.score-choice').count() === 0, 'a design is scored after its seven days');
    await score(ines, 'The tide comes in', '5');
    await score(noor, 'The tide comes in', '4');
    await w.shot(ines, 'one still open');
  });

  await w.step('jury', async () => {
    await w.advance(w.days(6));
    await w.goto(juror, page);
    await w.eventually(juror, () => juror.locator('.result-hash code').isVisible(), 'the vote is counted');
    await w.shot(juror, 'shortlist');
    for (const [title, scores] of [['A tent of stars', ['9', '8']], ['The tide comes in', ['7', '9']]]) {
      await w.goto(juror, `${page}/jury`);
      await juror.getByRole('link', { name: new RegExp(title) }).click();
      await juror.locator('#score-originality').fill('11');
      await w.press(juror, 'jury.score.button');
      await juror.locator('.field-wrong').first().waitFor();
      await juror.locator('#score-originality').fill(scores[0]);
      await juror.locator('#score-print').fill(scores[1]);
      await w.shot(juror, `juror ${title}`);
      await w.press(juror, 'jury.score.button');
      await juror.getByText(w.t('flash.saved')).first().waitFor();
    }
    await w.shot(juror, 'jury done');
    w.assert(await juror.getByText('A lantern of paper').count() === 0, 'what is not shortlisted comes to the jury');
  });

  await w.step('decide', async () => {
    await w.goto(lead, '/team/challenges/weekly-design');
    await w.shot(lead, 'ranking');
    await lead.locator(`#rank-${designs.stars}`).fill('1');
    await lead.locator(`#reason-${designs.stars}`).fill('The seams tell a story, and it prints in two passes.');
    await lead.locator('#reason').fill('Community and jury agree on a design that nobody has seen before.');
    await w.press(lead, 'decision.button');
    await lead.getByText(w.t('flash.decided')).first().waitFor();
    await w.carriedOut();
    await w.goto(ines, `/ideas/${designs.lantern}`);
    await w.eventually(ines, () => ines.getByText(w.t('state.not_selected')).first().isVisible(), 'the others are told');
    w.assert(/20\d\d/.test(await ines.locator('.entry-rights').innerText()), 'the author does not see when the rights return');
    await w.shot(ines, 'not selected');
    await w.goto(noor, page);
    await w.shot(noor, 'winners');
  });

  await w.step('prize', async () => {
    await w.goto(lead, '/team/prizes');
    await w.eventually(lead, () => lead.getByRole('button', { name: new RegExp(`^${w.t('prize.hand_over')}`) }).first().isVisible(), 'the prize is promised');
    await w.shot(lead, 'prizes');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('prize.hand_over')}`) }).first().click();
    await lead.getByText(w.t('flash.handed_over')).first().waitFor();
    await w.goto(noor, '/recognition');
    await noor.getByText(w.t('prize.handed_over')).first().waitFor();
    await w.shot(noor, 'won');
  });

  await w.step('rights return', async () => {
    await w.advance(w.days(94));
    await w.goto(ines, `/ideas/${designs.lantern}`);
    await w.eventually(ines, () => ines.getByText(w.t('entry.released')).first().isVisible(), 'the rights return');
    await w.shot(ines, 'rights returned');
    await w.goto(ines, '/notices');
    await w.eventually(ines, () => ines.getByText(w.t('notice.rights_returned', { Title: 'A lantern of paper' })).isVisible(), 'the author is told');
    await w.goto(noor, `/ideas/${designs.stars}`);
    w.assert(await noor.getByText(w.t('entry.released')).count() === 0, 'the rights in the winner return');
  });
});
