// The brand keeps its word: an idea that qualifies is answered by a date, what is late is listed, every step has its
// public reason, supporters are told, duplicates are merged and parted, and the roadmap shows what came of it.
import { journey } from './world.mjs';

await journey(async (w) => {
  const author = await w.member('ines@members.example', 'Inès');
  const friend = await w.member('noor@members.example', 'Noor');
  const other = await w.member('camille@members.example', 'Camille');
  const [lead, implementer] = await w.team('lead', 'implementer');
  const title = 'A loaf for one';

  const path = await w.step('write', async () => {
    await w.goto(author, '/ideas');
    await w.shot(author, 'no ideas yet');
    await w.goto(author, '/ideas/new');
    await w.shot(author, 'new idea');
    await author.locator('[name="title"]').fill(title);
    await author.locator('[name="body"]').fill('Half a kilo goes stale before I can eat it.\n\n- 150 g\n- with a **dark** crust');
    await w.press(author, 'submit.button');
    await author.getByRole('heading', { level: 1, name: title }).waitFor();
    return new URL(author.url()).pathname;
  });

  await w.step('write together', async () => {
    await w.goto(author, `${path}/authors`);
    await author.locator('#name').fill('nobody@members.example');
    await w.press(author, 'authors.button');
    await author.getByText(w.t('flash.invited_address')).waitFor();
    await author.locator('#name').fill('noor@members.example');
    await w.press(author, 'authors.button');
    await author.getByText(w.t('flash.invited_address')).waitFor();
    await w.shot(author, 'co-authors');
    await w.mail('noor@members.example', title);
    await w.goto(friend, path);
    await w.press(friend, 'coauthor.accept');
    await w.goto(friend, `${path}/edit`);
    await w.shot(friend, 'edit');
    await friend.locator('[name="body"]').fill('Half a kilo goes stale before I can eat it.\n\n- 150 g\n- with a **crisp** crust');
    await w.press(friend, 'edit.button');
    await w.goto(friend, `${path}/history`);
    await friend.locator('ins').first().waitFor();
    await w.shot(friend, 'history');
    await w.goto(author, `${path}/shares`);
    await w.press(author, 'shares.propose');
    await author.getByText(w.t('flash.shares_proposed')).waitFor();
    await w.goto(friend, `${path}/shares`);
    await w.shot(friend, 'shares');
    await w.press(friend, 'shares.accept');
    await friend.getByText(w.t('flash.shares_answered')).waitFor();
  });

  await w.step('attach', async () => {
    await w.goto(author, `${path}/files`);
    await author.locator('#file').setInputFiles({ name: 'loaf.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await w.press(author, 'files.button');
    await author.locator('#file-error').waitFor();
    await w.shot(author, 'no picture');
    await author.locator('#file').setInputFiles({ name: 'loaf.png', mimeType: 'image/png', buffer: await author.screenshot({ clip: { x: 0, y: 0, width: 320, height: 200 } }) });
    await author.locator('#alt').fill('A small round loaf');
    await w.press(author, 'files.button');
    await author.getByText(w.t('flash.attached')).waitFor();
    await w.shot(author, 'files');
  });

  await w.step('support', async () => {
    for (const page of [other, friend]) {
      await w.goto(page, path);
      await w.press(page, 'vote.button');
      await page.locator('.vote-big [aria-pressed="true"]').waitFor();
    }
    await w.goto(other, path);
    await other.locator('.comment-form [name="body"]').fill('And I would buy two.');
    await w.press(other, 'idea.comment.button');
    await w.goto(friend, path);
    await friend.locator('.comment').getByRole('link', { name: w.t('comment.reply') }).click();
    await w.shot(friend, 'reply');
    await friend.locator('[name="body"]').fill('One for the freezer!');
    await friend.locator('main form button[type="submit"]').first().click();
    await friend.getByText('One for the freezer!').waitFor();
    await w.eventually(friend, () => friend.getByText(w.t('state.qualified')).first().isVisible(), 'the idea qualifies');
    await w.shot(friend, 'qualified');
  });

  await w.step('late', async () => {
    await w.goto(lead, '/team/answers');
    await lead.getByText(w.t('answers.in_time')).waitFor();
    await w.shot(lead, 'in time');
    await w.advance(w.days(15));
    await w.goto(lead, '/team/answers');
    await lead.getByText(w.t('answers.overdue'), { exact: true }).waitFor();
    await w.shot(lead, 'late');
    await w.goto(lead, '/team');
    await w.shot(lead, 'home of the team');
  });

  await w.step('answer', async () => {
    await w.goto(lead, '/team/answers');
    await lead.getByRole('link', { name: title }).click();
    await w.press(lead, 'manage.answer.button');
    await lead.locator('#answer-text-error, #answer-error').first().waitFor();
    await lead.locator('#answer-text').fill('We are late, sorry. We **bake a trial** next week.');
    await w.press(lead, 'manage.answer.button');
    await lead.getByText(w.t('flash.idea_decided')).first().waitFor();
    await w.goto(lead, '/team/answers');
    await lead.getByText(w.t('answers.none')).waitFor();
    await w.shot(lead, 'nothing due');
    await w.goto(other, '/notices');
    await w.eventually(other, () => other.getByText(w.t('notice.answered', { Title: title })).isVisible(), 'a supporter is told of the answer');
    await w.shot(other, 'notices');
  });

  await w.step('merge', async () => {
    await w.goto(other, '/ideas/new');
    await other.locator('[name="title"]').fill('Loaves for one person');
    await other.locator('[name="body"]').fill('Small ones.');
    await w.press(other, 'submit.button');
    await other.getByRole('heading', { level: 1 }).waitFor();
    const duplicate = Number(new URL(other.url()).pathname.match(/\d+/)[0]);
    await w.goto(lead, `/team/ideas/${duplicate}`);
    await w.press(lead, 'manage.merge.button');
    await lead.locator('#into-error').waitFor();
    await w.shot(lead, 'merge into nothing');
    await lead.locator('#into').fill(path);
    await w.press(lead, 'manage.merge.button');
    await lead.getByRole('button', { name: w.t('manage.unmerge') }).waitFor();
    await w.shot(lead, 'merged');
    await w.goto(other, path);
    await other.getByText(w.t('idea.merged_with')).waitFor();
    await w.goto(lead, `/team/ideas/${duplicate}`);
    await w.press(lead, 'manage.unmerge');
    await lead.getByText(w.t('flash.idea_decided')).first().waitFor();
    await w.goto(other, path);
    w.assert(await other.getByText(w.t('idea.merged_with')).count() === 0, 'the ideas are not parted');
  });

  await w.step('decide', async () => {
    const idea = Number(path.match(/\d+/)[0]);
    await w.move(lead, idea, 'under_review');
    await w.goto(lead, `/team/ideas/${idea}`);
    await lead.locator('input[name="to"][value="selected"]').check({ force: true });
    await w.press(lead, 'manage.move.button');
    await lead.locator('#reason-error').waitFor();
    await w.shot(lead, 'no reason');
    await w.move(lead, idea, 'selected', 'The trial sold out before noon.');
    await w.move(implementer, idea, 'planned');
    await w.goto(other, path);
    await other.getByText('The trial sold out before noon.').first().waitFor();
    await w.shot(other, 'planned');
    await w.goto(other, '/roadmap');
    await other.getByRole('link', { name: title }).waitFor();
    await w.shot(other, 'roadmap');
    await w.goto(other, '/notices');
    await w.eventually(other, () => other.getByText(w.t('notice.state.planned', { Title: title })).isVisible(), 'supporters are told of the step');
  });
});
