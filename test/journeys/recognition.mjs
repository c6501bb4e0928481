// What members earn: points with their reasons, a level, badges, a place on the leaderboard and off it, prizes that are
// promised and handed over, and a share of what is sold.
import { journey } from './world.mjs';

await journey(async (w) => {
  const ines = await w.member('ines@members.example', 'Inès');
  const noor = await w.member('noor@members.example', 'Noor');
  const [lead, implementer] = await w.team('lead', 'implementer');
  const title = (fr, en) => (w.locale === 'fr' ? fr : en);

  const ideas = await w.step('earn', async () => {
    await w.goto(ines, '/recognition');
    await w.shot(ines, 'nothing yet');
    await w.goto(ines, '/leaderboard');
    await w.shot(ines, 'leaderboard without points');
    const entered = [
      await w.enter(ines, 'blanket', 'A blanket with sleeves', 'For readers.'),
      await w.enter(noor, 'blanket', 'A blanket of two halves', 'Yours and mine.'),
    ];
    await w.goto(noor, `/ideas/${entered[0]}`);
    await noor.locator('.comment-form [name="body"]').fill('Sleeves, at last!');
    await w.press(noor, 'idea.comment.button');
    await w.goto(ines, '/recognition');
    await w.eventually(ines, () => ines.locator('.earned-level').isVisible(), 'the level is reached');
    await ines.getByText(title('Première idée', 'First idea'), { exact: true }).waitFor();
    await w.shot(ines, 'earned');
    return entered;
  });

  await w.step('leaderboard', async () => {
    await w.goto(ines, '/leaderboard');
    await w.eventually(ines, () => ines.locator('.board-own').isVisible(), 'the leaderboard has a place');
    await w.shot(ines, 'leaderboard');
    await w.goto(noor, '/recognition');
    await w.press(noor, 'recognition.unlist');
    await w.goto(ines, '/leaderboard');
    w.assert(await ines.locator('.board', { hasText: 'Noor' }).count() === 0, 'who does not want to be listed is');
    await w.goto(noor, '/profile');
    await noor.getByRole('link', { name: w.t('profile.public') }).click();
    await noor.locator('.person-head').waitFor();
    await w.shot(noor, 'profile of a member');
  });

  await w.step('prizes', async () => {
    await w.advance(w.days(7));
    await w.goto(lead, '/team/prizes');
    await w.shot(lead, 'no prizes yet');
    await w.goto(lead, '/team/challenges/blanket');
    for (const [rank, name] of [['1', 'A blanket with sleeves'], ['2', 'A blanket of two halves']]) {
      const entry = lead.locator('.team-entry', { hasText: name });
      await entry.locator('input[name^="rank-"]').fill(rank);
      await entry.locator('textarea[name^="reason-"]').fill(`Warm, and number ${rank}.`);
    }
    await lead.locator('#reason').fill('We would sleep under both.');
    const ties = lead.locator('#ties');
    await ties.fill('Sleeves won by a draw.');
    await w.press(lead, 'decision.button');
    await lead.locator('.outcome').waitFor();
    await w.goto(lead, '/team/prizes');
    await w.eventually(lead, () => lead.getByRole('button', { name: new RegExp(`^${w.t('prize.hand_over')}`) }).nth(1).isVisible(), 'the prizes are promised');
    await w.shot(lead, 'promised');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('prize.hand_over')}`) }).first().click();
    await lead.locator('.state-done').waitFor();
    await w.goto(ines, '/recognition');
    await ines.getByText(title('Bourse de création', 'Design grant'), { exact: false }).first().waitFor();
    await w.shot(ines, 'prize');
    await w.goto(ines, '/notices');
    await w.eventually(ines, () => ines.locator('.mrow').nth(1).isVisible(), 'winners are told');
  });

  await w.step('royalties', async () => {
    await w.goto(lead, '/team/royalties');
    await w.shot(lead, 'royalties');
    const day = await lead.locator('#from').inputValue();
    const sales = (rows) => ({ name: 'sales.csv', mimeType: 'text/csv', buffer: Buffer.from(`idea,day,netSales\n${rows.join('\n')}\n`) });
    await lead.locator('#file').setInputFiles(sales([`${ideas[0]},${day},ten`]));
    await w.press(lead, 'royalties.check');
    await lead.locator('#faults').waitFor();
    await w.shot(lead, 'sales with faults');
  });

  await w.step('sell', async () => {
    // What is sold was launched before.
    for (const state of ['planned', 'in_development', 'testing', 'launched']) await w.move(implementer, ideas[0], state);
    await w.goto(lead, '/team/royalties');
    const day = await lead.locator('#to').inputValue();
    await lead.locator('#file').setInputFiles({ name: 'sales.csv', mimeType: 'text/csv', buffer: Buffer.from(`idea,day,netSales\n${ideas[0]},${day},40000.00\n`) });
    await w.press(lead, 'royalties.check');
    await lead.getByRole('button', { name: w.t('royalties.confirm') }).waitFor();
    await w.shot(lead, 'sales checked');
    await w.press(lead, 'royalties.confirm');
    await lead.getByRole('button', { name: w.t('royalties.approve') }).waitFor();
    await w.shot(lead, 'statement');
    await w.press(lead, 'royalties.approve');
    await lead.getByText(w.t('flash.approved')).first().waitFor();
    await lead.getByRole('button', { name: new RegExp(`^${w.t('payout.pay')}`) }).first().click();
    await lead.getByText(w.t('flash.paid')).first().waitFor();
    await w.goto(ines, '/recognition');
    await w.eventually(ines, () => ines.getByText(w.money(600)).first().isVisible(), 'the share of sales is shown');
    await w.shot(ines, 'paid');
  });
});
