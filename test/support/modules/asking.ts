/** A permission provider that says what it was asked, a moment later. */
import type { GetPermissions } from '../../../app/platforms/dgp-oauth2/modules.ts';

export const get_permissions: GetPermissions = async (service, userid, about) => ({
  service,
  userid,
  about,
});
