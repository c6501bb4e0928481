// In the style of LEGO Ideas: screening, a ladder of supporters with deadlines, expiry and a new start, review in
// batches, selection and refusal with public reasons, and a share of what is sold.
import { journey } from './world.mjs';

await journey(async (w) => {
  const [lead, moderator, implementer] = await w.team('lead', 'moderator', 'implementer');
  const adult = { born: '1990-04-02' };
  const [creator, young, fan] = await Promise.all([
    w.newcomer('camille@members.example', 'Camille', adult, 'joining'),
    w.newcomer('sacha@members.example', 'Sacha', { born: w.born(17) }),
    w.newcomer('noor@members.example', 'Noor', adult),
  ]);
  const page = '/challenges/product-ideas';
  const body = 'Built of 1,800 bricks over three winters.\n\nThe lamp turns, and the keeper’s table is laid for two.';

  const ideas = await w.step('submit', async () => {
    await w.goto(creator, page);
    await w.shot(creator, 'challenge');
    const all = {
      lighthouse: await w.enter(creator, 'product-ideas', 'A lighthouse that lights', body),
      film: await w.enter(creator, 'product-ideas', 'The castle of a film', 'With all its heroes.'),
      harbour: await w.enter(young, 'product-ideas', 'A harbour with a working crane', 'The crane lifts what you hang on it.'),
      tram: await w.enter(fan, 'product-ideas', 'The tram of my town', 'Its doors open.'),
    };
    await w.shot(creator, 'own ideas');
    return all;
  });

  await w.step('screen', async () => {
    await w.goto(moderator, '/team/moderation');
    await w.shot(moderator, 'queue');
    await w.screen(moderator, ['The castle of a film'], 'reject', 'rights', 'The film belongs to somebody else.');
    await w.screen(moderator, ['A lighthouse that lights', 'A harbour with a working crane', 'The tram of my town'], 'publish');
    await w.goto(creator, `/ideas/${ideas.film}`);
    await creator.getByText('The film belongs to somebody else.').first().waitFor();
    await w.shot(creator, 'refused');
  });

  await w.step('support', async () => {
    await w.carriedOut();
    await w.goto(fan, `/ideas/${ideas.lighthouse}`);
    await w.press(fan, 'vote.button');
    await fan.locator('.vote-button[aria-pressed="true"]').first().waitFor();
    await w.crowd(ideas.tram, 40);
    await w.climb(fan, ideas.lighthouse, 100, w.t('ladder.progress', { Supporters: '100', Goal: w.number(1000) }));
    await w.crowd(ideas.harbour, 100);
    await w.carriedOut();
    await w.goto(fan, page);
    await w.shot(fan, 'climbing');
  });

  await w.step('expire', async () => {
    await w.advance(w.days(61));
    await w.goto(fan, `/ideas/${ideas.tram}`);
    await w.eventually(fan, () => fan.getByText(w.t('notice.expired')).first().isVisible(), 'the tram expires');
    await w.shot(fan, 'expired');
    await fan.getByRole('link', { name: w.t('edit.again'), exact: true }).click();
    await fan.waitForURL(/\/edit$/);
    await w.shot(fan, 'begin again');
    await w.press(fan, 'edit.again');
    await fan.locator('p.notice').waitFor();
    await w.screen(moderator, ['The tram of my town'], 'publish');
    await w.goto(fan, `/ideas/${ideas.tram}`);
    await w.eventually(fan, () => fan.getByText(w.t('ladder.progress', { Supporters: '0', Goal: '100' })).first().isVisible(), 'the tram begins at zero');
  });

  await w.step('climb', async () => {
    for (const [supporters, goal] of [[1000, 5000], [5000, 10000]]) {
      await w.climb(creator, ideas.lighthouse, supporters, w.t('ladder.progress', { Supporters: w.number(supporters), Goal: w.number(goal) }));
    }
    await w.climb(creator, ideas.lighthouse, 10000, w.t('ladder.done'));
    await w.shot(creator, 'qualified');
    await w.climb(young, ideas.harbour, 10000, w.t('ladder.done'));
    await w.climb(fan, ideas.tram, 10000, w.t('ladder.done'));
  });

  await w.step('review', async () => {
    await w.goto(lead, '/team/answers');
    await lead.getByText('A lighthouse that lights').waitFor();
    await w.shot(lead, 'answers due');
    await w.advance(w.days(10));
    await w.goto(creator, `/ideas/${ideas.lighthouse}`);
    await w.eventually(creator, () => creator.getByText(w.t('state.under_review')).first().isVisible(), 'the batch is reviewed');
    await w.shot(creator, 'under review');
  });

  await w.step('decide', async () => {
    await w.goto(lead, `/team/ideas/${ideas.lighthouse}`);
    await w.shot(lead, 'manage');
    await w.move(lead, ideas.lighthouse, 'selected', 'It tells a story with light, and it can be built in an evening.');
    await w.move(lead, ideas.harbour, 'selected', 'The crane is what we want to play with ourselves.');
    await w.move(lead, ideas.tram, 'not_selected', 'A tram of ours is in the shops already. We loved the doors.');
    await w.goto(fan, `/ideas/${ideas.tram}`);
    await fan.getByText('We loved the doors.').first().waitFor();
    await w.shot(fan, 'not selected');
    for (const idea of [ideas.lighthouse, ideas.harbour]) await w.implement(implementer, idea);
    await w.goto(fan, '/roadmap');
    await w.shot(fan, 'roadmap');
    await w.goto(creator, '/notices');
    await w.eventually(creator, () => creator.getByText('A lighthouse that lights').first().isVisible(), 'the creator is told');
    await creator.getByText(w.t('notice.rung', { Title: 'A lighthouse that lights', Supporters: '100' })).waitFor();
    await w.shot(creator, 'notices');
  });

  await w.step('share revenue', async () => {
    await w.goto(lead, '/team/royalties');
    await w.shot(lead, 'royalties');
    const day = await lead.locator('#from').inputValue();
    const sales = (rows) => ({ name: 'sales.csv', mimeType: 'text/csv', buffer: Buffer.from(`idea,day,netSales\n${rows.join('\n')}\n`) });
    await lead.locator('#file').setInputFiles(sales([`${ideas.tram},${day},10.00`, `${ideas.lighthouse},${day},ten`]));
    await w.press(lead, 'royalties.check');
    await lead.locator('#faults').waitFor();
    await w.shot(lead, 'sales with faults');
    await lead.locator('#file').setInputFiles(sales([`${ideas.lighthouse},${day},123456.78`, `${ideas.harbour},${day},20000.00`]));
    await w.press(lead, 'royalties.check');
    await lead.getByRole('button', { name: w.t('royalties.confirm') }).waitFor();
    await w.shot(lead, 'sales checked');
    await w.press(lead, 'royalties.confirm');
    await w.press(lead, 'royalties.approve');
    await lead.getByText(w.t('flash.approved')).first().waitFor();
    await w.shot(lead, 'approved');
    w.assert(await lead.getByText(w.t('payout.held_team')).count() === 1, 'the money of somebody who is not of age is not held');
    const pay = lead.getByRole('button', { name: new RegExp(`^${w.t('payout.pay')}`) });
    w.assert(await pay.count() === 1, 'a minor can be paid');
    await pay.click();
    await lead.getByText(w.t('flash.paid')).first().waitFor();
    await w.goto(creator, '/recognition');
    await w.eventually(creator, () => creator.getByText(w.money(1234.57)).first().isVisible(), 'the creator sees the payout');
    await creator.getByText(w.t('payout.paid'), { exact: true }).waitFor();
    await w.shot(creator, 'paid');
    await w.goto(young, '/recognition');
    await young.getByText(w.t('payout.held_own')).waitFor();
    await w.shot(young, 'held');
  });
});
