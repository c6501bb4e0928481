// An idea finds support: submitted, discussed, supported by others.
import { journey } from './world.mjs';

await journey(async (w) => {
  const author = await w.member('camille@members.example', 'Camille');
  const other = await w.member('noor@members.example', 'Noor');

  await w.step('submit', async () => {
    await w.goto(author, '/ideas/new');
    await author.getByLabel(w.t('submit.field.title')).fill('A tent that weighs less than a book');
    await author.getByLabel(w.t('submit.field.body')).fill('Poles of bamboo, a sheet of silnylon, **nothing else**.');
    await author.getByRole('button', { name: w.t('submit.button'), exact: true }).click();
    await author.getByRole('heading', { level: 1, name: 'A tent that weighs less than a book' }).waitFor();
    await w.shot(author, 'submitted');
  });
  const path = new URL(author.url()).pathname;

  await w.step('support', async () => {
    await w.goto(other, path);
    await other.getByRole('button', { name: w.t('vote.button'), exact: true }).click();
    await other.locator('.vote-big .vote-button[aria-pressed="true"]').waitFor();
    await w.shot(other, 'supported');
  });
});
