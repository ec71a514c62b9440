/**
 * npm run seed
 *
 * Brings the database up to date, and puts the vendors' documented people into it when it has no user. Not for production:
 * everybody can read their passwords.
 */

import { environment, readConfig } from '../app/config.ts';
import { platforms } from '../app/platforms/index.ts';
import { groups, people } from '../app/scenarios/cast.ts';
import { createServices } from '../app/services.ts';
import { migrate } from '../app/store/migrations.ts';
import { seed } from '../prisma/seed.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  const config = readConfig(environment(), platforms);
  if (config.production) {
    throw new Error('The seed is not for production: everybody can read its passwords.');
  }
  const applied = await migrate(config.DATABASE_URL);
  say(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is up to date.');
  const { database, passwords, close } = await createServices(config);
  try {
    const seeded = await seed(database, passwords);
    say(
      seeded
        ? `Added ${people.length} users and ${groups.length} groups; each one's password is the login.`
        : 'There are users already: added nobody.',
    );
  } finally {
    await close();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
