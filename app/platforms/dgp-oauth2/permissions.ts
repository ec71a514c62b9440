/**
 * `ALLOWED_SERVICES=storage-service:roles`: what a user may do is what roles he and his group have (`npm run admin -- user
 * add-role`, `group add-role`).
 * `editor` is a permission for every service; `storage-service:read` is `read`, for that service alone.
 */
import type { GetPermissions } from './modules.ts';

export const get_permissions: GetPermissions = (service, _userid, { roles }) => {
  const here = `${service}:`;
  return Object.fromEntries(
    roles
      .filter((role) => role.startsWith(here) || !role.includes(':'))
      .map((role) => [role.startsWith(here) ? role.slice(here.length) : role, true]),
  );
};
