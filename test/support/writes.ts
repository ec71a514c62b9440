/**
 * Another process that writes: node --import tsx test/support/writes.ts URL TIMES. Transactions that read first and write
 * later; says each one that was acknowledged.
 */
import { openDatabase } from '../../app/store/database.ts';

const [url = '', times = '0'] = process.argv.slice(2);
const { prisma, close } = await openDatabase(url, { poolSize: 1 });

for (let n = 1; n <= Number(times); n++) {
  const subject = `${process.pid}-${n}`;
  await prisma.$transaction(async (db) => {
    const counter = await db.group.findUniqueOrThrow({ where: { name: 'counter' } });
    await db.group.create({ data: { name: subject, subject, displayName: '', services: [] } });
    const displayName = String(Number(counter.displayName) + 1);
    await db.group.update({ where: { name: 'counter' }, data: { displayName } });
  });
  process.stdout.write(`committed ${subject}\n`);
}
await close();
process.disconnect?.();
