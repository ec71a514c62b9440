/** A permission provider whose service is for nobody. */
export const get_permissions = () => undefined;
