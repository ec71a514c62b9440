/** A permission provider that never answers. */
export const get_permissions = () => new Promise(() => {});
