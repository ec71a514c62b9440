/** An extension and a permission provider that are out of order. */
const fail = () => {
  throw new Error('out of order');
};

export const on_user_login = fail;
export const on_user_logout = async () => fail();
export const get_permissions = fail;
