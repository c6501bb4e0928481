// In the style of BMW: forums on new models beside several kinds of projects in one hub, a jury after the community's
// rating, a decision with reasons, and satisfaction as the objective.
import { journey } from './world.mjs';

await journey(async (w) => {
  const [lead, host, juror, results] = await w.team('lead', 'host', 'jury', 'results');
  const [ines, noor, camille] = await Promise.all(['Inès', 'Noor', 'Camille'].map((name, i) => w.member(`driver-${i}@members.example`, name)));
  const contest = '/challenges/charge-differently';

  await w.step('hub', async () => {
    await w.goto(ines, '/');
    await w.shot(ines, 'home');
    await w.goto(ines, '/challenges');
    w.assert(await ines.locator('.challenge-card').count() === 4, 'the hub does not show all projects');
    await w.shot(ines, 'hub');
  });

  await w.step('forum', async () => {
    await w.goto(ines, '/challenges/new-models');
    await ines.getByRole('link', { name: w.t('forum.new') }).first().click();
    await ines.locator('[name="title"]').fill('Buttons or screens?');
    await ines.locator('[name="theme"]').selectOption('interior');
    await ines.locator('[name="body"]').fill('I want to find the heating without looking.');
    await w.press(ines, 'forum.publish');
    await ines.getByRole('heading', { level: 1, name: 'Buttons or screens?' }).waitFor();
    const topic = new URL(ines.url()).pathname;
    await w.goto(noor, topic);
    await noor.locator('#reply-form [name="body"]').fill('A knob for the heating, a screen for the map.');
    await w.press(noor, 'forum.send_reply');
    await noor.locator('.comment', { hasText: 'A knob for the heating' }).waitFor();
    await w.shot(noor, 'topic');
    await w.goto(host, topic);
    await w.press(host, 'forum.pin');
    await host.getByRole('button', { name: w.t('forum.unpin'), exact: true }).waitFor();
    await w.goto(ines, '/challenges/new-models');
    await w.shot(ines, 'forum');
  });

  const entries = await w.step('enter', async () => ({
    library: await w.enter(ines, 'charge-differently', 'A library at the charger', 'Half an hour is a chapter.'),
    massage: await w.enter(noor, 'charge-differently', 'Seats that stretch your back', 'While the car fills up, you do too.'),
    market: await w.enter(camille, 'charge-differently', 'A farmers’ market at the charger', 'Vegetables from the village behind the motorway.'),
  }));

  const rate = async (who, idea, points) => {
    await w.goto(who, contest);
    const entry = who.locator(`#entry-${idea}`);
    await entry.getByRole('button', { name: points, exact: true }).click();
    await entry.locator('.score-choice[aria-pressed="true"]', { hasText: points }).waitFor();
  };
  await w.step('rate', async () => {
    await w.advance(w.days(11));
    for (const [who, idea, points] of [
      [ines, entries.massage, '4'], [ines, entries.market, '5'], [noor, entries.library, '2'], [noor, entries.market, '5'], [camille, entries.massage, '4'],
    ]) await rate(who, idea, points);
    await w.goto(ines, contest);
    await w.shot(ines, 'rated');
  });

  await w.step('jury', async () => {
    await w.advance(w.days(11));
    await w.goto(juror, contest);
    await w.eventually(juror, () => juror.locator('.result-hash code').isVisible(), 'the ratings are counted');
    const score = async (who, idea, scores) => {
      await w.goto(who, `${contest}/jury/${idea}`);
      for (const [criterion, points] of Object.entries(scores)) await who.locator(`#score-${criterion}`).fill(points);
      await w.press(who, 'jury.score.button');
      await who.getByText(w.t('flash.saved')).first().waitFor();
    };
    await score(juror, entries.market, { use: '9', novelty: '7', feasibility: '6' });
    await score(juror, entries.massage, { use: '6', novelty: '8', feasibility: '7' });
    await score(host, entries.market, { use: '8', novelty: '8', feasibility: '7' });
    await w.goto(host, `${contest}/jury/${entries.massage}`);
    await host.locator('#reason').fill('I have worked with the author.');
    await w.press(host, 'jury.conflict.button');
    await host.getByText(w.t('flash.saved')).first().waitFor();
    await w.shot(host, 'conflict of interest');
  });

  await w.step('decide', async () => {
    await w.goto(lead, '/team/challenges/charge-differently');
    await w.shot(lead, 'ranking');
    await w.press(lead, 'decision.button');
    await lead.locator('[role="alert"]').first().waitFor();
    await lead.locator(`#rank-${entries.market}`).fill('1');
    await lead.locator(`#reason-${entries.market}`).fill('It brings the village and the motorway together.');
    await lead.locator('#reason').fill('The jury follows the community: what is local is what you come back for.');
    await w.press(lead, 'decision.button');
    await lead.getByText(w.t('flash.decided')).first().waitFor();
    await w.carriedOut();
    await w.goto(noor, `/ideas/${entries.massage}`);
    await w.eventually(noor, () => noor.getByText(w.t('state.not_selected')).first().isVisible(), 'who did not win is told why');
    await w.shot(noor, 'not selected');
    await w.goto(camille, contest);
    await camille.getByText('It brings the village and the motorway together.').waitFor();
    await w.shot(camille, 'decided');
    await w.goto(camille, '/recognition');
    await w.eventually(camille, () => camille.getByText(w.t('prize.promised')).first().isVisible(), 'the winner is promised the prize');
    await w.shot(camille, 'prize');
  });

  await w.step('satisfaction', async () => {
    await w.goto(results, '/team/insights');
    for (const [value, standing] of [['71', null], ['76', 'insights.reached']]) {
      await results.locator('#value-satisfaction').fill(value);
      await results.getByRole('button', { name: new RegExp(`^${w.t('insights.enter.button')}`) }).click();
      await results.getByText(w.t('flash.objective_entered')).first().waitFor();
      if (standing) await results.getByText(w.t(standing)).first().waitFor();
      else await w.advance(w.days(30));
    }
    await w.shot(results, 'satisfaction');
  });
});
