/** prisma/schema.prisma as it reads for PostgreSQL: another provider, another place for the client, the same models. */
export const postgresqlSchema = (sqliteSchema: string): string =>
  sqliteSchema
    .replace('provider = "sqlite"', 'provider = "postgresql"')
    .replace('"../app/store/generated/sqlite"', '"./postgresql"');
