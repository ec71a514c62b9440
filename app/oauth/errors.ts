import { type Answer, json } from '../http/answer.ts';

/** RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8628 §3.5, RFC 8707 §2. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unsupported_token_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'authorization_pending'
  | 'slow_down'
  | 'expired_token';

/** A refusal in OAuth's words, thrown by a step and answered in one place. `description` is ours, and safe to send. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode;
  readonly description: string;
  readonly status: number;
  /** `WWW-Authenticate`. */
  readonly challenge: string | undefined;

  constructor(
    code: OAuthErrorCode,
    description: string,
    challenge?: string,
    status = code === 'invalid_client' ? 401 : 400,
  ) {
    super(code);
    this.name = 'OAuthError';
    this.code = code;
    this.description = description;
    this.status = status;
    this.challenge = challenge;
  }
}

/** RFC 6749 §5.2. `no-store` is on every answer of ours. */
export const errorAnswer = ({ code, description, status, challenge }: OAuthError): Answer =>
  json(
    status,
    { error: code, error_description: description },
    challenge === undefined ? {} : { 'WWW-Authenticate': challenge },
  );
