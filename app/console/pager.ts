/** Long lists, a page at a time. */
import { idOf } from '../store/user-search.ts';
import { base, type Visit } from './page.ts';

/** A page's number in the query, from 1 on. */
export const pageOf = ({ page }: Visit['query']): number =>
  Math.min(Math.max(1, idOf(page)), 100_000);

/** What the links to the pages before and after need; whatever else was asked for stays. */
export function pager(path: string, query: Visit['query'], page: number, pages: number) {
  const { page: _, done: __, ...rest } = query;
  const link = (to: number) => `${base}${path}?${new URLSearchParams({ ...rest, page: `${to}` })}`;
  return {
    page,
    pages,
    before: page > 1 ? link(page - 1) : undefined,
    after: page < pages ? link(page + 1) : undefined,
  };
}
