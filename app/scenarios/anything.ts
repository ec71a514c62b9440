/** In an expected string: whatever is there, one character or more. */
export const anything = '{{*}}';
