/** A permission provider that answers with something else. */
export const get_permissions = () => ['read'];
