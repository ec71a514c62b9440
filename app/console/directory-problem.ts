/** What an operator can mend, said at the field that he can mend it in. */
import { DirectoryError } from '../store/directory.ts';

export type Problem = {
  /** The name of the form's field; empty: of none, or of all. */
  readonly field: string;
  readonly text: string;
};

export const noProblem: Problem = { field: '', text: '' };

/** The directory's sentences begin and end with words of ours: what a user typed stands between them, quoted. */
const fields: readonly (readonly [RegExp, string])[] = [
  [/^A login |Logins do not differ by case\.$|is a name that another user has chosen\.$/, 'login'],
  [/is not an email address\.$|^A email /, 'email'],
  [/^A uid |^The greatest uid|^There is a user with the uid /, 'uid'],
  [/^A password |^No password/, 'password'],
  [/^A reason /, 'reason'],
  [/^A subject |^There is a group with the subject /, 'subject'],
  [/^A display name /, 'display_name'],
  [/^A service API key /, 'services'],
  [/^There is no group /, 'group'],
  [/^A name |^A group name |^There is a group "/, 'name'],
];

const problemAt = (text: string): Problem => ({
  field: fields.find(([sentence]) => sentence.test(text))?.[1] ?? '',
  text,
});

/** Does it; what the directory objects to is for the form, anything else is a fault. */
export async function attempt<Answer>(
  work: () => Promise<Answer>,
  onProblem: (problem: Problem) => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return onProblem(problemAt(error.message));
  }
}
