/**
 * A permission provider of dgp-oauth2: who may do what at one of your services.
 *
 *   ALLOWED_SERVICES=billing:./examples/permissions.ts
 *
 * Called at every GET /auth/authorize?service=billing. Ask your own systems here; this one goes by the group.
 */
import type { GetPermissions } from '../app/platforms/dgp-oauth2/modules.ts';

export const get_permissions: GetPermissions = async (_service, userid, { group, roles }) => {
  // Nothing returned: the service is not for this user.
  if (group === undefined) return undefined;
  return {
    read: true,
    write: roles.includes('accountant'),
    folders: [`/${group}`, `/users/${userid}`],
  };
};
